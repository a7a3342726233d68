package codedeploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How long the instances of a new Auto Scaling group may take to be in service,
// and how often they are looked for. Both are assumed.
const (
	provisionLimit = time.Hour
	provisionPoll  = 15 * time.Second
)

// suspended are the processes that are suspended in a new Auto Scaling group
// while it is deployed to (published CloudTrail records of a deployment).
func suspended() []string {
	return []string{"AddToLoadBalancer", "AlarmNotification", "ScheduledActions"}
}

// provision copies the group's Auto Scaling group: first without instances,
// then with as many as the original has healthy ones. What is copied and in
// which order is taken from published CloudTrail records.
func (r *serverRun) provision(ctx context.Context) {
	if err := r.copyGroup(ctx); err != nil {
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeAutoScalingConfiguration, fmt.Sprintf("The Auto Scaling group could not be copied: %v", err))
		return
	}
	r.await(ctx, r.s.w.Now().Add(provisionLimit))
}

func (r *serverRun) copyGroup(ctx context.Context) error {
	groups := r.d.settings.AutoScalingGroups
	if len(groups) != 1 {
		return fmt.Errorf("the deployment group has %d Auto Scaling groups, not one", len(groups))
	}
	from, err := r.s.scalingGroup(ctx, r.d.principal(), aws.ToString(groups[0].Name))
	if err != nil {
		return err
	}
	r.provisioned = "CodeDeploy_" + r.d.group.name() + "_" + r.d.id()
	in := replica(from)
	in.AutoScalingGroupName = aws.String(r.provisioned)
	in.Tags = append(in.Tags, astypes.Tag{Key: aws.String("CodeDeployProvisioningDeploymentId"), Value: r.d.info.DeploymentId, PropagateAtLaunch: aws.Bool(true)})
	if err := scale[autoscaling.CreateAutoScalingGroupOutput](ctx, r, "CreateAutoScalingGroup", in); err != nil {
		return err
	}
	healthy := int32(0)
	for _, i := range from.Instances {
		if i.LifecycleState == astypes.LifecycleStateInService && aws.ToString(i.HealthStatus) == "Healthy" {
			healthy++
		}
	}
	if err := scale[autoscaling.UpdateAutoScalingGroupOutput](ctx, r, "UpdateAutoScalingGroup", &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(r.provisioned), MinSize: aws.Int32(min(aws.ToInt32(from.MinSize), healthy)), DesiredCapacity: aws.Int32(healthy),
	}); err != nil {
		return err
	}
	return scale[autoscaling.SuspendProcessesOutput](ctx, r, "SuspendProcesses", &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: aws.String(r.provisioned), ScalingProcesses: suspended(),
	})
}

// replica is a request for an empty Auto Scaling group like another, without
// its load balancers: CodeDeploy registers the instances itself.
func replica(from *astypes.AutoScalingGroup) *autoscaling.CreateAutoScalingGroupInput {
	in := &autoscaling.CreateAutoScalingGroupInput{
		MinSize: aws.Int32(0), MaxSize: from.MaxSize, DesiredCapacity: aws.Int32(0), DefaultCooldown: from.DefaultCooldown,
		HealthCheckType: from.HealthCheckType, HealthCheckGracePeriod: from.HealthCheckGracePeriod,
		LaunchConfigurationName: from.LaunchConfigurationName, LaunchTemplate: from.LaunchTemplate, MixedInstancesPolicy: from.MixedInstancesPolicy,
		NewInstancesProtectedFromScaleIn: from.NewInstancesProtectedFromScaleIn, TerminationPolicies: from.TerminationPolicies,
		VPCZoneIdentifier: from.VPCZoneIdentifier,
	}
	if aws.ToString(in.VPCZoneIdentifier) == "" {
		in.AvailabilityZones = from.AvailabilityZones
	}
	if t := in.LaunchTemplate; t != nil && aws.ToString(t.LaunchTemplateId) != "" {
		in.LaunchTemplate = &astypes.LaunchTemplateSpecification{LaunchTemplateId: t.LaunchTemplateId, Version: t.Version} // the name as well is refused
	}
	for _, t := range from.Tags {
		in.Tags = append(in.Tags, astypes.Tag{Key: t.Key, Value: t.Value, PropagateAtLaunch: t.PropagateAtLaunch})
	}
	return in
}

// scale calls an operation of Auto Scaling whose answer does not matter.
func scale[O any](ctx context.Context, r *serverRun, operation string, in any) error {
	_, err := wire.Do[O](ctx, r.s.c, r.d.principal(), "autoscaling", operation, in)
	return err
}

// await waits until the instances of the new Auto Scaling group are in service.
func (r *serverRun) await(ctx context.Context, deadline time.Time) {
	g, err := r.s.scalingGroup(ctx, r.d.principal(), r.provisioned)
	if err != nil {
		r.failRole(ctx, err)
		return
	}
	green, err := r.s.inService(ctx, r.d.principal(), r.provisioned)
	switch {
	case err != nil:
		r.failRole(ctx, err)
	case len(green) >= int(aws.ToInt32(g.DesiredCapacity)):
		r.install(ctx, green)
	case r.s.w.Now().Before(deadline):
		r.s.later(r.d, provisionPoll, func() { r.await(ctx, deadline) })
	default:
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeAutoScalingConfiguration, fmt.Sprintf("The instances of Auto Scaling group %s were not in service within one hour.", r.provisioned))
	}
}

func (s *Service) deleteScalingGroup(ctx context.Context, who wire.Principal, name string) error {
	_, err := wire.Do[autoscaling.DeleteAutoScalingGroupOutput](ctx, s.c, who, "autoscaling", "DeleteAutoScalingGroup",
		&autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String(name), ForceDelete: aws.Bool(true)})
	return err
}

// checkAutoScaling refuses Auto Scaling groups that do not exist. Those that
// the group has already were looked up when they were added.
func (x *serverExecutor) checkAutoScaling(ctx context.Context, info *cdtypes.DeploymentGroupInfo) error {
	invalid := func(why string) error { return &cdtypes.InvalidAutoScalingGroupException{Message: aws.String(why)} }
	if len(info.AutoScalingGroups) > autoScalingLimit {
		return invalid("The Auto Scaling group limit of a deployment group was exceeded.")
	}
	seen := map[string]bool{}
	for _, g := range info.AutoScalingGroups {
		name := aws.ToString(g.Name)
		if name == "" || seen[name] {
			return invalid("The Auto Scaling group was specified in an invalid format or does not exist.")
		}
		seen[name] = true
		if g.Hook != nil {
			continue
		}
		if _, err := x.s.scalingGroup(ctx, as(aws.ToString(info.ServiceRoleArn)), name); err != nil {
			return invalid("The Auto Scaling group was specified in an invalid format or does not exist: " + err.Error())
		}
	}
	return nil
}

// launchHook begins the names of the lifecycle hooks that CodeDeploy puts into
// Auto Scaling groups. The name of the deployment group and a UUID follow.
const launchHook = "CodeDeploy-managed-automatic-launch-deployment-hook-"

// installHooks puts CodeDeploy's lifecycle hooks into the Auto Scaling groups
// that a deployment group has got, writes down their names, and takes them out
// of those that it has no more. It returns the groups from which a hook could
// not be taken.
func (s *Service) installHooks(ctx context.Context, before, after *cdtypes.DeploymentGroupInfo) ([]cdtypes.AutoScalingGroup, error) {
	after.AutoScalingGroups = slices.Clone(after.AutoScalingGroups)
	for i := range after.AutoScalingGroups {
		g := &after.AutoScalingGroups[i]
		if g.Hook != nil {
			continue
		}
		hook := launchHook + aws.ToString(after.DeploymentGroupName) + "-" + s.w.UUID()
		_, err := wire.Do[autoscaling.PutLifecycleHookOutput](ctx, s.c, as(aws.ToString(after.ServiceRoleArn)), "autoscaling", "PutLifecycleHook",
			&autoscaling.PutLifecycleHookInput{
				AutoScalingGroupName: g.Name, LifecycleHookName: aws.String(hook), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
				DefaultResult: aws.String("ABANDON"), HeartbeatTimeout: aws.Int32(600), NotificationMetadata: after.DeploymentGroupId,
			})
		if err != nil {
			return nil, fmt.Errorf("put a lifecycle hook into Auto Scaling group %s: %w", aws.ToString(g.Name), err)
		}
		g.Hook = aws.String(hook)
	}
	return s.removeHooks(ctx, before, after), nil
}

func (s *Service) removeHooks(ctx context.Context, before, after *cdtypes.DeploymentGroupInfo) []cdtypes.AutoScalingGroup {
	left := []cdtypes.AutoScalingGroup{}
	for _, g := range before.AutoScalingGroups {
		stays := slices.ContainsFunc(after.AutoScalingGroups, func(o cdtypes.AutoScalingGroup) bool { return aws.ToString(o.Name) == aws.ToString(g.Name) })
		if g.Hook == nil || stays {
			continue
		}
		_, err := wire.Do[autoscaling.DeleteLifecycleHookOutput](ctx, s.c, as(aws.ToString(before.ServiceRoleArn)), "autoscaling", "DeleteLifecycleHook",
			&autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: g.Name, LifecycleHookName: g.Hook})
		if err != nil {
			left = append(left, g)
		}
	}
	return left
}
