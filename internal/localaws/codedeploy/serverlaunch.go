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

// lifecycleAction is an instance that waits in a lifecycle hook of its Auto
// Scaling group.
type lifecycleAction struct{ scaling, hook, instance string }

// Waiting is told by Auto Scaling that a new instance waits in the lifecycle
// hooks of its group; AWS tells CodeDeploy by a queue of its own. Every
// deployment group that has a hook there deploys its last successful revision
// to the instance, and answers by CompleteLifecycleAction. Call it with the
// world's lock held.
func (s *Service) Waiting(autoScalingGroup, instance string) {
	ctx := context.Background() //nolint:forbidigo // it begins here
	for _, name := range names(s.applications) {
		for _, group := range names(s.applications[name].groups) {
			g := s.applications[name].groups[group]
			for _, scaling := range g.info.AutoScalingGroups {
				if aws.ToString(scaling.Name) == autoScalingGroup && scaling.Hook != nil {
					a := lifecycleAction{autoScalingGroup, *scaling.Hook, instance}
					s.w.After(0, func() { s.welcome(ctx, g, a) }) // not while Auto Scaling is in the middle of something
				}
			}
		}
	}
}

func (s *Service) welcome(ctx context.Context, g *group, a lifecycleAction) {
	if g.succeeded == nil {
		s.complete(ctx, g, a, true) // there is nothing to deploy yet
		return
	}
	s.deployTo(ctx, g, a)
}

func (s *Service) complete(ctx context.Context, g *group, a lifecycleAction, succeeded bool) {
	result := "ABANDON"
	if succeeded {
		result = "CONTINUE"
	}
	in := &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String(a.scaling), LifecycleHookName: aws.String(a.hook),
		InstanceId: aws.String(a.instance), LifecycleActionResult: aws.String(result),
	}
	// An action that Auto Scaling has given up cannot be completed.
	_, _ = wire.Do[autoscaling.CompleteLifecycleActionOutput](ctx, s.c, as(aws.ToString(g.info.ServiceRoleArn)), "autoscaling", "CompleteLifecycleAction", in)
}

// deployTo deploys the last successful revision to one new instance, beside
// whatever else the group does.
func (s *Service) deployTo(ctx context.Context, g *group, a lifecycleAction) {
	who := as(aws.ToString(g.info.ServiceRoleArn))
	found, err := s.describe(ctx, who, &ec2.DescribeInstancesInput{InstanceIds: []string{a.instance}})
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
	m := s.machine(ctx, &found[0], a.scaling)
	d.run = &serverRun{s: s, d: d, only: &m, action: &a}
	if g.active != nil {
		g.late = append(g.late, a.instance)
	}
	s.launch(ctx, d)
	s.beat(ctx, d, a)
}

// beat keeps the instance waiting while it is deployed to.
func (s *Service) beat(ctx context.Context, d *deployment, a lifecycleAction) {
	s.later(d, heartbeat, func() {
		_, _ = wire.Do[autoscaling.RecordLifecycleActionHeartbeatOutput](ctx, s.c, d.principal(), "autoscaling", "RecordLifecycleActionHeartbeat",
			&autoscaling.RecordLifecycleActionHeartbeatInput{
				AutoScalingGroupName: aws.String(a.scaling), LifecycleHookName: aws.String(a.hook), InstanceId: aws.String(a.instance),
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
