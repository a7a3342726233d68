package ecs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// shift gives green a part of the test or production traffic, and blue the
// rest, with the role that the load balancer's configuration names.
func (s *Service) shift(r *rollout, test bool, percent float64) error {
	for i, b := range r.target.asked {
		a := b.AdvancedConfiguration
		if a == nil {
			continue
		}
		rule := aws.ToString(a.ProductionListenerRule)
		if test {
			rule = aws.ToString(a.TestListenerRule)
		}
		if rule == "" {
			continue
		}
		green := aws.ToString(r.target.balancers[i].TargetGroupArn)
		toGreen, toBlue := weights(percent)
		groups := []elbtypes.TargetGroupTuple{
			{TargetGroupArn: aws.String(other(b, green)), Weight: aws.Int32(toBlue)},
			{TargetGroupArn: aws.String(green), Weight: aws.Int32(toGreen)},
		}
		if err := s.weigh(aws.ToString(a.RoleArn), rule, groups); err != nil {
			return err
		}
	}
	if test {
		r.test = percent
	} else {
		r.production = percent
	}
	return nil
}

// weights are the weights of a listener for a percentage: whole numbers, at
// most 999.
func weights(percent float64) (green, blue int32) {
	scale := 1.0
	if percent != math.Trunc(percent) {
		scale = 10
	}
	return int32(math.Round(percent * scale)), int32(math.Round((all - percent) * scale))
}

// weigh lets the forward action of a rule, or of a listener by default, send
// requests to target groups by weight. Everything else about it stays.
func (s *Service) weigh(roleARN, arn string, groups []elbtypes.TargetGroupTuple) error {
	as := role(roleARN)
	if strings.Contains(arn, ":listener-rule/") {
		out, err := wire.Do[elb.DescribeRulesOutput](background(), s.c, as, balancing, "DescribeRules", &elb.DescribeRulesInput{RuleArns: []string{arn}})
		if err != nil {
			return fmt.Errorf("describe rule: %w", err)
		}
		actions, err := forward(arn, out.Rules[0].Actions, groups)
		if err != nil {
			return err
		}
		_, err = wire.Do[elb.ModifyRuleOutput](background(), s.c, as, balancing, "ModifyRule", &elb.ModifyRuleInput{RuleArn: aws.String(arn), Actions: actions})
		if err != nil {
			return fmt.Errorf("modify rule: %w", err)
		}
		return nil
	}
	out, err := wire.Do[elb.DescribeListenersOutput](background(), s.c, as, balancing, "DescribeListeners", &elb.DescribeListenersInput{ListenerArns: []string{arn}})
	if err != nil {
		return fmt.Errorf("describe listener: %w", err)
	}
	actions, err := forward(arn, out.Listeners[0].DefaultActions, groups)
	if err != nil {
		return err
	}
	_, err = wire.Do[elb.ModifyListenerOutput](background(), s.c, as, balancing, "ModifyListener",
		&elb.ModifyListenerInput{ListenerArn: aws.String(arn), DefaultActions: actions})
	if err != nil {
		return fmt.Errorf("modify listener: %w", err)
	}
	return nil
}

// forward replaces the target groups of the forward action among actions.
func forward(arn string, actions []elbtypes.Action, groups []elbtypes.TargetGroupTuple) ([]elbtypes.Action, error) {
	actions = slices.Clone(actions)
	for i, a := range actions {
		if a.Type != elbtypes.ActionTypeEnumForward {
			continue
		}
		config := elbtypes.ForwardActionConfig{TargetGroups: groups}
		if a.ForwardConfig != nil {
			config.TargetGroupStickinessConfig = a.ForwardConfig.TargetGroupStickinessConfig
		}
		actions[i].TargetGroupArn, actions[i].ForwardConfig = nil, &config
		return actions, nil
	}
	return nil, fmt.Errorf("%s has no forward action", arn)
}
