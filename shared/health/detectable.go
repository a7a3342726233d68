package health

import (
	"fmt"
	"math"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
)

// Traffic is what a deployment is going to be judged by.
type Traffic struct {
	Rate  float64 // requests a second to both versions
	Share float64 // part of them that goes to the new version
	Base  float64 // share of the old version's requests that fail
}

// Delay is about how long it takes until a new version is called bad that fails
// ratio times as often as the old one; 0 if it never is, because that is
// tolerated or because there is no traffic.
func (r Rule) Delay(t Traffic, ratio float64) time.Duration {
	growth := evalue.Growth(t.Base, min(1, t.Base*ratio), t.Share, r.Rho) / r.Phi
	seconds := (evalue.PriorCost - math.Log(r.Alpha)) / (t.Rate * growth)
	if !(seconds < math.MaxInt64/1e9) { // NaN and infinity as well
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// Smallest is about the smallest ratio of error rates that is called bad
// within d; 0 if even a total failure is not.
func (r Rule) Smallest(t Traffic, d time.Duration) float64 {
	seen := func(ratio float64) bool {
		delay := r.Delay(t, ratio)
		return delay > 0 && delay <= d
	}
	low, high := 1.0, 1/t.Base
	if !(t.Base > 0) || !seen(high) {
		return 0
	}
	for range 60 {
		if middle := math.Sqrt(low * high); seen(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// leastBase stands for the error rate of a version that has shown no errors.
const leastBase = 1e-4

// Sees says in words what is going to be seen, and when: the minimum detectable
// effect.
func (r Rule) Sees(t Traffic, within time.Duration) string {
	base := "a"
	if !(t.Base > 0) {
		t.Base, base = leastBase, "at most a"
	}
	head := fmt.Sprintf("at %s and %.3g %%", rate(t.Rate), 100*t.Share)
	if !(t.Rate > 0) || !(t.Share > 0) {
		return "without traffic nothing is seen"
	}
	text := fmt.Sprintf("%s you would see a doubling of %s %.3g %% error rate after %s", head, base, 100*t.Base, duration(r.Delay(t, 2)))
	if smallest := r.Smallest(t, within); smallest > 0 {
		return fmt.Sprintf("%s; within %s a rate of %.3g %%", text, duration(within), 100*min(1, t.Base*smallest))
	}
	return fmt.Sprintf("%s; within %s not even a total failure", text, duration(within))
}

// sees is the same for what was seen so far.
func (p *Panel) sees(t *tested, c evalue.Counts) string {
	seconds := t.last.Sub(t.first).Seconds()
	if p.rule.History || t.name != Errors || !(seconds > 0) || c.N0 == 0 || c.N1 == 0 {
		return ""
	}
	traffic := Traffic{Rate: (c.N0 + c.N1) / seconds, Share: c.N1 / (c.N0 + c.N1), Base: c.X0 / c.N0}
	return p.rule.Sees(traffic, t.last.Sub(t.first))
}

func rate(v float64) string {
	if s := number(v); s != "1" {
		return s + " requests/s"
	}
	return "1 request/s"
}

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// duration rounds to what a person wants to know.
func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "never"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 72*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	default:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
}
