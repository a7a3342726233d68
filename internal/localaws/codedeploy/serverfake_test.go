package codedeploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// ec2 is EC2 as far as CodeDeploy needs it. One answer has two instances at most.
func (b *serverBench) ec2() wire.Service {
	return wire.Service{Name: "ec2", Protocol: wire.Query, Operations: []wire.Operation{
		wire.Op("DescribeInstances", b.describeInstances),
		wire.Op("TerminateInstances", b.terminateInstances),
	}}
}

func (b *serverBench) describeInstances(c *wire.Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if c.Principal.ARN != role && (c.Principal.ARN != "" || len(in.InstanceIds) != 1) {
		return nil, &smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "not as " + c.Principal.ARN}
	}
	ids := slices.Sorted(maps.Keys(b.instances))
	if len(in.InstanceIds) > 0 {
		ids = in.InstanceIds
	}
	from := slices.Index(ids, aws.ToString(in.NextToken)) + 1
	out := &ec2.DescribeInstancesOutput{}
	for _, id := range ids[from:min(from+2, len(ids))] {
		if b.instances[id] == nil {
			return nil, &smithy.GenericAPIError{Code: "InvalidInstanceID.NotFound", Message: id}
		}
		out.Reservations = append(out.Reservations, ec2types.Reservation{Instances: []ec2types.Instance{*b.instances[id]}})
		out.NextToken = aws.String(id)
	}
	if from+2 >= len(ids) {
		out.NextToken = nil
	}
	return out, nil
}

func (b *serverBench) terminateInstances(_ *wire.Call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
	b.log("terminate %s", strings.Join(in.InstanceIds, " "))
	for _, id := range in.InstanceIds {
		b.instances[id].State = &ec2types.InstanceState{Name: ec2types.InstanceStateNameTerminated}
	}
	return &ec2.TerminateInstancesOutput{}, nil
}

// autoscaling is EC2 Auto Scaling as far as CodeDeploy needs it. An instance is
// in service 30 seconds after its launch.
func (b *serverBench) autoscaling() wire.Service {
	return wire.Service{Name: "autoscaling", Protocol: wire.Query, Operations: []wire.Operation{
		wire.Op("DescribeAutoScalingGroups", b.describeAutoScalingGroups),
		wire.Op("CreateAutoScalingGroup", b.createAutoScalingGroup),
		wire.Op("UpdateAutoScalingGroup", b.updateAutoScalingGroup),
		wire.Op("DeleteAutoScalingGroup", b.deleteAutoScalingGroup),
		wire.Op("SuspendProcesses", func(_ *wire.Call, in *autoscaling.SuspendProcessesInput) (*autoscaling.SuspendProcessesOutput, error) {
			b.log("suspend %s %v", *in.AutoScalingGroupName, in.ScalingProcesses)
			return &autoscaling.SuspendProcessesOutput{}, nil
		}),
		wire.Op("ResumeProcesses", func(_ *wire.Call, in *autoscaling.ResumeProcessesInput) (*autoscaling.ResumeProcessesOutput, error) {
			b.log("resume %s %v", *in.AutoScalingGroupName, in.ScalingProcesses)
			return &autoscaling.ResumeProcessesOutput{}, nil
		}),
		wire.Op("PutLifecycleHook", func(_ *wire.Call, in *autoscaling.PutLifecycleHookInput) (*autoscaling.PutLifecycleHookOutput, error) {
			b.log("hook %s %s %s", *in.AutoScalingGroupName, *in.LifecycleTransition, *in.DefaultResult)
			return &autoscaling.PutLifecycleHookOutput{}, nil
		}),
		wire.Op("DeleteLifecycleHook", func(_ *wire.Call, in *autoscaling.DeleteLifecycleHookInput) (*autoscaling.DeleteLifecycleHookOutput, error) {
			b.log("unhook %s", *in.AutoScalingGroupName)
			return &autoscaling.DeleteLifecycleHookOutput{}, nil
		}),
		wire.Op("CompleteLifecycleAction", b.completeLifecycleAction),
		wire.Op("RecordLifecycleActionHeartbeat", func(_ *wire.Call, in *autoscaling.RecordLifecycleActionHeartbeatInput) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
			b.log("heartbeat of %s", *in.InstanceId)
			return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, nil
		}),
	}}
}

func (b *serverBench) describeAutoScalingGroups(c *wire.Call, in *autoscaling.DescribeAutoScalingGroupsInput) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	if c.Principal.ARN != role {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not as " + c.Principal.ARN}
	}
	out := &autoscaling.DescribeAutoScalingGroupsOutput{}
	for _, name := range in.AutoScalingGroupNames {
		if g := b.scaling[name]; g != nil {
			out.AutoScalingGroups = append(out.AutoScalingGroups, *g)
		}
	}
	return out, nil
}

func (b *serverBench) createAutoScalingGroup(_ *wire.Call, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	g := &astypes.AutoScalingGroup{
		AutoScalingGroupName: in.AutoScalingGroupName, MinSize: in.MinSize, MaxSize: in.MaxSize, DesiredCapacity: in.DesiredCapacity,
		LaunchTemplate: in.LaunchTemplate, VPCZoneIdentifier: in.VPCZoneIdentifier,
	}
	var tags []string
	for _, t := range in.Tags {
		g.Tags = append(g.Tags, astypes.TagDescription{Key: t.Key, Value: t.Value, PropagateAtLaunch: t.PropagateAtLaunch})
		tags = append(tags, *t.Key)
	}
	b.scaling[*in.AutoScalingGroupName] = g
	b.log("create %s of 0 to %d by %s tags %v", *in.AutoScalingGroupName, *in.MaxSize, *in.LaunchTemplate.LaunchTemplateId, tags)
	return &autoscaling.CreateAutoScalingGroupOutput{}, nil
}

func (b *serverBench) updateAutoScalingGroup(_ *wire.Call, in *autoscaling.UpdateAutoScalingGroupInput) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	g := b.scaling[*in.AutoScalingGroupName]
	b.log("update %s to %d", *in.AutoScalingGroupName, *in.DesiredCapacity)
	g.MinSize, g.DesiredCapacity = in.MinSize, in.DesiredCapacity
	for range *in.DesiredCapacity {
		b.launch(*in.AutoScalingGroupName)
	}
	return &autoscaling.UpdateAutoScalingGroupOutput{}, nil
}

// launch starts an instance in an Auto Scaling group, which is in service 30
// seconds later.
func (b *serverBench) launch(group string) {
	id := b.pending(group)
	b.w.After(30*time.Second, func() { b.serve(group, id) })
}

// pending starts an instance in an Auto Scaling group that waits for something.
func (b *serverBench) pending(group string) string {
	b.launched++
	id := fmt.Sprintf("i-000000f%d", b.launched)
	b.run(id, "aws:autoscaling:groupName="+group)
	g := b.scaling[group]
	g.Instances = append(g.Instances, astypes.Instance{
		InstanceId: aws.String(id), LifecycleState: astypes.LifecycleStatePendingWait, HealthStatus: aws.String("Healthy"), AvailabilityZone: aws.String("us-east-1a"),
	})
	return id
}

func (b *serverBench) serve(group, id string) {
	g := b.scaling[group]
	for i := range g.Instances {
		if *g.Instances[i].InstanceId == id {
			g.Instances[i].LifecycleState = astypes.LifecycleStateInService
		}
	}
}

func (b *serverBench) deleteAutoScalingGroup(_ *wire.Call, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	b.log("delete %s force %t", *in.AutoScalingGroupName, *in.ForceDelete)
	delete(b.scaling, *in.AutoScalingGroupName)
	return &autoscaling.DeleteAutoScalingGroupOutput{}, nil
}

func (b *serverBench) completeLifecycleAction(_ *wire.Call, in *autoscaling.CompleteLifecycleActionInput) (*autoscaling.CompleteLifecycleActionOutput, error) {
	b.log("complete %s %s %s", *in.AutoScalingGroupName, *in.InstanceId, *in.LifecycleActionResult)
	if *in.LifecycleActionResult == "CONTINUE" {
		b.serve(*in.AutoScalingGroupName, *in.InstanceId)
	}
	return &autoscaling.CompleteLifecycleActionOutput{}, nil
}

// scale makes an Auto Scaling group with n instances in service.
func (b *serverBench) scale(name string, n int) {
	b.scaling[name] = &astypes.AutoScalingGroup{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int32(1), MaxSize: aws.Int32(4), DesiredCapacity: aws.Int32(int32(n)),
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1"), LaunchTemplateName: aws.String("shop"), Version: aws.String("1")},
		Tags:           []astypes.TagDescription{{Key: aws.String("role"), Value: aws.String("web"), PropagateAtLaunch: aws.Bool(true)}},
	}
	for range n {
		b.serve(name, b.pending(name))
	}
}

// stop stops a deployment.
func (b *serverBench) stop(id string) {
	b.t.Helper()
	do[sdk.StopDeploymentOutput](b.bench, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(id)})
}
