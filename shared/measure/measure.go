// Package measure describes which CloudWatch metrics count what one version
// did: its requests, those that failed, and how long they took. It is pure: it
// names metrics and reads none.
//
// It refuses what cannot tell two versions apart. A metric in which both are
// mixed says nothing about either.
package measure

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Dimension is one name and value of a metric.
type Dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Metric is a CloudWatch metric and the statistic of it that counts. Two sets
// of dimensions are two metrics (CloudWatch user guide, "Metrics concepts").
type Metric struct {
	Namespace  string      `json:"namespace"`
	Name       string      `json:"name"`
	Dimensions []Dimension `json:"dimensions"`
	Stat       string      `json:"stat"`
}

// String returns the metric as a reader of an error finds it in the console.
func (m Metric) String() string {
	values := make([]string, len(m.Dimensions))
	for i, d := range m.Dimensions {
		values[i] = d.Name + "=" + d.Value
	}
	return m.Namespace + " " + m.Name + "{" + strings.Join(values, ",") + "}"
}

// The statistics that count (CloudWatch user guide, "CloudWatch statistics
// definitions").
const (
	Sum         = "Sum"
	SampleCount = "SampleCount"
)

// With returns the metric with another statistic.
func (m Metric) With(stat string) Metric {
	m.Stat = stat
	return m
}

// Slower returns the metric that counts values above a threshold: the trimmed
// count TC(threshold:), whose lower bound is exclusive. Its bounds have up to
// ten decimal places, and CloudWatch interpolates, so the count may be
// fractional (CloudWatch user guide, "CloudWatch statistics definitions"): see
// [Events].
func (m Metric) Slower(threshold float64) Metric {
	const decimals = 10
	text := strconv.FormatFloat(threshold, 'f', decimals, 64)
	return m.With("TC(" + strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + ":)")
}

// Events makes a count of events out of what CloudWatch says: the nearest whole
// number, and never more than the requests. A trimmed count is fractional, and
// a request and its failure may be filed in different periods.
func Events(counted, requests float64) float64 {
	return min(math.Round(counted), requests)
}

// Arm is how one version is counted.
type Arm struct {
	Requests Metric   `json:"requests"`
	Errors   []Metric `json:"errors"`           // their sum are the requests that failed; absent is 0 where there are requests
	Latency  Metric   `json:"latency,omitzero"` // of each request; no name: it is not known
}

// ErrUncounted says that no metric counts the versions of a target apart.
var ErrUncounted = errors.New("no metric counts the versions apart")

// Arms are how both versions are counted. One that is not known is empty.
type Arms struct {
	Old Arm `json:"old,omitzero"`
	New Arm `json:"new,omitzero"`
}

// Counted reports whether there is anything to count.
func (a Arm) Counted() bool { return a.Requests.Name != "" }

// Timed reports whether it is known how long requests took.
func (a Arm) Timed() bool { return a.Latency.Name != "" }

// Metrics returns the metrics that count, the requests first.
func (a Arm) Metrics() []Metric {
	all := append([]Metric{a.Requests}, a.Errors...)
	if a.Timed() {
		all = append(all, a.Latency)
	}
	return all
}
