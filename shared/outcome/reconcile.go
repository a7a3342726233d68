package outcome

import (
	"fmt"
	"math"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Settled is what CloudWatch's metrics say of one version in a span of time, of
// which no datapoint is missing or will still change.
type Settled struct {
	Version  deploy.Revision
	From, To time.Time
	Requests float64
	Errors   float64
}

// Tolerance is how far the log's counts may be from the metrics' without being
// wrong. A metric belongs to the minute in which a request began, a log line to
// the moment in which it ended, so some requests are counted in other minutes.
type Tolerance struct {
	Share float64 // of the metric's count
	Slack float64 // requests
}

// DefaultTolerance is a tenth and three requests.
func DefaultTolerance() Tolerance { return Tolerance{Share: 0.1, Slack: 3} }

// Agreement is what comparing the log's counts with the metrics' gave.
type Agreement struct {
	Compared bool   // there was enough to compare
	Trusted  bool   // nothing speaks against the log's counts
	Because  string // if not trusted
}

// unseen is how many errors the log must lack entirely to be blind.
const unseen = 2

// Reconcile holds the counts from the log against settled metrics of the same
// time. Counts that cannot be trusted must not be judged by: a runtime that does
// not write its errors down looks perfectly well.
func Reconcile(counts []Count, settled []Settled, t Tolerance) Agreement {
	result := Agreement{Trusted: true}
	for _, s := range settled {
		if s.Requests <= t.Slack {
			continue // proves nothing
		}
		result.Compared = true
		requests, failed := total(counts, s)
		if because := t.compare(s, requests, failed); because != "" {
			return Agreement{Compared: true, Because: because}
		}
	}
	return result
}

// total counts a version's requests in a span of time.
func total(counts []Count, s Settled) (requests, failed float64) {
	for _, c := range counts {
		if c.Version == s.Version && !c.Slot.Before(s.From) && c.Slot.Before(s.To) {
			requests += float64(c.Requests)
			failed += float64(c.Errors)
		}
	}
	return requests, failed
}

// compare says what is wrong with the log's counts, if anything is.
func (t Tolerance) compare(s Settled, requests, failed float64) string {
	switch {
	case s.Requests-requests > t.allowed(s.Requests):
		return fmt.Sprintf("the log shows %.0f of %.0f requests to version %s", requests, s.Requests, s.Version)
	case requests-s.Requests > t.allowed(s.Requests):
		return fmt.Sprintf("the log shows %.0f requests to version %s, %.0f of which came through the alias", requests, s.Version, s.Requests)
	case failed == 0 && s.Errors >= unseen:
		return fmt.Sprintf("the log shows none of %.0f errors of version %s", s.Errors, s.Version)
	case math.Abs(s.Errors-failed) > t.allowed(s.Errors):
		return fmt.Sprintf("the log shows %.0f errors of version %s, the metrics show %.0f", failed, s.Version, s.Errors)
	}
	return ""
}

func (t Tolerance) allowed(n float64) float64 { return max(t.Slack, t.Share*n) }
