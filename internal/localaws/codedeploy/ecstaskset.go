package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/bluegreen"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// steadyPoll is how often a new task set is looked at: assumed.
	steadyPoll = 5 * time.Second
	// steadyTimeout and its message are those of the user guide's page
	// "Troubleshoot Amazon ECS deployment issues".
	steadyTimeout = 60 * time.Minute
	steadyLate    = "The deployment timed out while waiting for the replacement task set to become healthy. This time out period is 60 minutes."
)

// install makes the replacement task set and waits until it is steady. If
// traffic will move in steps, its target group is put behind the listener
// before, without traffic: "the load balancer's health checks start running on
// the replacement task set … during the Install lifecycle event". Otherwise
// they start with AllowTraffic or on the test listener (same page).
func (r *ecsRun) install(ctx context.Context) {
	r.installed = true
	p := r.behind(ctx)
	if p == nil && r.gradual() {
		p = r.send(ctx, r.route().ProdTrafficRoute, 0)
	}
	if p != nil {
		r.fail(ctx, p)
		return
	}
	blue, err := r.taskSet(ctx, r.blue.set)
	if err == nil && blue == nil {
		err = &ecstypes.TaskSetNotFoundException{Message: aws.String("The specified task set does not exist.")}
	}
	if err != nil {
		r.fail(ctx, r.ecsProblem(err))
		return
	}
	out, err := wire.Do[ecs.CreateTaskSetOutput](ctx, r.s.c, r.d.principal(), "ecs", "CreateTaskSet", r.replacement(blue))
	if err != nil {
		r.fail(ctx, r.ecsProblem(err))
		return
	}
	r.green.set = aws.ToString(out.TaskSet.Id)
	r.green.show(*out.TaskSet, r.green.name, cdtypes.TargetLabelGreen)
	r.deadline = r.s.w.Now().Add(steadyTimeout)
	r.plan(ctx, steadyPoll, ecsSettle, 0)
}

// replacement is the replacement task set: it runs as the AppSpec file says, and
// as the original one does in what the file leaves out.
func (r *ecsRun) replacement(blue *ecstypes.TaskSet) *ecs.CreateTaskSetInput {
	in := &ecs.CreateTaskSetInput{
		Cluster: aws.String(r.place.cluster), Service: aws.String(r.place.service), ExternalId: r.d.info.DeploymentId,
		TaskDefinition: aws.String(r.spec.TaskDefinition), Scale: &ecstypes.Scale{Unit: ecstypes.ScaleUnitPercent, Value: bluegreen.All},
		LoadBalancers: []ecstypes.LoadBalancer{{
			TargetGroupArn: aws.String(r.green.group), ContainerName: aws.String(r.spec.ContainerName), ContainerPort: aws.Int32(r.spec.ContainerPort),
		}},
		NetworkConfiguration: blue.NetworkConfiguration, PlatformVersion: blue.PlatformVersion,
	}
	if n := r.spec.Network; n != nil {
		in.NetworkConfiguration = &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIp: ecstypes.AssignPublicIp(n.AssignPublicIP),
		}}
	}
	if r.spec.PlatformVersion != "" {
		in.PlatformVersion = aws.String(r.spec.PlatformVersion)
	}
	for _, p := range r.spec.Providers {
		in.CapacityProviderStrategy = append(in.CapacityProviderStrategy, ecstypes.CapacityProviderStrategyItem{
			CapacityProvider: aws.String(p.Name), Base: p.Base, Weight: p.Weight,
		})
	}
	switch {
	case len(in.CapacityProviderStrategy) > 0:
	case len(blue.CapacityProviderStrategy) > 0:
		in.CapacityProviderStrategy = blue.CapacityProviderStrategy
	default:
		in.LaunchType = blue.LaunchType
	}
	return in
}

// settle waits until the replacement task set is steady.
func (r *ecsRun) settle(ctx context.Context) {
	set, err := r.taskSet(ctx, r.green.set)
	switch {
	case err != nil:
		r.fail(ctx, r.ecsProblem(err))
	case set == nil:
		r.fail(ctx, &problem{cdtypes.ErrorCodeEcsUpdateError, "The replacement task set was deleted."})
	case set.StabilityStatus == ecstypes.StabilityStatusSteadyState:
		r.finish(ctx, ecsInstall)
	case !r.s.w.Now().Before(r.deadline):
		r.fail(ctx, &problem{cdtypes.ErrorCodeTimeout, steadyLate})
	default:
		r.plan(ctx, steadyPoll, ecsSettle, 0)
	}
}

// taskSet reads a task set; nil if there is none any more. The managed policy
// AWSCodeDeployRoleForECS allows DescribeServices and not DescribeTaskSets.
func (r *ecsRun) taskSet(ctx context.Context, id string) (*ecstypes.TaskSet, error) {
	out, err := wire.Do[ecs.DescribeServicesOutput](ctx, r.s.c, r.d.principal(), "ecs", "DescribeServices", &ecs.DescribeServicesInput{
		Cluster: aws.String(r.place.cluster), Services: []string{r.place.service},
	})
	if err != nil {
		return nil, err
	}
	for _, svc := range out.Services {
		for _, set := range svc.TaskSets {
			if aws.ToString(set.Id) == id {
				return &set, nil
			}
		}
	}
	return nil, nil //nolint:nilnil // it is gone
}

// promote makes a task set the primary one of the service.
func (r *ecsRun) promote(ctx context.Context, id string) error {
	_, err := wire.Do[ecs.UpdateServicePrimaryTaskSetOutput](ctx, r.s.c, r.d.principal(), "ecs", "UpdateServicePrimaryTaskSet", &ecs.UpdateServicePrimaryTaskSetInput{
		Cluster: aws.String(r.place.cluster), Service: aws.String(r.place.service), PrimaryTaskSet: aws.String(id),
	})
	return err
}

// remove deletes a task set with its tasks.
func (r *ecsRun) remove(ctx context.Context, id string) error {
	_, err := wire.Do[ecs.DeleteTaskSetOutput](ctx, r.s.c, r.d.principal(), "ecs", "DeleteTaskSet", &ecs.DeleteTaskSetInput{
		Cluster: aws.String(r.place.cluster), Service: aws.String(r.place.service), TaskSet: aws.String(id), Force: aws.Bool(true),
	})
	return err
}

// show notes how a task set was last seen.
func (s *side) show(set ecstypes.TaskSet, group string, label cdtypes.TargetLabel) {
	s.last = cdtypes.ECSTaskSet{
		Identifer: set.Id, //nolint:misspell // as AWS spells it
		Status:    set.Status, TaskSetLabel: label, TargetGroup: &cdtypes.TargetGroupInfo{Name: aws.String(group)},
		DesiredCount: int64(set.ComputedDesiredCount), PendingCount: int64(set.PendingCount), RunningCount: int64(set.RunningCount),
	}
	s.runs = aws.ToString(set.TaskDefinition)
}

// targets describes the service with its task sets as they are now; one that has
// been deleted, as it was last seen.
func (r *ecsRun) targets() []cdtypes.DeploymentTarget {
	if !r.known {
		return nil
	}
	ctx := context.Background() //nolint:forbidigo // targets are described without the context of a request
	t := &cdtypes.ECSTarget{
		DeploymentId: r.d.info.DeploymentId, LastUpdatedAt: aws.Time(r.life.updated), Status: r.status, LifecycleEvents: r.life.list(),
		TargetArn: aws.String(r.place.arn), TargetId: aws.String(r.place.cluster + ":" + r.place.service),
	}
	for _, x := range []struct {
		side  *side
		label cdtypes.TargetLabel
		share int32
	}{{&r.blue, cdtypes.TargetLabelBlue, bluegreen.All - r.percent}, {&r.green, cdtypes.TargetLabelGreen, r.percent}} {
		if x.side.set == "" {
			continue
		}
		switch set, err := r.taskSet(ctx, x.side.set); {
		case set != nil:
			x.side.show(*set, x.side.name, x.label)
		case err == nil:
			x.side.last.Status = aws.String("DRAINING")
			x.side.last.DesiredCount, x.side.last.PendingCount, x.side.last.RunningCount = 0, 0, 0
		}
		info := x.side.last
		info.TrafficWeight = float64(x.share)
		t.TaskSetsInfo = append(t.TaskSetsInfo, info)
	}
	return []cdtypes.DeploymentTarget{{DeploymentTargetType: cdtypes.DeploymentTargetTypeEcsTarget, EcsTarget: t}}
}
