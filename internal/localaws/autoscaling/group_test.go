package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	svc := newBench(t).service.Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/autoscaling")
	wiretest.Answers(t, svc)
}

func TestAGroupLaunchesWhatIsMissing(t *testing.T) {
	b := newBench(t)
	b.template()
	must[*autoscaling.CreateAutoScalingGroupOutput](b)(b.CreateAutoScalingGroup(b.ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(1), MaxSize: aws.Int32(3), DesiredCapacity: aws.Int32(2),
		VPCZoneIdentifier: aws.String("subnet-0de4a017c0de4a011,subnet-0de4a017c0de4a012"), LaunchTemplate: web("$Latest"),
		Tags: []astypes.Tag{
			{Key: aws.String("app"), Value: aws.String("web"), PropagateAtLaunch: aws.Bool(true)},
			{Key: aws.String("note"), Value: aws.String("x")},
		},
	}))
	b.advance(0)
	assert.Equal(t, "2 v2 Pending Healthy", b.counts(), "the version of an instance is a number")
	b.advance(40 * time.Second)
	assert.Equal(t, "2 v2 InService Healthy", b.counts())
	g := b.fleet()
	assert.Equal(t, []string{"us-east-1a", "us-east-1b"}, g.AvailabilityZones)
	assert.Equal(t, []string{"us-east-1a", "us-east-1b"}, []string{*g.Instances[0].AvailabilityZone, *g.Instances[1].AvailabilityZone}, "spread over the subnets")
	assert.Equal(t, []string{"30s EC2 Instance Launch Successful", "30s EC2 Instance Launch Successful"}, b.events)
	assert.Equal(t, map[string]any{
		"StatusCode": "InProgress", "Description": "Launching a new EC2 instance: " + b.ids()[0], "AutoScalingGroupName": "fleet",
		"ActivityId": b.details[0]["ActivityId"], "RequestId": b.details[0]["ActivityId"], "StatusMessage": "",
		"Details":   map[string]any{"Subnet ID": "subnet-0de4a017c0de4a011", "Availability Zone": "us-east-1a"},
		"StartTime": "2026-01-05T09:00:00.000Z", "EndTime": "2026-01-05T09:00:30.000Z", "EC2InstanceId": b.ids()[0],
		"Cause": "At 2026-01-05T09:00:00Z a user request created an AutoScalingGroup changing the desired capacity from 0 to 2.  " +
			"At 2026-01-05T09:00:00Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 2.",
		"Origin": "EC2", "Destination": "AutoScalingGroup",
	}, b.details[0])
	out := call[ec2.DescribeInstancesOutput](b, "ec2", "DescribeInstances", &ec2.DescribeInstancesInput{InstanceIds: b.ids()[:1]})
	assert.Subset(t, out.Reservations[0].Instances[0].Tags, []ec2types.Tag{
		{Key: aws.String("app"), Value: aws.String("web")}, {Key: aws.String("aws:autoscaling:groupName"), Value: aws.String("fleet")},
	})
	assert.NotContains(t, out.Reservations[0].Instances[0].Tags, ec2types.Tag{Key: aws.String("note"), Value: aws.String("x")})
}

func TestScalingInTakesTheOldestAndNoProtectedOne(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(1, func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = []string{"us-east-1a"} })
	first := b.ids()[0]
	must[*autoscaling.SetDesiredCapacityOutput](b)(b.SetDesiredCapacity(b.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("fleet"), DesiredCapacity: aws.Int32(3)}))
	b.advance(time.Minute)
	require.Len(t, b.ids(), 3)
	must[*autoscaling.SetInstanceProtectionOutput](b)(b.SetInstanceProtection(b.ctx, &autoscaling.SetInstanceProtectionInput{
		AutoScalingGroupName: aws.String("fleet"), InstanceIds: []string{first}, ProtectedFromScaleIn: aws.Bool(true),
	}))
	must[*autoscaling.SetDesiredCapacityOutput](b)(b.SetDesiredCapacity(b.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("fleet"), DesiredCapacity: aws.Int32(0)}))
	b.advance(2 * time.Minute)
	assert.Equal(t, []string{first}, b.ids())
	out := must[*autoscaling.DescribeScalingActivitiesOutput](b)(b.DescribeScalingActivities(b.ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Equal(t, []string{"Terminating EC2 instance: ", "Terminating EC2 instance: ", "Launching a new EC2 instance: ", "Launching a new EC2 instance: ", "Launching a new EC2 instance: "},
		func() (all []string) {
			for _, a := range out.Activities {
				assert.Equal(t, astypes.ScalingActivityStatusCodeSuccessful, a.StatusCode)
				all = append(all, (*a.Description)[:len(*a.Description)-len(first)])
			}
			return all
		}())
}

func TestWhatIsNotHealthyIsReplaced(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	ids := b.ids()
	call[ec2.CreateTagsOutput](b, "ec2", "CreateTags", &ec2.CreateTagsInput{Resources: ids[:1], Tags: []ec2types.Tag{
		{Key: aws.String(localec2.HealthTag), Value: aws.String(localec2.Impaired)},
	}})
	b.advance(3 * time.Minute)
	assert.Equal(t, "2 v1 InService Healthy", b.counts())
	assert.NotContains(t, b.ids(), ids[0])

	call[ec2.StopInstancesOutput](b, "ec2", "StopInstances", &ec2.StopInstancesInput{InstanceIds: ids[1:]})
	b.advance(3 * time.Minute)
	assert.NotContains(t, b.ids(), ids[1])

	third := b.ids()[0]
	must[*autoscaling.SetInstanceHealthOutput](b)(b.SetInstanceHealth(b.ctx, &autoscaling.SetInstanceHealthInput{InstanceId: &third, HealthStatus: aws.String("Unhealthy")}))
	b.advance(3 * time.Minute)
	assert.NotContains(t, b.ids(), third)
	out := must[*autoscaling.DescribeScalingActivitiesOutput](b)(b.DescribeScalingActivities(b.ctx, &autoscaling.DescribeScalingActivitiesInput{}))
	var causes []string
	for _, a := range out.Activities {
		if (*a.Description)[:11] == "Terminating" {
			causes = append(causes, (*a.Cause)[len("At 2026-01-05T09:00:00Z an instance was taken out of service in response to "):])
		}
	}
	assert.Equal(t, []string{"a user health-check.", "an EC2 health check indicating it has been terminated or stopped.", "EC2 instance status checks failure."}, causes)
}

func TestSuspendedProcessesDoNothing(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(1)
	must[*autoscaling.SuspendProcessesOutput](b)(b.SuspendProcesses(b.ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("fleet"), ScalingProcesses: []string{"Launch"}}))
	must[*autoscaling.SetDesiredCapacityOutput](b)(b.SetDesiredCapacity(b.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("fleet"), DesiredCapacity: aws.Int32(2)}))
	b.advance(5 * time.Minute)
	assert.Len(t, b.ids(), 1)
	assert.Equal(t, []astypes.SuspendedProcess{{ProcessName: aws.String("Launch"), SuspensionReason: aws.String("User suspended at 2026-01-05T09:01:00Z")}}, b.fleet().SuspendedProcesses)
	must[*autoscaling.ResumeProcessesOutput](b)(b.ResumeProcesses(b.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("fleet")}))
	b.advance(time.Minute)
	assert.Equal(t, "2 v1 InService Healthy", b.counts())
}

func TestStandbyLeavesAndComesBack(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	id := b.ids()[0]
	must[*autoscaling.EnterStandbyOutput](b)(b.EnterStandby(b.ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: aws.String("fleet"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: aws.Bool(true),
	}))
	b.advance(time.Minute)
	assert.Equal(t, "1 v1 InService Healthy, 1 v1 Standby Healthy", b.counts())
	assert.Equal(t, int32(1), *b.fleet().DesiredCapacity)
	must[*autoscaling.ExitStandbyOutput](b)(b.ExitStandby(b.ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: aws.String("fleet"), InstanceIds: []string{id}}))
	b.advance(time.Minute)
	assert.Equal(t, "2 v1 InService Healthy", b.counts())
	assert.Equal(t, int32(2), *b.fleet().DesiredCapacity)
	assert.Equal(t, []string{
		"0s fleet " + id + " EnteringStandby", "0s fleet " + id + " Standby", "1m0s fleet " + id + " Pending", "1m0s fleet " + id + " InService",
	}, b.states)
}

func TestDeletingAGroupNeedsForceWhileItHasInstances(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	_, err := b.DeleteAutoScalingGroup(b.ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("fleet")})
	assert.Equal(t, "ResourceInUse: You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.", code(t, err))
	must[*autoscaling.DeleteAutoScalingGroupOutput](b)(b.DeleteAutoScalingGroup(b.ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("fleet"), ForceDelete: aws.Bool(true)}))
	assert.Equal(t, "Delete in progress", *b.fleet().Status)
	b.advance(time.Minute)
	out := must[*autoscaling.DescribeAutoScalingGroupsOutput](b)(b.DescribeAutoScalingGroups(b.ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))
	assert.Empty(t, out.AutoScalingGroups)
	instances := call[ec2.DescribeInstancesOutput](b, "ec2", "DescribeInstances", &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"running", "pending"}}},
	})
	assert.Empty(t, instances.Reservations)
}

func TestSettingsAreRefused(t *testing.T) {
	b := newBench(t)
	b.template()
	for want, change := range map[string]func(*autoscaling.CreateAutoScalingGroupInput){
		"ValidationError: Max bound, 20, must be greater than or equal to min bound, 30":                   func(in *autoscaling.CreateAutoScalingGroupInput) { in.MinSize = aws.Int32(30) },
		"ValidationError: New SetDesiredCapacity value 21 is above max value 20 for the AutoScalingGroup.": func(in *autoscaling.CreateAutoScalingGroupInput) { in.DesiredCapacity = aws.Int32(21) },
		"ValidationError: At least one Availability Zone or VPC Subnet is required.":                       func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = nil },
		"UnsupportedParameter: the local AWS does not support member MixedInstancesPolicy of CreateAutoScalingGroupInput": func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy = &astypes.MixedInstancesPolicy{}
			in.MixedInstancesPolicy.LaunchTemplate = &astypes.LaunchTemplate{LaunchTemplateSpecification: web("1")}
		},
		"ValidationError: You must use a valid fully-formed launch template. Could not find launch template version 9": func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate = web("9") },
	} {
		in := &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(0), MaxSize: aws.Int32(20),
			AvailabilityZones: []string{"us-east-1a"}, LaunchTemplate: web("1"),
		}
		change(in)
		_, err := b.CreateAutoScalingGroup(b.ctx, in)
		assert.Equal(t, want, code(t, err))
	}
	b.group(0)
	_, err := b.CreateAutoScalingGroup(b.ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(0), MaxSize: aws.Int32(20), AvailabilityZones: []string{"us-east-1a"}, LaunchTemplate: web("1"),
	})
	assert.Equal(t, "AlreadyExists: AutoScalingGroup by this name already exists - A group with the name fleet already exists", code(t, err))
	_, err = b.SetDesiredCapacity(b.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("nobody"), DesiredCapacity: aws.Int32(1)})
	assert.Equal(t, "ValidationError: AutoScalingGroup name not found - AutoScalingGroup 'nobody' not found", code(t, err))
}

func TestTagsOfGroups(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(0)
	must[*autoscaling.CreateOrUpdateTagsOutput](b)(b.CreateOrUpdateTags(b.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{
		{ResourceId: aws.String("fleet"), ResourceType: aws.String("auto-scaling-group"), Key: aws.String("b"), Value: aws.String("2"), PropagateAtLaunch: aws.Bool(true)},
		{ResourceId: aws.String("fleet"), ResourceType: aws.String("auto-scaling-group"), Key: aws.String("a"), Value: aws.String("1")},
	}}))
	must[*autoscaling.DeleteTagsOutput](b)(b.DeleteTags(b.ctx, &autoscaling.DeleteTagsInput{Tags: []astypes.Tag{{ResourceId: aws.String("fleet"), Key: aws.String("a")}}}))
	out := must[*autoscaling.DescribeTagsOutput](b)(b.DescribeTags(b.ctx, &autoscaling.DescribeTagsInput{Filters: []astypes.Filter{{Name: aws.String("auto-scaling-group"), Values: []string{"fleet"}}}}))
	assert.Equal(t, []astypes.TagDescription{{
		ResourceId: aws.String("fleet"), ResourceType: aws.String("auto-scaling-group"), Key: aws.String("b"), Value: aws.String("2"), PropagateAtLaunch: aws.Bool(true),
	}}, out.Tags)
}
