package elbv2

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const maxPriority = 50000 // API reference, RulePriority

// rule is one rule of a listener.
type rule struct{ info elbtypes.Rule }

func (r *rule) arn() string  { return aws.ToString(r.info.RuleArn) }
func (r *rule) isLast() bool { return aws.ToBool(r.info.IsDefault) }
func (r *rule) priority() int {
	n, err := strconv.Atoi(aws.ToString(r.info.Priority))
	if err != nil {
		return maxPriority + 1 // the default rule comes last
	}
	return n
}

// rule finds a rule by its ARN.
func (s *Service) rule(arn *string) (*listener, *rule, error) {
	for _, b := range s.balancers {
		for _, l := range b.listeners {
			for _, r := range l.rules {
				if r.arn() == aws.ToString(arn) {
					return l, r, nil
				}
			}
		}
	}
	return nil, nil, noRule(aws.ToString(arn))
}

func checkPriority(p *int32) error {
	if p == nil || *p < 1 || *p > maxPriority {
		return invalid("Priority must be between 1 and %d", maxPriority)
	}
	return nil
}

func priorityInUse(p int32) error {
	return &elbtypes.PriorityInUseException{Message: aws.String("Priority '" + strconv.Itoa(int(p)) + "' is currently in use")}
}

func (s *Service) createRule(_ *wire.Call, in *elb.CreateRuleInput) (*elb.CreateRuleOutput, error) {
	if err := wire.Only(in, "ListenerArn", "Actions", "Conditions", "Priority", "Tags"); err != nil {
		return nil, err
	}
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if !l.balancer.alb() {
		return nil, &elbtypes.UnsupportedProtocolException{Message: aws.String("Rules are not supported for listeners of protocol '" + string(l.info.Protocol) + "'")}
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkPriority(in.Priority); err != nil {
		return nil, err
	}
	count := 0
	for _, other := range l.balancer.listeners {
		count += len(other.rules) - 1
	}
	if count >= maxRules {
		return nil, &elbtypes.TooManyRulesException{Message: aws.String("The maximum number of rules on load balancer '" + l.balancer.arn() + "' has been reached")}
	}
	if slices.ContainsFunc(l.rules, func(r *rule) bool { return r.priority() == int(*in.Priority) }) {
		return nil, priorityInUse(*in.Priority)
	}
	conditions, err := checkConditions(in.Conditions)
	if err != nil {
		return nil, err
	}
	actions, err := s.actions(l, in.Actions)
	if err != nil {
		return nil, err
	}
	_, path, _ := strings.Cut(l.arn(), ":listener/")
	r := &rule{info: elbtypes.Rule{
		RuleArn: aws.String(s.arn("listener-rule/" + path + "/" + s.newID())), Priority: aws.String(strconv.Itoa(int(*in.Priority))),
		IsDefault: aws.Bool(false), Actions: actions, Conditions: conditions,
	}}
	l.rules = append(l.rules, r)
	l.sort()
	s.tags[r.arn()] = tags
	s.connect()
	return &elb.CreateRuleOutput{Rules: []elbtypes.Rule{r.info}}, nil
}

func (l *listener) sort() {
	slices.SortStableFunc(l.rules, func(a, b *rule) int { return cmp.Compare(a.priority(), b.priority()) })
}

func (s *Service) modifyRule(_ *wire.Call, in *elb.ModifyRuleInput) (*elb.ModifyRuleOutput, error) {
	if err := wire.Only(in, "RuleArn", "Actions", "Conditions"); err != nil {
		return nil, err
	}
	l, r, err := s.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	if r.isLast() {
		return nil, &elbtypes.OperationNotPermittedException{Message: aws.String("Default rule '" + r.arn() + "' cannot be modified")}
	}
	info := r.info
	if in.Conditions != nil {
		if info.Conditions, err = checkConditions(in.Conditions); err != nil {
			return nil, err
		}
	}
	if in.Actions != nil {
		if info.Actions, err = s.actions(l, in.Actions); err != nil {
			return nil, err
		}
	}
	r.info = info
	s.connect()
	return &elb.ModifyRuleOutput{Rules: []elbtypes.Rule{r.info}}, nil
}

func (s *Service) deleteRule(_ *wire.Call, in *elb.DeleteRuleInput) (*elb.DeleteRuleOutput, error) {
	l, r, err := s.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	if r.isLast() {
		return nil, &elbtypes.OperationNotPermittedException{Message: aws.String("Default rule '" + r.arn() + "' cannot be deleted")}
	}
	l.rules = slices.DeleteFunc(l.rules, func(x *rule) bool { return x == r })
	delete(s.tags, r.arn())
	s.connect()
	return &elb.DeleteRuleOutput{}, nil
}

func (s *Service) describeRules(_ *wire.Call, in *elb.DescribeRulesInput) (*elb.DescribeRulesOutput, error) {
	var chosen []*rule
	switch {
	case in.ListenerArn != nil && len(in.RuleArns) > 0, in.ListenerArn == nil && len(in.RuleArns) == 0:
		return nil, invalid("You must specify either listener rule ARNs or a listener ARN")
	case in.ListenerArn != nil:
		l, err := s.listener(in.ListenerArn)
		if err != nil {
			return nil, err
		}
		chosen = l.rules
	default:
		for _, arn := range in.RuleArns {
			_, r, err := s.rule(aws.String(arn))
			if err != nil {
				return nil, &elbtypes.RuleNotFoundException{Message: aws.String("One or more rules not found")}
			}
			chosen = append(chosen, r)
		}
	}
	part, next, err := page(chosen, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeRulesOutput{Rules: []elbtypes.Rule{}, NextMarker: next}
	for _, r := range part {
		out.Rules = append(out.Rules, r.info)
	}
	return out, nil
}

// setRulePriorities gives rules their priorities all at once, so that two may
// change places.
func (s *Service) setRulePriorities(_ *wire.Call, in *elb.SetRulePrioritiesInput) (*elb.SetRulePrioritiesOutput, error) {
	l, to, err := s.newPriorities(in.RulePriorities)
	if err != nil {
		return nil, err
	}
	taken := map[int]bool{}
	for _, r := range l.rules {
		p, ok := to[r]
		if !ok {
			p = r.priority()
		}
		if taken[p] {
			return nil, priorityInUse(int32(p)) //nolint:gosec // at most 50001
		}
		taken[p] = true
	}
	out := &elb.SetRulePrioritiesOutput{}
	for _, r := range l.rules {
		if p, ok := to[r]; ok {
			r.info.Priority = aws.String(strconv.Itoa(p))
			out.Rules = append(out.Rules, r.info)
		}
	}
	l.sort()
	return out, nil
}

// newPriorities reads which rules of which listener get which priority.
func (s *Service) newPriorities(pairs []elbtypes.RulePriorityPair) (l *listener, to map[*rule]int, err error) {
	if len(pairs) == 0 {
		return nil, nil, invalid("At least one rule priority must be specified")
	}
	to = map[*rule]int{}
	for _, p := range pairs {
		of, r, err := s.rule(p.RuleArn)
		switch {
		case err != nil:
			return nil, nil, err
		case r.isLast():
			return nil, nil, &elbtypes.OperationNotPermittedException{Message: aws.String("Priority of default rule '" + r.arn() + "' cannot be modified")}
		case l != nil && of != l:
			return nil, nil, invalid("The rules must belong to one listener")
		}
		if err := checkPriority(p.Priority); err != nil {
			return nil, nil, err
		}
		l, to[r] = of, int(*p.Priority)
	}
	return l, to, nil
}
