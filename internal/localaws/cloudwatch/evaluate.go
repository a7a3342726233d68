package cloudwatch

import (
	"math"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// extraPoints is by how much the evaluation range exceeds EvaluationPeriods.
// AWS does not say how it chooses; its tables have 5 points for 3 periods
// (CloudWatch user guide, "Configuring how CloudWatch alarms treat missing
// data").
const extraPoints = 2

// point is one period as an alarm sees it. The value is NaN if it is missing.
type point struct {
	at    time.Time
	value float64
	count float64 // samples; 0 if not known
}

func (p point) missing() bool { return math.IsNaN(p.value) }

// verdict is the outcome of one evaluation.
type verdict struct {
	state    cwtypes.StateValue // empty: the alarm keeps its state
	points   []point            // the evaluation range, newest first
	used     []point            // the existing ones that counted, newest first
	decisive []point            // those of them that speak for the state
	filled   int                // missing ones that were filled in
}

// decide evaluates the points of the evaluation range, newest first.
//
// If there are enough existing points, the most recent of them decide and the
// treatment of missing data does not matter. Otherwise all existing points
// count and the rest is filled in. Without a filling, an alarm whose existing
// points are all breaching alarms only if the oldest is at least as old as
// DatapointsToAlarm, which is what the user guide calls avoiding premature
// transitions (CloudWatch user guide, "How alarm state is evaluated when data
// is missing").
func (m *metricAlarm) decide(points []point) verdict {
	v := verdict{points: points}
	oldest := 0
	for i, p := range points {
		if !p.missing() && len(v.used) < m.periods {
			v.used = append(v.used, p)
			oldest = i + 1
		}
	}
	v.filled = m.periods - len(v.used)
	v.state = m.judge(v.used, v.filled, oldest)
	for _, p := range v.used {
		if m.breaches(p.value) == (v.state == cwtypes.StateValueAlarm) {
			v.decisive = append(v.decisive, p)
		}
	}
	return v
}

func (m *metricAlarm) judge(used []point, filled, oldest int) cwtypes.StateValue {
	bad := 0
	for _, p := range used {
		if m.breaches(p.value) {
			bad++
		}
	}
	switch {
	case bad >= m.toAlarm:
		return cwtypes.StateValueAlarm
	case filled == 0, m.treat == treatNotBreaching:
		return cwtypes.StateValueOk
	case m.treat == treatBreaching && bad+filled >= m.toAlarm:
		return cwtypes.StateValueAlarm
	case m.treat == treatBreaching, bad < len(used):
		return cwtypes.StateValueOk
	case m.treat == treatMissing:
		return m.judgeMissing(bad, oldest)
	default:
		return "" // ignored
	}
}

// judgeMissing decides when too few points exist, all of them are breaching
// and nothing is filled in.
func (m *metricAlarm) judgeMissing(bad, oldest int) cwtypes.StateValue {
	switch {
	case bad == 0:
		return cwtypes.StateValueInsufficientData
	case oldest >= m.toAlarm:
		return cwtypes.StateValueAlarm
	default:
		return "" // too early to tell
	}
}

// breaches compares a value with the threshold.
func (m *metricAlarm) breaches(v float64) bool {
	switch m.compare {
	case cwtypes.ComparisonOperatorGreaterThanThreshold:
		return v > m.threshold
	case cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return v >= m.threshold
	case cwtypes.ComparisonOperatorLessThanThreshold:
		return v < m.threshold
	case cwtypes.ComparisonOperatorLessThanOrEqualToThreshold:
		return v <= m.threshold
	default: // the operators of anomaly detection are refused
		return false
	}
}
