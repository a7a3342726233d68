// Package evalue tests, while the counts come in, whether a new version fails
// more often than the old one that serves beside it. It bets against "the odds
// of failing are at most Rho times the old version's" and keeps count of the
// money: a [Test]'s capital is an e-value, so the probability that it ever
// reaches 1/alpha under that hypothesis is at most alpha, however often
// somebody looks, and whenever they stop (Ville's inequality).
//
// Each group of requests is judged given how many failed in both versions
// together (Fisher's conditional test). So the error rate itself does not
// matter: drift, bursts, retries and an outage of something that both versions
// depend on are no evidence. The price is that routing must be per request;
// where clients stick to a version, see [Sticky].
//
// It is pure, and refuses what is not a count ([CountsError]): no clock, no
// randomness, no I/O. Design and measurements: docs/judging.md.
package evalue

import (
	"errors"
	"fmt"
	"math"
)

// Counts are what both versions did in one period: N requests, and X events
// (failures, or slow answers) among them. 0 is the old version, 1 the new one.
type Counts struct {
	N0 float64 `json:"n0"`
	X0 float64 `json:"x0"`
	N1 float64 `json:"n1"`
	X1 float64 `json:"x1"`
}

// Plus returns the counts of both periods together.
func (c Counts) Plus(d Counts) Counts {
	return Counts{N0: c.N0 + d.N0, X0: c.X0 + d.X0, N1: c.N1 + d.N1, X1: c.X1 + d.X1}
}

// CountsError says why something is no counts.
type CountsError struct{ Why string }

// Error implements error.
func (e CountsError) Error() string { return "not counts: " + e.Why }

// most is how large a count may be. Beyond it, rounding alone could look like
// evidence.
const most = 1e15

// longest is how many seconds a period may have.
const longest = 1e9

// Check returns a [CountsError] unless the counts are finite, not negative, and
// have no more events than requests. Fractions are allowed: CloudWatch
// interpolates some of its counts.
func (c Counts) Check() error {
	for _, v := range []struct {
		name  string
		value float64
	}{{"n0", c.N0}, {"x0", c.X0}, {"n1", c.N1}, {"x1", c.X1}} {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) || v.value < 0 {
			return CountsError{Why: fmt.Sprintf("%s is %v; counts are finite and not negative", v.name, v.value)}
		}
		if v.value > most {
			return CountsError{Why: fmt.Sprintf("%s is %v; more than %v cannot be told apart", v.name, v.value, most)}
		}
	}
	switch {
	case c.X0 > c.N0:
		return CountsError{Why: fmt.Sprintf("the old version has %v events in %v requests", c.X0, c.N0)}
	case c.X1 > c.N1:
		return CountsError{Why: fmt.Sprintf("the new version has %v events in %v requests", c.X1, c.N1)}
	}
	return nil
}

// whole reports whether all four are integers.
func (c Counts) whole() bool {
	return c.N0 == math.Trunc(c.N0) && c.X0 == math.Trunc(c.X0) && c.N1 == math.Trunc(c.N1) && c.X1 == math.Trunc(c.X1)
}

// atoms is how many odds ratios are bet on.
const atoms = 8

// Psi returns the odds ratios that are bet on. Between neighbours little is
// lost: the capital of a bet on a wrong ratio still grows, if more slowly.
func Psi() [atoms]float64 { return [atoms]float64{1.5, 2, 3, 5, 10, 30, 100, 1000} }

const (
	// VetoRho is the odds ratio that the reverse test bets against: "at least
	// this many times worse".
	VetoRho = 2
	// VetoOdds is the reverse e-value from which it counts as refuted.
	VetoOdds = 20
)

// Config is how a test bets.
type Config struct {
	Alpha float64 `json:"alpha"` // probability of a false alarm over the whole test
	Rho   float64 `json:"rho"`   // tolerated odds ratio, 1 or more
	Start float64 `json:"start"` // share of the capital that is bet from the start; the rest waits for a later change
	Tau   float64 `json:"tau"`   // seconds in which the share 1-1/e of what waits is bet
	Phi   float64 `json:"phi"`   // dispersion, 1 or more: how much requests of one client fail together
	Cap   float64 `json:"cap"`   // nats that a group and the one before may add together; 0: no limit
	Boost bool    `json:"boost"` // give back what is lost when the capital overshoots 1/alpha; needs Phi 1 and Cap 0
	// Patient lets money wait longer the longer nothing happens, for watches of
	// many hours. Without it what waits is all but gone after some of Tau, and
	// every further one makes late trouble harder to see.
	Patient bool `json:"patient,omitempty"`
	Guard   int  `json:"guard"` // points by which trouble may reach one version later than the other; 0: none
	Base    Base `json:"base"`  // what the old version did before; tells which odds ratios to bet on
}

// Base is what the old version did before the test. It never counts as
// evidence, so it may be stale or wrong without harm to the guarantee: it only
// moves money between bets.
type Base struct {
	Requests float64 `json:"requests"`
	Events   float64 `json:"events"`
}

// Default is for routing per request: an alias with weights, a load balancer
// without stickiness.
func Default() Config {
	return Config{Alpha: 0.01, Rho: 1.25, Start: 0.6, Tau: 900, Phi: 1, Boost: true}
}

// Sticky is for routing by client or host, where one client's requests fail
// together: bets are tempered by the dispersion phi, and no group, nor two that
// follow each other, may add more than half of what an alarm takes. A client that
// fails for some seconds is in two groups if one ends meanwhile.
func Sticky(alpha, phi float64) Config {
	c := Default()
	c.Alpha, c.Phi, c.Boost = alpha, phi, false
	c.Cap = -math.Log(alpha) / 2
	return c
}

// sticky reports whether requests are not taken to be independent.
func (c Config) sticky() bool { return c.Phi > 1 || c.Cap > 0 }

// Threshold is the natural logarithm of the capital from which a test fails.
// The billionth keeps rounding from hiding a crossing that is exact.
func (c Config) Threshold() float64 { return -math.Log(c.Alpha) - 1e-9 }

// Check says what is wrong with the configuration.
func (c Config) Check() error {
	in := func(v, low, high float64) bool { return v >= low && v <= high } // false for NaN
	var errs []error
	for _, x := range []struct {
		ok  bool
		why string
	}{
		{in(c.Alpha, 1e-12, 0.5), fmt.Sprintf("alpha is %v, not between 1e-12 and 0.5", c.Alpha)},
		{in(c.Rho, 1, 100), fmt.Sprintf("rho is %v, not between 1 and 100", c.Rho)},
		{in(c.Start, 0.01, 0.99), fmt.Sprintf("start is %v, not between 0.01 and 0.99", c.Start)},
		{in(c.Tau, 1, 1e9), fmt.Sprintf("tau is %v, not between 1 s and 1e9 s", c.Tau)},
		{in(c.Phi, 1, 1e6), fmt.Sprintf("phi is %v, not between 1 and 1e6", c.Phi)},
		{in(c.Cap, 0, 1e6), fmt.Sprintf("cap is %v, not between 0 and 1e6 nats", c.Cap)},
		{!c.Boost || c.Phi == 1 && c.Cap == 0, "boost is only valid where routing is per request: without phi and cap"},
		{c.Guard >= 0 && c.Guard <= maxGuard, fmt.Sprintf("guard is %d, not between 0 and %d points", c.Guard, maxGuard)},
		{in(c.Base.Requests, 0, 1e15) && in(c.Base.Events, 0, c.Base.Requests), fmt.Sprintf("base has %v events in %v requests", c.Base.Events, c.Base.Requests)},
	} {
		if !x.ok {
			errs = append(errs, errors.New(x.why))
		}
	}
	return errors.Join(errs...)
}
