// Package vitals writes what tells whether pullback itself is well, in CloudWatch's
// embedded metric format: a line in a function's log is a metric, without a call and
// without a permission. The stack's alarms and its dashboard read them.
//
// It knows no clock and decides nothing. A line that cannot be written is lost:
// nothing on the way to a rollback waits for a metric.
package vitals

import (
	"encoding/json"
	"io"
	"time"
)

// Namespace is that of all metrics. They have no dimensions: there is one control plane
// in an account and region.
const Namespace = "Pullback"

// The metrics.
const (
	Sweeps          = "Sweeps"          // sweeps that ended well; one a minute
	DecisionLatency = "DecisionLatency" // from a signal to the decision to roll back, in seconds
	Halted          = "Halted"          // targets that pullback holds and does not take back itself: a human is needed
)

// Vitals writes to a function's log.
type Vitals struct{ out io.Writer }

// New returns what writes to out, each line with one call.
func New(out io.Writer) Vitals { return Vitals{out} }

// Swept says that a sweep ended well.
func (v Vitals) Swept(at time.Time) { v.write(at, Sweeps, "Count", 1) }

// Decided says how long after its signal a rollback was decided. The functions' clock
// has the resolution of a second.
func (v Vitals) Decided(at time.Time, after time.Duration) {
	v.write(at, DecisionLatency, "Seconds", max(after, 0).Seconds())
}

// Halted says that a human is needed.
func (v Vitals) Halted(at time.Time) { v.write(at, Halted, "Count", 1) }

// write writes one document. Source: CloudWatch user guide, "Specification: Embedded
// metric format".
func (v Vitals) write(at time.Time, name, unit string, value float64) {
	type metric struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	line, _ := json.Marshal(map[string]any{ // of numbers and texts, which cannot fail
		"_aws": map[string]any{
			"Timestamp":         at.UnixMilli(),
			"CloudWatchMetrics": []directive{{Namespace, [][]string{{}}, []metric{{name, unit}}}},
		},
		name: value,
	})
	_, _ = v.out.Write(append(line, '\n')) // what cannot be written cannot be said anywhere else
}
