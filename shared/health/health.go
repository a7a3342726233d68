// Package health tells a bad version from a good one by counts of requests and
// errors. It is pure: the same counts always give the same verdict.
//
// Unknown is not zero: a version without data has no error rate, and is
// neither good nor bad.
package health

import "fmt"

// Counts are the requests that one version answered in a window.
type Counts struct {
	Requests float64 `json:"requests"`
	Errors   float64 `json:"errors"`
	Points   int     `json:"points"` // datapoints seen; 0 means that nothing is known
}

// Rate returns the share of requests that failed. It is not known without
// requests, nor if a count is not a number.
func (c Counts) Rate() (rate float64, known bool) {
	if c.Points == 0 || !(c.Requests > 0) || !(c.Errors >= 0) {
		return 0, false
	}
	return c.Errors / c.Requests, true
}

// Comparison judges by comparing two error rates. It knows no statistics:
// below MinRequests it calls nothing, above it takes the rates at their word.
type Comparison struct {
	MinRequests float64 // of the new version; fewer prove nothing
	Ratio       float64 // the new rate may be this many times the old one …
	Slack       float64 // … plus this share of requests
}

// Judge compares the new version's counts with the old version's, which are
// those of the same time and traffic. Without old counts, the new version is
// held to Slack alone.
func (c Comparison) Judge(fresh, old Counts) Finding {
	f := Finding{New: Tally(fresh), Old: Tally(old)}
	rate, known := fresh.Rate()
	switch {
	case fresh.Points == 0:
		f.Verdict, f.Because = NoData, "no datapoint of the new version"
		return f
	case !known:
		f.Verdict, f.Because = NoTraffic, "the new version answered no request"
		return f
	}
	base, _ := old.Rate()
	limit := base*c.Ratio + c.Slack
	f.Because = fmt.Sprintf("%.2f %% of %.0f requests failed, %.2f %% of %.0f on the old version, limit %.2f %%",
		rate*100, fresh.Requests, base*100, old.Requests, limit*100)
	switch {
	case fresh.Requests < c.MinRequests:
		f.Verdict = Inconclusive
		f.Because += fmt.Sprintf("; %.0f requests are needed", c.MinRequests)
	case rate > limit:
		f.Verdict = Fail
	default:
		f.Verdict = Pass
	}
	return f
}
