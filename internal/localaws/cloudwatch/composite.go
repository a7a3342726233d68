package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxChildren bounds a rule (CloudWatch user guide, "Create a composite alarm").
const maxChildren = 100

// compositeAlarm is an alarm over other alarms.
type compositeAlarm struct {
	text     string
	rule     rule `state:"-"`
	children []string

	suppressor *suppressor // nil if it has none
}

func (s *Service) putCompositeAlarm(c *wire.Call, in *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error) {
	g := settings{
		description: in.AlarmDescription, enabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		ok: in.OKActions, alarm: in.AlarmActions, insufficient: in.InsufficientDataActions,
	}
	name := aws.ToString(in.AlarmName)
	if err := s.checkSettings(name, g); err != nil {
		return nil, err
	}
	old := s.alarms[name]
	switch {
	case old != nil && old.composite == nil:
		return nil, validation("Alarm %s exists and is a metric alarm.", name)
	case in.ActionConfiguration != nil:
		return nil, unsupported("ActionConfiguration")
	}
	text := aws.ToString(in.AlarmRule)
	r, children, err := parseRule(text, s.alarmName)
	if err != nil {
		return nil, err
	}
	if err := s.checkChildren(name, children); err != nil {
		return nil, err
	}
	p, err := s.newSuppressor(in)
	if err != nil {
		return nil, err
	}
	if old != nil {
		s.forget(old)
	}
	s.save(c, &alarm{name: name, composite: &compositeAlarm{text: text, rule: r, children: children, suppressor: p}, settings: g}, in.Tags)
	verb := "created"
	if old != nil {
		verb = "updated"
	}
	s.reconsider(c.Context, name, "", verb)
	return &cloudwatch.PutCompositeAlarmOutput{}, nil
}

func (s *Service) checkChildren(name string, children []string) error {
	if len(children) > maxChildren {
		return validation("The alarm rule refers to more than %d alarms.", maxChildren)
	}
	var unknown []string
	for _, child := range children {
		if s.alarms[child] == nil && child != name {
			unknown = append(unknown, child)
		}
	}
	if len(unknown) > 0 {
		return validation("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", strings.Join(unknown, ", "))
	}
	return nil
}

// parents are the composite alarms whose rule names an alarm, sorted.
func (s *Service) parents(child string) []*alarm {
	var parents []*alarm
	for _, name := range s.names {
		a := s.alarms[name]
		if a.composite != nil && slices.Contains(a.composite.children, child) {
			parents = append(parents, a)
		}
	}
	return parents
}

// reconsider evaluates a composite alarm as soon as nothing else runs: because
// it was created or updated (verb), or because a child changed (trigger).
func (s *Service) reconsider(ctx context.Context, name, trigger, verb string) {
	ctx = context.WithoutCancel(ctx)
	s.world.After(0, func() {
		a := s.alarms[name]
		// "The evaluation of composite alarms stops if CloudWatch detects a
		// cycle in the evaluation path" (API reference, PutCompositeAlarm).
		if a == nil || a.composite == nil || s.reaches(name, name, nil) {
			return
		}
		value := cwtypes.StateValueOk
		if a.composite.rule.holds(s.stateOf) {
			value = cwtypes.StateValueAlarm
		}
		if value == a.state.value {
			return
		}
		from := a.composite.children
		reason := a.arn + " was " + verb + " and its alarm rule evaluates to " + string(value)
		if child := s.alarms[trigger]; child != nil {
			from = []string{trigger}
			reason = child.arn + " transitioned to " + string(child.state.value) + " at " +
				child.state.updated.UTC().Format("Monday 02 January, 2006 15:04:05 MST")
		}
		s.transition(ctx, a, value, reason, compact(triggering{TriggeringAlarms: s.triggers(from)}))
	})
}

func (s *Service) stateOf(name string) cwtypes.StateValue {
	if a := s.alarms[name]; a != nil {
		return a.state.value
	}
	return ""
}

// reaches reports whether the rule of one alarm depends, directly or not, on
// the target.
func (s *Service) reaches(name, target string, path []string) bool {
	a := s.alarms[name]
	if a == nil || a.composite == nil || slices.Contains(path, name) {
		return false
	}
	path = append(slices.Clone(path), name)
	for _, child := range a.composite.children {
		if child == target || s.reaches(child, target, path) {
			return true
		}
	}
	return false
}
