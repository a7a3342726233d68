// Package health tells a bad version from a bad day. A [Panel] takes in what the
// old and the new version did, period by period, and says what that amounts to:
// a verdict, the evidence for it, and what could have been seen at all. The
// statistics are those of package evalue.
//
// It is pure: the same periods always give the same finding. Unknown is not
// zero: a version without requests is neither good nor bad.
package health

import (
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/evalue"
)

// Rule is how a new version is judged. See docs/judging.md for what each choice
// costs and gives.
type Rule struct {
	Alpha   float64 `json:"alpha"`             // probability of calling a good version bad, over the whole deployment and all metrics
	Rho     float64 `json:"rho"`               // tolerated odds ratio: how much worse is not called worse
	Sticky  bool    `json:"sticky,omitempty"`  // clients stick to a version
	Phi     float64 `json:"phi"`               // dispersion where they do: 1 is none
	Cap     float64 `json:"cap"`               // nats that a group and the one before may add together where they do; 0: no limit
	Boost   bool    `json:"boost"`             // give back what overshooting loses; only for routing per request
	Guard   int     `json:"guard"`             // points by which a common outage may reach one version later than the other
	Patient bool    `json:"patient,omitempty"` // for watches of many hours: trouble is still seen that comes late
	History bool    `json:"history,omitempty"` // there is no concurrent old version: its past stands for it
	Share   float64 `json:"share"`             // part of the requests that the new version is meant to get; 0: not known
	Clean   float64 `json:"clean"`             // an event rate that is certainly below this passes; 0: none does
}

// Mode says how requests find their version.
type Mode string

// The modes.
const (
	PerRequest Mode = "request"
	PerClient  Mode = "sticky"
)

// Defaults of rules.
const (
	DefaultAlpha = 0.01
	DefaultRho   = 1.25
	DefaultClean = 0.01
	HistoryRho   = 2 // without a concurrent version drift is no evidence up to this
)

// Usual returns the rule for a mode, a probability of false alarm and a
// tolerated odds ratio.
func Usual(m Mode, alpha, rho float64) Rule {
	r := Rule{Alpha: alpha, Rho: rho, Phi: 1, Boost: true, Clean: DefaultClean}
	if m == PerClient {
		c := evalue.Sticky(alpha, 1)
		r.Sticky, r.Boost, r.Cap = true, false, c.Cap
	}
	return r
}

// Check says what is wrong with the rule.
func (r Rule) Check() error {
	var errs []error
	if !(r.Share >= 0 && r.Share < 1) {
		errs = append(errs, fmt.Errorf("share is %v, not from 0 to less than 1", r.Share))
	}
	if !(r.Clean >= 0 && r.Clean < 1) {
		errs = append(errs, fmt.Errorf("clean is %v, not from 0 to less than 1", r.Clean))
	}
	return errors.Join(append(errs, r.config(1, evalue.Base{}).Check())...)
}

// config is how one metric with a part of the budget is tested.
func (r Rule) config(weight float64, base evalue.Base) evalue.Config {
	c := evalue.Default()
	c.Alpha, c.Rho, c.Phi, c.Cap, c.Boost, c.Guard, c.Patient, c.Base = r.Alpha*weight, r.Rho, r.Phi, r.Cap, r.Boost, r.Guard, r.Patient, base
	if r.History {
		c.Base = evalue.Base{} // it is the old version's part already
	}
	return c
}

// Metric is something that is counted of both versions.
type Metric string

// The metrics: requests that failed, and requests slower than the old version's
// percentiles. Stored, must not change.
const (
	Errors Metric = "errors"
	P50    Metric = "p50"
	P90    Metric = "p90"
	P99    Metric = "p99"
)

// Weights divides the budget of false alarms between metrics (union bound): so
// each alarm names its metric.
type Weights map[Metric]float64

// ErrorsAlone gives the whole budget to errors.
func ErrorsAlone() Weights { return Weights{Errors: 1} }

// WithLatency gives a part of the budget to each percentile.
func WithLatency() Weights { return Weights{Errors: 0.6, P50: 0.1, P90: 0.15, P99: 0.15} }

func (w Weights) check() error {
	sum := 0.0
	for m, v := range w {
		if !(v > 0) {
			return fmt.Errorf("weight of %s is %v, not above 0", m, v)
		}
		sum += v
	}
	if !(sum > 0 && sum <= 1+1e-9) {
		return fmt.Errorf("the weights add up to %v, not to 1", sum)
	}
	return nil
}
