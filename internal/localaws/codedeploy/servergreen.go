package codedeploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/batch"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// blueGreen replaces the instances of the group: the revision is installed on
// the replacement, traffic is rerouted to it, the original instances are taken
// from the load balancer, and then perhaps terminated.
func (r *serverRun) blueGreen(ctx context.Context) {
	switch {
	case r.d.info.BlueGreenDeploymentConfiguration == nil:
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeMissingBlueGreenDeploymentConfiguration, "The deployment failed because the deployment group has no blue/green deployment configuration.")
		return
	case r.d.info.LoadBalancerInfo == nil:
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeMissingElbInformation, "The deployment failed because no load balancer is specified for the deployment group.")
		return
	}
	blue, err := r.s.find(ctx, r.d.principal(), fleet(&r.d.settings))
	if err != nil {
		r.failRole(ctx, err)
		return
	}
	if len(blue) == 0 {
		r.failEmpty(ctx, "in your blue fleet")
		return
	}
	for _, m := range blue {
		r.newTask(m, cdtypes.TargetLabelBlue, blockEvents())
	}
	if r.copies() {
		r.provision(ctx)
		return
	}
	green, err := r.s.find(ctx, r.d.principal(), replacement(r.d.info.TargetInstances))
	if err != nil {
		r.failRole(ctx, err)
		return
	}
	r.install(ctx, green)
}

// copies reports whether the replacement is made by CodeDeploy.
func (r *serverRun) copies() bool {
	p := r.d.info.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption
	return p != nil && p.Action == cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup
}

func (r *serverRun) labelled(label cdtypes.TargetLabel) []*task {
	var some []*task
	for _, t := range r.tasks {
		if t.label == label {
			some = append(some, t)
		}
	}
	return some
}

// install installs the revision on the replacement instances. An instance that
// is among the original ones cannot replace itself.
func (r *serverRun) install(ctx context.Context, green []machine) {
	original := map[string]bool{}
	for _, t := range r.tasks {
		original[t.m.id] = true
	}
	for _, m := range green {
		if !original[m.id] {
			r.newTask(m, cdtypes.TargetLabelGreen, installEvents(), allowEvents())
		}
	}
	tasks := r.labelled(cdtypes.TargetLabelGreen)
	if len(tasks) == 0 {
		r.failEmpty(ctx, "in your green fleet")
		return
	}
	installed := func(*task) int { return len(installEvents()) }
	r.enter(ctx, stage{tasks: tasks, to: installed, config: r.batches(), then: r.standBy})
}

// standBy waits for the traffic to be rerouted, if the group wants that.
func (r *serverRun) standBy(ctx context.Context) {
	o := r.d.info.BlueGreenDeploymentConfiguration.DeploymentReadyOption
	if o == nil || o.ActionOnTimeout != cdtypes.DeploymentReadyActionStopDeployment {
		r.reroute(ctx)
		return
	}
	r.s.ready(ctx, r.d)
	r.wait(cdtypes.DeploymentWaitTypeReadyWait, minutes(o.WaitTimeInMinutes), func(ctx context.Context) {
		r.s.resume(r.d)
		r.reroute(ctx)
	}, func() {
		r.s.halt(ctx, r.d, cdtypes.ErrorCodeTimeout, "The deployment was stopped because traffic was not rerouted within the wait time.", false)
	})
}

// reroute gives traffic to the replacement instances, in batches as the
// deployment configuration says, and takes it from the original ones.
func (r *serverRun) reroute(ctx context.Context) {
	var ready []*task
	for _, t := range r.labelled(cdtypes.TargetLabelGreen) {
		if t.status == cdtypes.TargetStatusReady {
			ready = append(ready, t)
		}
	}
	r.enter(ctx, stage{tasks: ready, to: all, config: r.batches(), then: func(ctx context.Context) {
		r.enter(ctx, stage{tasks: r.labelled(cdtypes.TargetLabelBlue), to: all, strict: true, then: r.retire})
	}})
}

// retire ends the deployment with what becomes of the original instances.
func (r *serverRun) retire(ctx context.Context) {
	o := r.d.info.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess
	if o == nil || o.Action != cdtypes.InstanceActionTerminate {
		if r.adopt(ctx) {
			r.s.succeed(ctx, r.d)
		}
		return
	}
	r.d.info.InstanceTerminationWaitTimeStarted = true
	if o.TerminationWaitTimeInMinutes == 0 {
		r.terminate(ctx)
		return
	}
	r.wait(cdtypes.DeploymentWaitTypeTerminationWait, minutes(o.TerminationWaitTimeInMinutes), r.terminate, func() { r.terminate(ctx) })
}

// terminate terminates the original instances, those of Auto Scaling groups
// with their groups (published CloudTrail records of a deployment).
func (r *serverRun) terminate(ctx context.Context) {
	if !r.adopt(ctx) {
		return
	}
	var ids []string
	for _, t := range r.labelled(cdtypes.TargetLabelBlue) {
		if t.m.scaling == "" {
			ids = append(ids, t.m.id)
		}
	}
	for _, g := range r.d.settings.AutoScalingGroups {
		if err := r.s.deleteScalingGroup(ctx, r.d.principal(), aws.ToString(g.Name)); err != nil {
			r.s.fail(ctx, r.d, cdtypes.ErrorCodeAutoScalingConfiguration, fmt.Sprintf("The Auto Scaling group %s could not be deleted: %v", aws.ToString(g.Name), err))
			return
		}
	}
	if len(ids) > 0 {
		_, err := wire.Do[ec2.TerminateInstancesOutput](ctx, r.s.c, r.d.principal(), "ec2", "TerminateInstances", &ec2.TerminateInstancesInput{InstanceIds: ids})
		if err != nil {
			r.s.fail(ctx, r.d, cdtypes.ErrorCodeIamRolePermissions, fmt.Sprintf("The original instances could not be terminated: %v", err))
			return
		}
	}
	r.s.succeed(ctx, r.d)
}

// adopt makes the replacement instances those of the group: the original ones
// are "removed from the deployment group" (API reference,
// BlueInstanceTerminationOption).
func (r *serverRun) adopt(ctx context.Context) (ok bool) {
	if r.provisioned != "" {
		if err := scale[autoscaling.ResumeProcessesOutput](ctx, r, "ResumeProcesses", &autoscaling.ResumeProcessesInput{
			AutoScalingGroupName: aws.String(r.provisioned), ScalingProcesses: suspended(),
		}); err != nil {
			r.s.fail(ctx, r.d, cdtypes.ErrorCodeAutoScalingConfiguration, err.Error())
			return false
		}
	}
	info := r.d.group.info
	info.Ec2TagFilters, info.Ec2TagSet, info.AutoScalingGroups = nil, nil, nil
	if r.provisioned != "" {
		info.AutoScalingGroups = []cdtypes.AutoScalingGroup{{Name: aws.String(r.provisioned)}}
	} else {
		t := r.d.info.TargetInstances
		info.Ec2TagFilters, info.Ec2TagSet = t.TagFilters, t.Ec2TagSet
		for _, name := range t.AutoScalingGroups {
			info.AutoScalingGroups = append(info.AutoScalingGroups, cdtypes.AutoScalingGroup{Name: aws.String(name)})
		}
	}
	if _, err := r.s.installHooks(ctx, &r.d.group.info, &info); err != nil {
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeAutoScalingConfiguration, err.Error())
		return false
	}
	r.d.group.info = info
	return true
}

// reverse takes a blue/green deployment back: the original instances get their
// traffic, then the replacement ones lose it.
func (r *serverRun) reverse(ctx context.Context) {
	for _, t := range r.undoes.tasks {
		if t.label == cdtypes.TargetLabelBlue {
			r.newTask(t.m, t.label, allowEvents())
		}
	}
	for _, t := range r.undoes.tasks {
		if t.label == cdtypes.TargetLabelGreen {
			r.newTask(t.m, t.label, blockEvents())
		}
	}
	atOnce := batch.Config{Minimum: batch.Minimum{Kind: batch.HostCount}}
	r.enter(ctx, stage{tasks: r.labelled(cdtypes.TargetLabelBlue), to: all, config: atOnce, then: func(ctx context.Context) {
		green := r.labelled(cdtypes.TargetLabelGreen)
		if len(green) == 0 {
			r.s.succeed(ctx, r.d)
			return
		}
		r.enter(ctx, stage{tasks: green, to: all, config: atOnce, then: func(ctx context.Context) { r.s.succeed(ctx, r.d) }})
	}})
}
