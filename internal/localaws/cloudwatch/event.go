package cloudwatch

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The shapes of alarm events (CloudWatch user guide, "Alarm events and
// EventBridge", samples).
type (
	stateChange struct {
		AlarmName     string             `json:"alarmName"`
		State         eventState         `json:"state"`
		PreviousState eventState         `json:"previousState"`
		Configuration stateConfiguration `json:"configuration"`
	}
	eventState struct {
		SuppressedBy     cwtypes.ActionsSuppressedBy `json:"actionsSuppressedBy,omitempty"`
		SuppressedReason string                      `json:"actionsSuppressedReason,omitempty"`

		Value      cwtypes.StateValue `json:"value"`
		Reason     string             `json:"reason,omitempty"`
		ReasonData string             `json:"reasonData,omitempty"`
		Timestamp  string             `json:"timestamp"`
	}
	stateConfiguration struct {
		Description *string       `json:"description,omitempty"`
		Metrics     []eventMetric `json:"metrics,omitempty"`
		AlarmRule   string        `json:"alarmRule,omitempty"`
		eventSuppressor
	}
	eventSuppressor struct {
		Suppressor string `json:"actionsSuppressor,omitempty"`
		Wait       *int32 `json:"actionsSuppressorWaitPeriod,omitempty"`
		Extension  *int32 `json:"actionsSuppressorExtensionPeriod,omitempty"`
	}
	eventMetric struct {
		ID         string           `json:"id"`
		Expression *string          `json:"expression,omitempty"`
		Label      *string          `json:"label,omitempty"`
		MetricStat *eventMetricStat `json:"metricStat,omitempty"`
		ReturnData bool             `json:"returnData"`
	}
	eventMetricStat struct {
		Metric eventMetricName      `json:"metric"`
		Period int                  `json:"period"`
		Stat   string               `json:"stat"`
		Unit   cwtypes.StandardUnit `json:"unit,omitempty"`
	}
	eventMetricName struct {
		Namespace  string            `json:"namespace"`
		Name       string            `json:"name"`
		Dimensions map[string]string `json:"dimensions"`
	}
	configurationChange struct {
		AlarmName             string              `json:"alarmName"`
		Operation             string              `json:"operation"`
		State                 eventState          `json:"state"`
		Configuration         alarmConfiguration  `json:"configuration"`
		PreviousConfiguration *alarmConfiguration `json:"previousConfiguration,omitempty"`
	}
	alarmConfiguration struct {
		EvaluationPeriods  int                        `json:"evaluationPeriods,omitempty"`
		DatapointsToAlarm  *int32                     `json:"datapointsToAlarm,omitempty"`
		Threshold          *float64                   `json:"threshold,omitempty"`
		ComparisonOperator cwtypes.ComparisonOperator `json:"comparisonOperator,omitempty"`
		TreatMissingData   *string                    `json:"treatMissingData,omitempty"`
		Metrics            []eventMetric              `json:"metrics,omitempty"`
		AlarmRule          string                     `json:"alarmRule,omitempty"`
		eventSuppressor
		AlarmName               string   `json:"alarmName"`
		Description             *string  `json:"description,omitempty"`
		ActionsEnabled          bool     `json:"actionsEnabled"`
		Timestamp               string   `json:"timestamp"`
		OKActions               []string `json:"okActions"`
		AlarmActions            []string `json:"alarmActions"`
		InsufficientDataActions []string `json:"insufficientDataActions"`
	}
)

// brief is a state without its reason.
func (st state) brief() eventState {
	return eventState{Value: st.value, Timestamp: st.updated.Format(stamp)}
}

func (st state) full() eventState {
	e := st.brief()
	e.Reason, e.ReasonData = st.reason, st.data
	return e
}

func (s *Service) announceState(ctx context.Context, a *alarm, old state) {
	s.announce(ctx, a, "CloudWatch Alarm State Change", a.change(old))
}

// change describes the transition of an alarm to the state that it is in.
func (a *alarm) change(old state) stateChange {
	change := stateChange{
		AlarmName: a.name, State: a.state.full(), PreviousState: old.full(),
		Configuration: stateConfiguration{Description: a.settings.description, Metrics: a.eventMetrics()},
	}
	if a.suppression != nil {
		change.State.SuppressedBy, change.State.SuppressedReason = a.suppression.by, a.suppression.reason()
	}
	if a.composite != nil {
		change.Configuration.AlarmRule = a.composite.text
		change.Configuration.eventSuppressor = a.composite.suppressor.event()
	}
	return change
}

// event describes a suppressor; none is empty.
func (p *suppressor) event() eventSuppressor {
	if p == nil {
		return eventSuppressor{}
	}
	return eventSuppressor{Suppressor: p.given, Wait: p.wait, Extension: p.extension}
}

func (s *Service) announceConfiguration(ctx context.Context, a, old *alarm) {
	change := configurationChange{AlarmName: a.name, Operation: "create", State: a.state.brief(), Configuration: a.configuration()}
	if old != nil {
		previous := old.configuration()
		change.Operation, change.PreviousConfiguration = "update", &previous
	}
	s.announce(ctx, a, "CloudWatch Alarm Configuration Change", change)
}

func (s *Service) announceDeletion(ctx context.Context, a *alarm) {
	s.announce(ctx, a, "CloudWatch Alarm Configuration Change", configurationChange{
		AlarmName: a.name, Operation: "delete", State: a.state.brief(), Configuration: a.configuration(),
	})
}

// announce puts an event on the default bus.
func (s *Service) announce(ctx context.Context, a *alarm, kind string, detail any) {
	_, err := wire.Do[eventbridge.PutEventsOutput](ctx, s.caller, wire.Principal{Service: principal}, "events", "PutEvents", &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("aws.cloudwatch"), DetailType: &kind, Detail: aws.String(compact(detail)),
			Resources: []string{a.arn}, Time: aws.Time(s.now()),
		}},
	})
	if err != nil {
		s.lost = append(s.lost, fmt.Errorf("alarm %s: put event %q: %w", a.name, kind, err))
	}
}

// eventMetrics describes what a metric alarm watches.
func (a *alarm) eventMetrics() []eventMetric {
	if a.metric == nil {
		return nil
	}
	m := a.metric
	queries, _ := alarmQueries(m.in) // checked when the alarm was made
	all := make([]eventMetric, 0, len(queries))
	for i := range queries {
		q := &queries[i]
		e := eventMetric{ID: aws.ToString(q.Id), Expression: q.Expression, Label: q.Label, ReturnData: m.plan[i].returns}
		if m.single() {
			e.ID = m.id
		}
		if q.MetricStat != nil {
			e.MetricStat = &eventMetricStat{
				Metric: eventMetricName{
					Namespace: *q.MetricStat.Metric.Namespace, Name: *q.MetricStat.Metric.MetricName,
					Dimensions: map[string]string{},
				},
				Period: int(m.plan[i].period / time.Second), Stat: m.plan[i].stat.name, Unit: q.MetricStat.Unit,
			}
			for _, d := range q.MetricStat.Metric.Dimensions {
				e.MetricStat.Metric.Dimensions[*d.Name] = *d.Value
			}
		}
		all = append(all, e)
	}
	return all
}

func (a *alarm) configuration() alarmConfiguration {
	c := alarmConfiguration{
		AlarmName: a.name, Description: a.settings.description, ActionsEnabled: a.settings.enabled,
		Timestamp: a.configured.Format(stamp), Metrics: a.eventMetrics(),
		OKActions: list(a.settings.ok), AlarmActions: list(a.settings.alarm), InsufficientDataActions: list(a.settings.insufficient),
	}
	if a.composite != nil {
		c.AlarmRule = a.composite.text
		c.eventSuppressor = a.composite.suppressor.event()
		return c
	}
	in := a.metric.in
	c.EvaluationPeriods, c.DatapointsToAlarm, c.Threshold = a.metric.periods, in.DatapointsToAlarm, in.Threshold
	c.ComparisonOperator, c.TreatMissingData = in.ComparisonOperator, in.TreatMissingData
	return c
}

// list is never null in JSON.
func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}
