// Package bluegreen plans how traffic moves from a blue target group to a green
// one: the steps of a configuration, and what a listener's actions become. It
// calls nothing.
package bluegreen

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// All is the whole traffic, in percent.
const All = 100

// Step is one shift of traffic and how long it lasts.
type Step struct {
	Percent int32 // that the green side gets
	Wait    time.Duration
}

// Steps lists the steps of a configuration; the last gives everything to the
// green side.
func Steps(routing *cdtypes.TrafficRoutingConfig) []Step {
	var steps []Step
	switch {
	case routing == nil:
	case routing.TimeBasedCanary != nil:
		c := routing.TimeBasedCanary
		steps = append(steps, Step{c.CanaryPercentage, time.Duration(c.CanaryInterval) * time.Minute})
	case routing.TimeBasedLinear != nil:
		l := routing.TimeBasedLinear
		for p := l.LinearPercentage; p < All; p += l.LinearPercentage {
			steps = append(steps, Step{p, time.Duration(l.LinearInterval) * time.Minute})
		}
	}
	return append(steps, Step{Percent: All})
}

// Pair is two target groups by their ARNs.
type Pair struct{ Blue, Green string }

// Serves reports whether actions send anything to a target group.
func Serves(actions []elbtypes.Action, group string) bool {
	return slices.ContainsFunc(groups(actions), func(t elbtypes.TargetGroupTuple) bool {
		return aws.ToString(t.TargetGroupArn) == group && (t.Weight == nil || *t.Weight > 0)
	})
}

// Split returns actions in which the green group gets a part of what went to
// either group of the pair, and the blue one the rest; whatever else they say
// stays. ok is false if they refer to neither group.
func (p Pair) Split(actions []elbtypes.Action, percent int32) (split []elbtypes.Action, ok bool) {
	for _, a := range actions {
		if p.in(a) {
			ok = true
			a = p.forward(a, []elbtypes.TargetGroupTuple{
				{TargetGroupArn: aws.String(p.Blue), Weight: aws.Int32(All - percent)},
				{TargetGroupArn: aws.String(p.Green), Weight: aws.Int32(percent)},
			})
		}
		split = append(split, a)
	}
	return split, ok
}

// Switch is Split for load balancers that are given one group at a time.
func (p Pair) Switch(actions []elbtypes.Action, green bool) (switched []elbtypes.Action, ok bool) {
	to := p.Blue
	if green {
		to = p.Green
	}
	for _, a := range actions {
		if p.in(a) {
			ok = true
			a = p.forward(a, []elbtypes.TargetGroupTuple{{TargetGroupArn: aws.String(to)}})
		}
		switched = append(switched, a)
	}
	return switched, ok
}

// in reports whether an action refers to the pair.
func (p Pair) in(a elbtypes.Action) bool {
	return slices.ContainsFunc(groups([]elbtypes.Action{a}), func(t elbtypes.TargetGroupTuple) bool {
		arn := aws.ToString(t.TargetGroupArn)
		return arn == p.Blue || arn == p.Green
	})
}

// forward makes an action forward to other groups, with its stickiness.
func (p Pair) forward(a elbtypes.Action, to []elbtypes.TargetGroupTuple) elbtypes.Action {
	config := &elbtypes.ForwardActionConfig{TargetGroups: to}
	if a.ForwardConfig != nil {
		config.TargetGroupStickinessConfig = a.ForwardConfig.TargetGroupStickinessConfig
	}
	a.TargetGroupArn, a.ForwardConfig = nil, config
	return a
}

// groups lists the target groups of actions, however they are named.
func groups(actions []elbtypes.Action) (all []elbtypes.TargetGroupTuple) {
	for _, a := range actions {
		switch {
		case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
			all = append(all, a.ForwardConfig.TargetGroups...)
		case a.TargetGroupArn != nil:
			all = append(all, elbtypes.TargetGroupTuple{TargetGroupArn: a.TargetGroupArn})
		}
	}
	return all
}
