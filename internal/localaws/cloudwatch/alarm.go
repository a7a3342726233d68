package cloudwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// initialReason is the reason of a new alarm's state (CloudWatch user guide,
// "Alarm events and EventBridge", sample of a metric math alarm).
const initialReason = "Unchecked: Initial alarm creation"

// alarm is a metric alarm or a composite alarm.
type alarm struct {
	name, arn  string
	metric     *metricAlarm    // nil for a composite alarm
	composite  *compositeAlarm // nil for a metric alarm
	settings   settings
	configured time.Time
	state      state
	tags       map[string]string

	suppression *suppression // of its actions; nil if it may act
}

// settings are what both kinds of alarms have.
type settings struct {
	description  *string
	enabled      bool
	ok           []string
	alarm        []string
	insufficient []string
}

// actions returns the actions of a state.
func (g settings) actions(value cwtypes.StateValue) []string {
	switch value {
	case cwtypes.StateValueOk:
		return g.ok
	case cwtypes.StateValueAlarm:
		return g.alarm
	case cwtypes.StateValueInsufficientData:
		return g.insufficient
	default:
		return nil
	}
}

// state is what an alarm found out, and when.
type state struct {
	value        cwtypes.StateValue
	reason       string
	data         string // JSON, or empty
	updated      time.Time
	transitioned time.Time
}

// kind returns the type of the alarm.
func (a *alarm) kind() cwtypes.AlarmType {
	if a.composite != nil {
		return cwtypes.AlarmTypeCompositeAlarm
	}
	return cwtypes.AlarmTypeMetricAlarm
}

func (s *Service) alarmARN(name string) string {
	return "arn:aws:cloudwatch:" + s.world.Region + ":" + s.world.Account + ":alarm:" + name
}

// alarmName is the name in an ARN of this account and region, or ref itself.
func (s *Service) alarmName(ref string) string {
	return strings.TrimPrefix(ref, s.alarmARN(""))
}

// save creates or replaces an alarm. A new alarm is in INSUFFICIENT_DATA; an
// existing one keeps its state and its tags (API reference, PutMetricAlarm).
func (s *Service) save(c *wire.Call, a *alarm, tags []cwtypes.Tag) {
	now := s.now()
	a.arn, a.configured = s.alarmARN(a.name), now
	old := s.alarms[a.name]
	if old != nil {
		a.state, a.tags = old.state, old.tags
	} else {
		a.state = state{value: cwtypes.StateValueInsufficientData, reason: initialReason, updated: now, transitioned: now}
		a.tags = map[string]string{}
		for _, t := range tags {
			a.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		at, _ := slices.BinarySearch(s.names, a.name)
		s.names = slices.Insert(s.names, at, a.name)
	}
	s.alarms[a.name] = a
	s.recordConfiguration(a, old)
	s.announceConfiguration(c.Context, a, old)
}

func (s *Service) deleteAlarms(c *wire.Call, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	composites := 0
	for _, name := range in.AlarmNames {
		a := s.alarms[name]
		if a == nil {
			return nil, notFound("Alarm %s does not exist.", name)
		}
		if a.composite != nil {
			composites++
		}
		for _, parent := range s.parents(name) {
			if !slices.Contains(in.AlarmNames, parent.name) {
				return nil, validation("Cannot delete %s as there are composite alarm(s) depending on it.", name)
			}
		}
	}
	// API reference, DeleteAlarms: up to 100 alarms, at most one composite.
	switch {
	case len(in.AlarmNames) == 0:
		return nil, required("AlarmNames")
	case len(in.AlarmNames) > 100:
		return nil, validation("The collection AlarmNames must not have a size greater than 100.")
	case composites > 1:
		return nil, validation("Only one composite alarm can be deleted in one operation.")
	}
	for _, name := range in.AlarmNames {
		a := s.alarms[name]
		if a == nil {
			continue // named twice
		}
		delete(s.alarms, name)
		at, _ := slices.BinarySearch(s.names, name)
		s.names = slices.Delete(s.names, at, at+1)
		s.recordDeletion(a)
		s.announceDeletion(c.Context, a)
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// switchActions enables or disables the actions of alarms. Unknown names are
// passed over: the operation has no error for them.
func (s *Service) switchActions(c *wire.Call, names []string, enabled bool) {
	for _, name := range names {
		old := s.alarms[name]
		if old == nil || old.settings.enabled == enabled {
			continue
		}
		changed := *old
		changed.settings.enabled = enabled
		s.save(c, &changed, nil)
	}
}

// checkSettings refuses actions that nobody here would carry out.
func (s *Service) checkSettings(name string, g settings) error {
	if name == "" {
		return required("AlarmName")
	}
	if len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return validation("The value of parameter AlarmName is invalid: 1 to 255 characters without control characters.")
	}
	for _, actions := range [][]string{g.ok, g.alarm, g.insufficient} {
		if len(actions) > 5 { // API reference, PutMetricAlarm: array members, maximum of 5 items
			return validation("An alarm must not have more than 5 actions for a state.")
		}
		for _, arn := range actions {
			if !s.actionable(arn) {
				return unsupported("Alarm action " + arn)
			}
		}
	}
	return nil
}

func (s *Service) setAlarmState(c *wire.Call, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	a := s.alarms[aws.ToString(in.AlarmName)]
	switch {
	case a == nil:
		return nil, notFound("Alarm %s does not exist.", aws.ToString(in.AlarmName))
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return nil, validation("1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", in.StateValue)
	case in.StateReason == nil:
		return nil, required("StateReason")
	}
	if data := aws.ToString(in.StateReasonData); data != "" && !validJSON(data) {
		return nil, &cwtypes.InvalidFormatFault{Message: aws.String("StateReasonData is not valid JSON.")}
	}
	s.transition(c.Context, a, in.StateValue, *in.StateReason, aws.ToString(in.StateReasonData))
	return &cloudwatch.SetAlarmStateOutput{}, nil
}
