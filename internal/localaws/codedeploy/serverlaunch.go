package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// heartbeat is how often CodeDeploy tells Auto Scaling that it is still at work
// (user guide, "Integrating CodeDeploy with Amazon EC2 Auto Scaling").
const heartbeat = 5 * time.Minute

// LifecycleAction is an instance that waits in a lifecycle hook of its Auto
// Scaling group.
type LifecycleAction struct {
	AutoScalingGroup string
	Hook             string
	Instance         string
	Token            string // may be empty
}

// Waiting is told by Auto Scaling that an instance waits in a lifecycle hook;
// AWS tells CodeDeploy by a queue of its own. If the hook is CodeDeploy's, the
// last successful revision is deployed to the instance, and the action is
// completed by CompleteLifecycleAction. Call it with the world's lock held.
func (s *Service) Waiting(ctx context.Context, a LifecycleAction) {
	g := s.hooked(a)
	if g == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	s.w.After(0, func() { // not while Auto Scaling is in the middle of something
		if g.succeeded == nil {
			s.complete(ctx, g, a, true) // there is nothing to deploy yet
			return
		}
		s.deployTo(ctx, g, a)
	})
}

// hooked finds the deployment group that a lifecycle hook belongs to.
func (s *Service) hooked(a LifecycleAction) *group {
	if !ours(a.Hook) {
		return nil
	}
	for _, name := range names(s.applications) {
		for _, g := range names(s.applications[name].groups) {
			found := s.applications[name].groups[g]
			for _, scaling := range found.info.AutoScalingGroups {
				if aws.ToString(scaling.Name) == a.AutoScalingGroup && aws.ToString(scaling.Hook) == a.Hook {
					return found
				}
			}
		}
	}
	return nil
}

func (s *Service) complete(ctx context.Context, g *group, a LifecycleAction, succeeded bool) {
	result := "ABANDON"
	if succeeded {
		result = "CONTINUE"
	}
	in := &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String(a.AutoScalingGroup), LifecycleHookName: aws.String(a.Hook),
		InstanceId: aws.String(a.Instance), LifecycleActionResult: aws.String(result),
	}
	if a.Token != "" {
		in.LifecycleActionToken = aws.String(a.Token)
	}
	// An action that Auto Scaling has given up cannot be completed.
	_, _ = wire.Do[autoscaling.CompleteLifecycleActionOutput](ctx, s.c, as(aws.ToString(g.info.ServiceRoleArn)), "autoscaling", "CompleteLifecycleAction", in)
}

// deployTo deploys the last successful revision to one new instance, beside
// whatever else the group does.
func (s *Service) deployTo(ctx context.Context, g *group, a LifecycleAction) {
	who := as(aws.ToString(g.info.ServiceRoleArn))
	found, err := s.describe(ctx, who, &ec2.DescribeInstancesInput{InstanceIds: []string{a.Instance}})
	good := g.succeeded
	if err != nil || len(found) == 0 || good == nil {
		s.complete(ctx, g, a, false)
		return
	}
	r, err := s.register(g.application, *good.info.Revision)
	if err != nil {
		s.complete(ctx, g, a, false)
		return
	}
	d := s.newDeployment(g, r, s.configs[serverDefault])
	d.aside = true
	d.info.Creator = cdtypes.DeploymentCreatorAutoscaling
	d.info.AutoRollbackConfiguration = nil
	d.info.FileExistsBehavior = good.info.FileExistsBehavior
	d.info.DeploymentStyle = &cdtypes.DeploymentStyle{
		DeploymentType: cdtypes.DeploymentTypeInPlace, DeploymentOption: cdtypes.DeploymentOptionWithoutTrafficControl,
	}
	m := s.machine(&found[0], a.AutoScalingGroup)
	d.run = &serverRun{s: s, d: d, only: &m, action: &a}
	if g.active != nil {
		g.late = append(g.late, a.Instance)
	}
	s.launch(ctx, d)
	s.beat(ctx, d, a)
}

// beat keeps the instance waiting while it is deployed to.
func (s *Service) beat(ctx context.Context, d *deployment, a LifecycleAction) {
	s.later(d, heartbeat, func() {
		_, _ = wire.Do[autoscaling.RecordLifecycleActionHeartbeatOutput](ctx, s.c, d.principal(), "autoscaling", "RecordLifecycleActionHeartbeat",
			&autoscaling.RecordLifecycleActionHeartbeatInput{
				AutoScalingGroupName: aws.String(a.AutoScalingGroup), LifecycleHookName: aws.String(a.Hook), InstanceId: aws.String(a.Instance),
			})
		s.beat(ctx, d, a)
	})
}

// ended completes what Auto Scaling waits for, and updates the instances that
// were launched while the deployment went on: they got the revision before it
// (user guide, "Scale-out events during a deployment").
func (r *serverRun) ended(ctx context.Context) {
	succeeded := r.d.info.Status == cdtypes.DeploymentStatusSucceeded
	if r.action != nil {
		r.s.complete(ctx, r.d.group, *r.action, succeeded)
		return
	}
	late := r.d.group.late
	r.d.group.late = nil
	if !succeeded || len(late) == 0 || r.d.settings.OutdatedInstancesStrategy == cdtypes.OutdatedInstancesStrategyIgnore {
		return
	}
	r.s.w.After(rollbackDelay, func() { r.s.update(ctx, r.d) })
}

// update makes the deployment that brings outdated instances up to date.
func (s *Service) update(ctx context.Context, root *deployment) {
	g := root.group
	if g.active != nil || g.succeeded != root {
		return // something newer goes on, or did
	}
	r, err := s.register(root.application, *root.info.Revision)
	if err != nil {
		return // cannot be: it is registered
	}
	d := s.newDeployment(g, r, root.config)
	g.take(d)
	d.info.Creator = cdtypes.DeploymentCreatorCodeDeployAutoUpdate
	d.info.UpdateOutdatedInstancesOnly = true
	d.info.FileExistsBehavior = root.info.FileExistsBehavior
	d.info.RelatedDeployments = &cdtypes.RelatedDeployments{AutoUpdateOutdatedInstancesRootDeploymentId: root.info.DeploymentId}
	if root.info.RelatedDeployments == nil {
		root.info.RelatedDeployments = &cdtypes.RelatedDeployments{}
	}
	root.info.RelatedDeployments.AutoUpdateOutdatedInstancesDeploymentIds = append(root.info.RelatedDeployments.AutoUpdateOutdatedInstancesDeploymentIds, d.id())
	d.info.DeploymentStyle = &cdtypes.DeploymentStyle{
		DeploymentType: cdtypes.DeploymentTypeInPlace, DeploymentOption: root.info.DeploymentStyle.DeploymentOption,
	}
	d.run = s.executors[root.application.platform].deploy(d)
	s.launch(ctx, d)
}
