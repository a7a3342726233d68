package tasksets

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Heal points all listeners at the task set that runs a task definition, and
// makes it the primary one, if things are still as they were read:
// deploy.ErrChanged. deploy.ErrBusy while a deployment is under way,
// deploy.ErrNotReady if no task set runs it with all its tasks.
//
// Users come first: traffic is moved before the primary task set is. What was done
// when it breaks off in between is seen by the next look. The task set that is left
// without traffic stays, for somebody to look at; nothing is deleted.
func (c *Client) Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error {
	t := was.Place.Target
	s, err := c.look(ctx, t)
	if err != nil {
		return fmt.Errorf("heal %s: %w", t, err)
	}
	if s.active != "" {
		return fmt.Errorf("heal %s: %w: %s", t, deploy.ErrBusy, s.active)
	}
	if now := s.live(was.Place); now.Token != was.Token {
		if now.Only(to) && now.Stuck == "" {
			return nil // it was an answer that was lost
		}
		return fmt.Errorf("heal %s: %w", t, deploy.ErrChanged)
	}
	set, err := s.steady(to)
	if err != nil {
		return fmt.Errorf("heal %s: %w", t, err)
	}
	for _, r := range s.rules {
		if err := c.point(ctx, s.group, r, groupOf(*set)); err != nil {
			return fmt.Errorf("heal %s: %w", t, err)
		}
	}
	if aws.ToString(set.Status) == primary {
		return nil
	}
	if _, err := c.tasks.UpdateServicePrimaryTaskSet(ctx, &ecs.UpdateServicePrimaryTaskSetInput{
		Cluster: &s.cluster, Service: &s.service, PrimaryTaskSet: set.Id,
	}); err != nil {
		return fmt.Errorf("heal %s: make task set %s the primary one: %w", t, aws.ToString(set.Id), classify(err))
	}
	return nil
}

// steady returns a task set that runs a task definition with all its tasks, the
// primary one if there are more, as where a refused deployment has left one:
// deploy.ErrNotReady.
func (s scene) steady(r deploy.Revision) (found *ecstypes.TaskSet, err error) {
	why := fmt.Sprintf("no task set of service %s runs %s", s.group, r)
	for i, set := range s.sets {
		switch {
		case revisionOf(set) != r:
		case set.RunningCount < set.ComputedDesiredCount:
			why = fmt.Sprintf("%d of %d tasks of %s run in task set %s of service %s", set.RunningCount, set.ComputedDesiredCount, r, aws.ToString(set.Id), s.group)
		case groupOf(set) == "":
			why = fmt.Sprintf("task set %s of service %s has no target group", aws.ToString(set.Id), s.group)
		case found == nil || aws.ToString(set.Status) == primary:
			found = &s.sets[i]
		}
	}
	if found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%w: %s", deploy.ErrNotReady, why)
}

// point lets a rule send all that it sends to the pair to one target group of it.
// Everything else that the rule does stays.
func (c *Client) point(ctx context.Context, g group, r rule, to string) error {
	if g.weights(r.actions)[to] == 1 {
		return nil
	}
	actions := g.pointed(r, to)
	if r.arn == "" {
		if _, err := c.balancers.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: &r.listener, DefaultActions: actions}); err != nil {
			return fmt.Errorf("point listener %s at target group %s: %w", r.listener, to, classify(err))
		}
		return nil
	}
	if _, err := c.balancers.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: &r.arn, Actions: actions}); err != nil {
		return fmt.Errorf("point rule %s at target group %s: %w", r.arn, to, classify(err))
	}
	return nil
}

// pointed returns the actions of a rule that is pointed at a target group. The other
// groups stay behind the listener without weight, as CodeDeploy leaves them, but for
// those of a Network Load Balancer, which CodeDeploy gives one (user guide,
// "Troubleshoot Amazon ECS deployment issues": only an Application Load Balancer
// routes gradually).
func (g group) pointed(r rule, to string) []elbtypes.Action {
	var actions []elbtypes.Action
	for _, a := range r.actions {
		one := []elbtypes.Action{a}
		if len(g.weights(one)) == 0 {
			actions = append(actions, a)
			continue
		}
		config := &elbtypes.ForwardActionConfig{TargetGroups: g.shared(forwards(one), to)}
		if network(r.listener) {
			config.TargetGroups = []elbtypes.TargetGroupTuple{{TargetGroupArn: &to}}
		}
		if a.ForwardConfig != nil {
			config.TargetGroupStickinessConfig = a.ForwardConfig.TargetGroupStickinessConfig
		}
		a.TargetGroupArn, a.ForwardConfig = nil, config // both must not be given for more than one (API reference, "Action")
		actions = append(actions, a)
	}
	return actions
}

// shared returns target groups in which one of the pair gets what all of the pair
// got.
func (g group) shared(all []elbtypes.TargetGroupTuple, to string) []elbtypes.TargetGroupTuple {
	out := []elbtypes.TargetGroupTuple{{TargetGroupArn: &to}}
	sum := int32(0)
	for _, t := range all {
		switch arn := aws.ToString(t.TargetGroupArn); {
		case !g.refers(arn):
			out = append(out, t)
			continue
		case arn != to:
			out = append(out, elbtypes.TargetGroupTuple{TargetGroupArn: t.TargetGroupArn, Weight: aws.Int32(0)})
		}
		if t.Weight != nil {
			sum += *t.Weight
		} else {
			sum++
		}
	}
	out[0].Weight = aws.Int32(max(sum, 1))
	return out
}
