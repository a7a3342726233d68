package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// shownPoints is how many data points a reason spells out.
const shownPoints = 5

// relation words a comparison as reasons do; it is empty for the operators of
// anomaly detection.
func relation(op cwtypes.ComparisonOperator) string {
	switch op {
	case cwtypes.ComparisonOperatorGreaterThanThreshold:
		return "greater than"
	case cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return "greater than or equal to"
	case cwtypes.ComparisonOperatorLessThanThreshold:
		return "less than"
	case cwtypes.ComparisonOperatorLessThanOrEqualToThreshold:
		return "less than or equal to"
	default:
		return ""
	}
}

// reason words a verdict as AWS does. There are two forms: with
// DatapointsToAlarm "M out of the last N datapoints … (minimum …)", without it
// just "N datapoints …" (CloudWatch user guide, "Alarm events and
// EventBridge", samples).
func (m *metricAlarm) reason(v verdict) string {
	if len(v.used) == 0 {
		return m.reasonWithoutData(v)
	}
	n, explicit := len(v.decisive), m.in.DatapointsToAlarm != nil
	var b strings.Builder
	b.WriteString("Threshold Crossed: ")
	switch {
	case n == 0:
		b.WriteString("no datapoints")
	case explicit:
		fmt.Fprintf(&b, "%d out of the last %d datapoints", n, m.periods)
	default:
		b.WriteString(count(n, "datapoint"))
	}
	if n > 0 && n <= shownPoints {
		b.WriteString(" [" + spell(v.decisive) + "]")
	}
	b.WriteString(was(n))
	if v.state == cwtypes.StateValueOk {
		b.WriteString("not ")
	}
	fmt.Fprintf(&b, "%s the threshold (%s)", relation(m.compare), decimal(m.threshold))
	b.WriteString(m.filling(v.filled))
	if n > shownPoints {
		b.WriteString(". The most recent datapoints which crossed the threshold: [" + spell(v.decisive[:shownPoints]) + "]")
	}
	if explicit {
		least, transition := m.needed(v.state)
		fmt.Fprintf(&b, " (minimum %s for %s transition)", count(least, "datapoint"), transition)
	}
	return b.String() + "."
}

func (m *metricAlarm) reasonWithoutData(v verdict) string {
	if v.state == cwtypes.StateValueInsufficientData {
		return "Insufficient Data: " + count(m.periods, "datapoint") + was(m.periods) + "unknown."
	}
	return "Threshold Crossed: no datapoints were received for " + count(m.periods, "period") + m.filling(v.filled) + "."
}

// filling says how missing data were treated, if that was asked for.
func (m *metricAlarm) filling(n int) string {
	as := ""
	switch m.treat {
	case treatBreaching:
		as = "Breaching"
	case treatNotBreaching:
		as = "NonBreaching"
	}
	if n == 0 || as == "" {
		return ""
	}
	return " and " + count(n, "missing datapoint") + was(n) + "treated as [" + as + "]"
}

// needed is how many data points it takes for a state.
func (m *metricAlarm) needed(value cwtypes.StateValue) (points int, transition string) {
	if value == cwtypes.StateValueAlarm {
		return m.toAlarm, "OK -> ALARM"
	}
	return m.periods - m.toAlarm + 1, "ALARM -> OK"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func was(n int) string {
	if n == 1 {
		return " was "
	}
	return " were "
}

// spell lists data points with their time, day first.
func spell(points []point) string {
	words := make([]string, len(points))
	for i, p := range points {
		words[i] = decimal(p.value) + p.at.UTC().Format(" (02/01/06 15:04:05)")
	}
	return strings.Join(words, ", ")
}

// reasonData is the machine-readable reason of a metric alarm.
type reasonData struct {
	Version             string           `json:"version"`
	QueryDate           string           `json:"queryDate"`
	StartDate           string           `json:"startDate,omitempty"`
	Statistic           string           `json:"statistic,omitempty"`
	Period              int              `json:"period"`
	RecentDatapoints    []double         `json:"recentDatapoints"`
	Threshold           double           `json:"threshold"`
	EvaluatedDatapoints []evaluatedPoint `json:"evaluatedDatapoints"`
}

type evaluatedPoint struct {
	Timestamp   string  `json:"timestamp"`
	SampleCount *double `json:"sampleCount,omitempty"`
	Value       *double `json:"value,omitempty"`
}

// data is the reason data of a verdict: the existing points oldest first, and
// the points that were needed for the decision newest first.
func (m *metricAlarm) data(v verdict, now time.Time) string {
	d := reasonData{
		Version: "1.0", QueryDate: now.Format(stamp), Period: int(m.period / time.Second),
		RecentDatapoints: []double{}, Threshold: double(m.threshold), EvaluatedDatapoints: []evaluatedPoint{},
	}
	if m.single() {
		d.Statistic = m.watched.stat.name
	}
	for _, p := range slices.Backward(v.used) {
		d.RecentDatapoints = append(d.RecentDatapoints, double(p.value))
	}
	if n := len(v.used); n > 0 {
		d.StartDate = v.used[n-1].at.Format(stamp)
	}
	least, _ := m.needed(v.state)
	shown := v.decisive[:min(least, len(v.decisive))]
	if len(v.used) == 0 {
		shown = v.points[:m.periods]
	}
	for _, p := range shown {
		e := evaluatedPoint{Timestamp: p.at.Format(stamp)}
		if !p.missing() {
			value, samples := double(p.value), double(p.count)
			e.Value = &value
			if p.count > 0 {
				e.SampleCount = &samples
			}
		}
		d.EvaluatedDatapoints = append(d.EvaluatedDatapoints, e)
	}
	return compact(d)
}

// triggering is the reason data of a composite alarm.
type triggering struct {
	TriggeringAlarms []triggeringAlarm `json:"triggeringAlarms"`
}

type triggeringAlarm struct {
	ARN   string     `json:"arn"`
	State eventState `json:"state"`
}

func (s *Service) triggers(names []string) []triggeringAlarm {
	all := []triggeringAlarm{}
	for _, name := range names {
		if a := s.alarms[name]; a != nil {
			all = append(all, triggeringAlarm{ARN: a.arn, State: a.state.brief()})
		}
	}
	return all
}
