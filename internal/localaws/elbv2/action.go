package elbv2

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	maxForwarded = 5   // target groups of one action (user guide, "Quotas")
	maxWeight    = 999 // API reference, TargetGroupTuple
	maxSticky    = 604800
)

// forwarded lists the target groups that actions refer to.
func forwarded(actions []elbtypes.Action) []string {
	var arns []string
	for _, a := range actions {
		if a.ForwardConfig == nil {
			continue
		}
		for _, t := range a.ForwardConfig.TargetGroups {
			arns = append(arns, aws.ToString(t.TargetGroupArn))
		}
	}
	return arns
}

// actions checks the actions of a rule of a listener and completes them. There
// is exactly one: authentication, which may stand before it, is not there.
func (s *Service) actions(l *listener, in []elbtypes.Action) ([]elbtypes.Action, error) {
	if len(in) == 0 {
		return nil, invalid("At least one action must be specified")
	}
	var routing []elbtypes.Action
	for _, a := range in {
		done, err := s.action(l, a)
		if err != nil {
			return nil, err
		}
		routing = append(routing, done)
	}
	if len(routing) > 1 {
		return nil, &elbtypes.InvalidLoadBalancerActionException{Message: aws.String("You can only specify one action of type 'forward', 'redirect' or 'fixed-response'")}
	}
	return routing, s.checkBindings(l.balancer, routing)
}

func (s *Service) action(l *listener, a elbtypes.Action) (elbtypes.Action, error) {
	if err := wire.Only(&a, "Type", "FixedResponseConfig", "ForwardConfig", "Order", "RedirectConfig", "TargetGroupArn"); err != nil {
		return a, err
	}
	switch a.Type {
	case elbtypes.ActionTypeEnumForward:
		return s.forward(l, a)
	case elbtypes.ActionTypeEnumFixedResponse, elbtypes.ActionTypeEnumRedirect:
		if !l.balancer.alb() {
			return a, &elbtypes.InvalidLoadBalancerActionException{Message: aws.String("Action type '" + string(a.Type) + "' is not valid with a Network Load Balancer")}
		}
		return a, completeAnswer(&a)
	case elbtypes.ActionTypeEnumAuthenticateOidc, elbtypes.ActionTypeEnumAuthenticateCognito, elbtypes.ActionTypeEnumJwtValidation:
		return a, unsupported("an action of type " + string(a.Type))
	default:
		return a, invalid("Action type '%s' must be one of 'redirect, fixed-response, forward'", a.Type)
	}
}

// completeAnswer checks an action that the load balancer carries out itself.
func completeAnswer(a *elbtypes.Action) error {
	switch f, r := a.FixedResponseConfig, a.RedirectConfig; {
	case a.Type == elbtypes.ActionTypeEnumFixedResponse && (f == nil || !regexp.MustCompile(`^[245]\d\d$`).MatchString(aws.ToString(f.StatusCode))):
		return invalid("A fixed response must have a status code of the form 2XX, 4XX or 5XX")
	case a.Type == elbtypes.ActionTypeEnumRedirect && (r == nil || !slices.Contains(r.StatusCode.Values(), r.StatusCode)):
		return invalid("A redirect must have the status code HTTP_301 or HTTP_302")
	case r != nil:
		done := *r
		done.Host, done.Path, done.Query = or(r.Host, "#{host}"), or(r.Path, "/#{path}"), or(r.Query, "#{query}")
		done.Port, done.Protocol = or(r.Port, "#{port}"), or(r.Protocol, "#{protocol}")
		a.RedirectConfig = &done
	}
	return nil
}

// forward checks and completes a forward action. Answers show a single target
// group both ways, and several in the configuration only.
func (s *Service) forward(l *listener, a elbtypes.Action) (elbtypes.Action, error) {
	config, err := forwardConfig(a)
	if err != nil {
		return a, err
	}
	if len(config.TargetGroups) > maxForwarded {
		return a, &elbtypes.TooManyTargetGroupsException{Message: aws.String("You can specify at most 5 target groups in one action")}
	}
	for i, t := range config.TargetGroups {
		if err := s.checkForward(l, config.TargetGroups[:i], t); err != nil {
			return a, err
		}
		config.TargetGroups[i].Weight = or[int32](t.Weight, 1)
	}
	if err := checkSticky(config.TargetGroupStickinessConfig); err != nil {
		return a, err
	}
	a.ForwardConfig, a.TargetGroupArn = config, nil
	if len(config.TargetGroups) == 1 {
		a.TargetGroupArn = config.TargetGroups[0].TargetGroupArn
	}
	return a, nil
}

// forwardConfig reads a forward action in either of its forms.
func forwardConfig(a elbtypes.Action) (*elbtypes.ForwardActionConfig, error) {
	config := &elbtypes.ForwardActionConfig{TargetGroupStickinessConfig: &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}}
	if a.ForwardConfig == nil {
		if a.TargetGroupArn == nil {
			return nil, invalid("A target group ARN must be specified")
		}
		config.TargetGroups = []elbtypes.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
		return config, nil
	}
	given := a.ForwardConfig.TargetGroups
	switch {
	case len(given) == 0:
		return nil, invalid("A target group ARN must be specified")
	case a.TargetGroupArn != nil && (len(given) > 1 || aws.ToString(given[0].TargetGroupArn) != *a.TargetGroupArn):
		return nil, invalid("You must specify the same target group in TargetGroupArn and ForwardConfig, and only one")
	}
	config.TargetGroups = slices.Clone(given)
	if a.ForwardConfig.TargetGroupStickinessConfig != nil {
		sticky := *a.ForwardConfig.TargetGroupStickinessConfig
		config.TargetGroupStickinessConfig = &sticky
	}
	return config, nil
}

func checkSticky(c *elbtypes.TargetGroupStickinessConfig) error {
	if aws.ToBool(c.Enabled) && (c.DurationSeconds == nil || *c.DurationSeconds < 1 || *c.DurationSeconds > maxSticky) {
		return invalid("Target group stickiness duration must be between 1 and %d seconds", maxSticky)
	}
	return nil
}

// checkForward refuses a target group that the listener cannot forward to.
func (s *Service) checkForward(l *listener, before []elbtypes.TargetGroupTuple, t elbtypes.TargetGroupTuple) error {
	g, err := s.group(t.TargetGroupArn)
	switch {
	case err != nil:
		return err
	case aws.ToInt32(t.Weight) < 0 || aws.ToInt32(t.Weight) > maxWeight:
		return invalid("The weight of a target group must be between 0 and %d", maxWeight)
	case slices.ContainsFunc(before, func(x elbtypes.TargetGroupTuple) bool { return aws.ToString(x.TargetGroupArn) == g.arn() }):
		return invalid("The target group '%s' is specified more than once", g.arn())
	case l.balancer.alb() != g.http():
		return &elbtypes.IncompatibleProtocolsException{
			Message: aws.String("The protocol '" + string(cmp.Or(g.info.Protocol, "lambda")) + "' of target group '" + g.arn() + "' is not compatible with the listener protocol '" + string(l.info.Protocol) + "'"),
		}
	}
	for _, b := range s.balancers {
		if b != l.balancer && b.uses(g.arn()) {
			return &elbtypes.TargetGroupAssociationLimitException{
				Message: aws.String("The following target groups cannot be associated with more than one load balancer: " + g.arn()),
			}
		}
	}
	return nil
}

// checkBindings holds a load balancer to its number of target groups.
func (s *Service) checkBindings(b *balancer, actions []elbtypes.Action) error {
	arns := forwarded(actions)
	for _, g := range s.groups {
		if b.uses(g.arn()) {
			arns = append(arns, g.arn())
		}
	}
	slices.Sort(arns)
	if len(slices.Compact(arns)) > maxBoundGroups {
		return &elbtypes.TooManyUniqueTargetGroupsPerLoadBalancerException{
			Message: aws.String("The maximum number of unique target groups of load balancer '" + b.arn() + "' has been reached"),
		}
	}
	return nil
}
