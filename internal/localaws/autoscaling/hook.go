package autoscaling

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The transitions that hooks can wait at.
const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

// The results of a lifecycle action.
const (
	proceed = "CONTINUE"
	abandon = "ABANDON"
)

// maxHooks is how many hooks a group may have (API reference, PutLifecycleHook).
const maxHooks = 50

func hookOf(group string, h astypes.LifecycleHookSpecification) astypes.LifecycleHook {
	return astypes.LifecycleHook{
		AutoScalingGroupName: &group, LifecycleHookName: h.LifecycleHookName, LifecycleTransition: h.LifecycleTransition, DefaultResult: h.DefaultResult,
		HeartbeatTimeout: h.HeartbeatTimeout, NotificationMetadata: h.NotificationMetadata, NotificationTargetARN: h.NotificationTargetARN, RoleARN: h.RoleARN,
	}
}

func (g *group) hookAt(name string) (int, bool) {
	return slices.BinarySearchFunc(g.hooks, name, func(h astypes.LifecycleHook, name string) int { return strings.Compare(*h.LifecycleHookName, name) })
}

// putHook makes or changes a hook. What a change does not say stays.
func (g *group) putHook(h astypes.LifecycleHook) error {
	name := aws.ToString(h.LifecycleHookName)
	at, found := g.hookAt(name)
	old := astypes.LifecycleHook{HeartbeatTimeout: aws.Int32(3600), DefaultResult: aws.String(abandon)} // API reference, PutLifecycleHook
	if found {
		old = g.hooks[at]
	}
	keep(&h.LifecycleTransition, old.LifecycleTransition)
	keep(&h.HeartbeatTimeout, old.HeartbeatTimeout)
	keep(&h.DefaultResult, old.DefaultResult)
	keep(&h.NotificationMetadata, old.NotificationMetadata)
	keep(&h.NotificationTargetARN, old.NotificationTargetARN)
	keep(&h.RoleARN, old.RoleARN)
	if err := checkHook(h, name); err != nil {
		return err
	}
	h.GlobalTimeout = aws.Int32(min(48*3600, 100**h.HeartbeatTimeout)) // API reference, LifecycleHook
	switch {
	case found:
		g.hooks[at] = h
	case len(g.hooks) == maxHooks:
		return &astypes.LimitExceededFault{Message: aws.String("Lifecycle hook limit exceeded for the Auto Scaling group " + g.name())}
	default:
		g.hooks = slices.Insert(g.hooks, at, h)
	}
	return nil
}

func checkHook(h astypes.LifecycleHook, name string) error {
	transition, result, timeout := aws.ToString(h.LifecycleTransition), *h.DefaultResult, *h.HeartbeatTimeout
	switch {
	case name == "":
		return invalid("1 validation error detected: Value at 'lifecycleHookName' failed to satisfy constraint: Member must not be null")
	case transition != launching && transition != terminating:
		return invalid("Lifecycle transition must be %s or %s, got %s", launching, terminating, transition)
	case result != proceed && result != abandon:
		return invalid("Default result must be CONTINUE or ABANDON, got %s", result)
	case timeout < 30 || timeout > 7200:
		return invalid("Heartbeat timeout must be between 30 and 7200 seconds, got %d", timeout)
	}
	return checkTarget(aws.ToString(h.NotificationTargetARN), h.RoleARN)
}

func checkTarget(arn string, role *string) error {
	switch {
	case arn == "":
		return nil
	case !strings.HasPrefix(arn, "arn:aws:sns:") && !strings.HasPrefix(arn, "arn:aws:sqs:"):
		return invalid("Notification target must be an SNS topic or an SQS queue, got %s", arn)
	case role == nil:
		return invalid("A role is needed to notify %s", arn)
	}
	return nil
}

func keep[T any](value **T, old *T) {
	if *value == nil {
		*value = old
	}
}

func (s *Service) putLifecycleHook(c *wire.Call, in *autoscaling.PutLifecycleHookInput) (*autoscaling.PutLifecycleHookOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	h := astypes.LifecycleHook{
		AutoScalingGroupName: in.AutoScalingGroupName, LifecycleHookName: in.LifecycleHookName, LifecycleTransition: in.LifecycleTransition,
		DefaultResult: in.DefaultResult, HeartbeatTimeout: in.HeartbeatTimeout, NotificationMetadata: in.NotificationMetadata,
		NotificationTargetARN: in.NotificationTargetARN, RoleARN: in.RoleARN,
	}
	before := slices.Clone(g.hooks)
	if err := g.putHook(h); err != nil {
		return nil, err
	}
	if in.NotificationTargetARN != nil && *in.NotificationTargetARN != "" {
		if err := s.notify(c.Context, h, map[string]string{
			"AutoScalingGroupName": g.name(), "Service": "AWS Auto Scaling", "Time": s.stamp(), "AccountId": s.w.Account,
			"LifecycleHookName": *in.LifecycleHookName, "Event": "autoscaling:TEST_NOTIFICATION", "RequestId": c.RequestID, "AutoScalingGroupARN": *g.info.AutoScalingGroupARN,
		}); err != nil {
			g.hooks = before
			return nil, invalid("Unable to publish test message to notification target %s using IAM role %s. Please check your target and role configuration and try to put lifecycle hook again.",
				*in.NotificationTargetARN, aws.ToString(in.RoleARN))
		}
	}
	return &autoscaling.PutLifecycleHookOutput{}, nil
}

// deleteLifecycleHook completes the actions that wait for the hook first:
// ABANDON for launches, CONTINUE for terminations (API reference).
func (s *Service) deleteLifecycleHook(c *wire.Call, in *autoscaling.DeleteLifecycleHookInput) (*autoscaling.DeleteLifecycleHookOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LifecycleHookName)
	at, found := g.hookAt(name)
	if !found {
		return nil, invalid("No Lifecycle Hook found with name %s for group %s", name, g.name())
	}
	result := abandon
	if *g.hooks[at].LifecycleTransition == terminating {
		result = proceed
	}
	for _, m := range g.members {
		for i := range m.actions {
			if m.actions[i].Hook == name && m.actions[i].Result == "" {
				m.actions[i].Result = result
			}
		}
	}
	g.hooks = slices.Delete(g.hooks, at, at+1)
	s.poke(c.Context, g)
	return &autoscaling.DeleteLifecycleHookOutput{}, nil
}

func (s *Service) describeLifecycleHooks(_ *wire.Call, in *autoscaling.DescribeLifecycleHooksInput) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: []astypes.LifecycleHook{}}
	for _, h := range g.hooks {
		if len(in.LifecycleHookNames) == 0 || slices.Contains(in.LifecycleHookNames, *h.LifecycleHookName) {
			out.LifecycleHooks = append(out.LifecycleHooks, h)
		}
	}
	return out, nil
}

// wait lets a member wait for the hooks of a transition. It reports false if
// there are none.
func (s *Service) wait(ctx context.Context, g *group, m *member, transition string) bool {
	m.actions = nil
	for _, h := range g.hooks {
		if *h.LifecycleTransition == transition {
			m.actions = append(m.actions, s.newAction(h))
		}
	}
	if len(m.actions) == 0 {
		return false
	}
	m.activity.StatusCode = astypes.ScalingActivityStatusCodeMidLifecycleAction
	to := astypes.LifecycleStatePendingWait
	if transition == terminating {
		to = astypes.LifecycleStateTerminatingWait
	}
	s.enter(g, m, to)
	for _, a := range slices.Clone(m.actions) {
		s.ask(ctx, g, m, a)
	}
	return true
}
