package eventbridge

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/schedule"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// maxRuleName is the longest name of a rule (EventBridge API reference, PutRule).
const maxRuleName = 64

// rule is one rule with its targets.
type rule struct {
	name, arn   string
	bus         *bus
	description *string
	role        *string
	state       ebtypes.RuleState
	source      *string           // of the pattern
	pattern     *pattern.Pattern  `state:"-"`
	expression  *string           // of the schedule
	schedule    schedule.Schedule `state:"-"`
	next        time.Time         // when the schedule comes due
	timer       *world.Timer
	targets     []ebtypes.Target // in the order in which they were put
}

func (s *Service) putRule(c *wire.Call, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	if !isName(name, ".-_", maxRuleName) {
		return nil, invalid("Parameter Name is not valid. Reason: %s is no name of a rule.", name)
	}
	fresh := &rule{
		name: name, bus: b, description: in.Description, role: in.RoleArn, state: in.State,
		source: in.EventPattern, expression: in.ScheduleExpression, arn: s.arn("rule/" + name),
	}
	if b.name != defaultBus {
		fresh.arn = s.arn("rule/" + b.name + "/" + name)
	}
	if err := fresh.compile(); err != nil {
		return nil, err
	}
	if old := b.rules[name]; old != nil {
		s.w.Stop(old.timer)
		fresh.targets = old.targets
	} else {
		s.tag(fresh.arn, in.Tags)
	}
	b.rules[name] = fresh
	s.plan(context.WithoutCancel(c.Context), fresh)
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(fresh.arn)}, nil
}

// compile reads the pattern and the schedule of a rule.
func (r *rule) compile() error {
	if r.state == "" {
		r.state = ebtypes.RuleStateEnabled
	}
	if !slices.Contains(r.state.Values(), r.state) {
		return invalid("Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set", r.state)
	}
	hasPattern, hasSchedule := aws.ToString(r.source) != "", aws.ToString(r.expression) != ""
	if !hasPattern && !hasSchedule {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if hasPattern {
		p, err := pattern.Parse(*r.source)
		if err != nil {
			return &ebtypes.InvalidEventPatternException{Message: aws.String(err.Error())}
		}
		r.pattern = p
	}
	if hasSchedule {
		if r.bus.name != defaultBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		sch, err := schedule.Parse(*r.expression, time.UTC)
		if err != nil {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
		r.schedule = sch
	}
	return nil
}

// enabled reports whether the rule does anything.
func (r *rule) enabled() bool { return r.state != ebtypes.RuleStateDisabled }

func (s *Service) describeRule(_ *wire.Call, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	r, err := s.rule(in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Name: aws.String(r.name), Arn: aws.String(r.arn), EventBusName: aws.String(r.bus.name), Description: r.description,
		EventPattern: r.source, ScheduleExpression: r.expression, RoleArn: r.role, State: r.state, CreatedBy: aws.String(s.w.Account),
	}, nil
}

func (s *Service) listRules(_ *wire.Call, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(prefixed(b.rules, in.NamePrefix), in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListRulesOutput{NextToken: next, Rules: []ebtypes.Rule{}}
	for _, name := range names {
		r := b.rules[name]
		out.Rules = append(out.Rules, ebtypes.Rule{
			Name: aws.String(r.name), Arn: aws.String(r.arn), EventBusName: aws.String(b.name), Description: r.description,
			EventPattern: r.source, ScheduleExpression: r.expression, RoleArn: r.role, State: r.state,
		})
	}
	return out, nil
}

func (s *Service) deleteRule(_ *wire.Call, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	if r := b.rules[aws.ToString(in.Name)]; r != nil { // that there is none is no error
		if len(r.targets) > 0 {
			return nil, invalid("Rule can't be deleted since it has targets.")
		}
		s.w.Stop(r.timer)
		delete(s.tags, r.arn)
		delete(b.rules, r.name)
	}
	return &eventbridge.DeleteRuleOutput{}, nil
}

func (s *Service) enableRule(c *wire.Call, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	r, err := s.rule(in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if !r.enabled() {
		r.state = ebtypes.RuleStateEnabled
		s.plan(context.WithoutCancel(c.Context), r)
	}
	return &eventbridge.EnableRuleOutput{}, nil
}

func (s *Service) disableRule(_ *wire.Call, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	r, err := s.rule(in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	r.state = ebtypes.RuleStateDisabled
	s.w.Stop(r.timer)
	return &eventbridge.DisableRuleOutput{}, nil
}

func (s *Service) listRuleNamesByTarget(
	_ *wire.Call, in *eventbridge.ListRuleNamesByTargetInput,
) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		if slices.ContainsFunc(b.rules[name].targets, func(t ebtypes.Target) bool { return *t.Arn == aws.ToString(in.TargetArn) }) {
			names = append(names, name)
		}
	}
	names, next, err := page(names, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &eventbridge.ListRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, nil
}

func (s *Service) testEventPattern(_ *wire.Call, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	p, err := pattern.Parse(aws.ToString(in.EventPattern))
	if err != nil {
		return nil, &ebtypes.InvalidEventPatternException{Message: aws.String(err.Error())}
	}
	e, err := pattern.Decode([]byte(aws.ToString(in.Event)))
	if err != nil {
		return nil, invalid("Parameter Event is not valid.")
	}
	for _, field := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if _, ok := e[field]; !ok { // EventBridge API reference, TestEventPattern: mandatory fields
			return nil, invalid("Parameter Event is not valid. Reason: %s is a required argument.", field)
		}
	}
	return &eventbridge.TestEventPatternOutput{Result: p.Match(e)}, nil
}
