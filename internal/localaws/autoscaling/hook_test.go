package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/stretchr/testify/assert"
)

func TestALifecycleHookHoldsALaunchUntilItIsCompleted(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(0)
	must[*autoscaling.PutLifecycleHookOutput](b)(b.PutLifecycleHook(b.ctx, &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: aws.String("fleet"), LifecycleHookName: aws.String("install"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
		HeartbeatTimeout: aws.Int32(120), NotificationMetadata: aws.String("more"),
	}))
	must[*autoscaling.SetDesiredCapacityOutput](b)(b.SetDesiredCapacity(b.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("fleet"), DesiredCapacity: aws.Int32(2)}))
	b.advance(time.Minute)
	assert.Equal(t, "2 v1 Pending:Wait Healthy", b.counts())
	assert.Equal(t, []string{"30s EC2 Instance-launch Lifecycle Action", "30s EC2 Instance-launch Lifecycle Action"}, b.events)
	ids := b.ids()
	assert.Equal(t, map[string]any{
		"LifecycleActionToken": b.details[0]["LifecycleActionToken"], "AutoScalingGroupName": "fleet", "LifecycleHookName": "install", "EC2InstanceId": ids[0],
		"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "NotificationMetadata": "more", "Origin": "EC2", "Destination": "AutoScalingGroup",
	}, b.details[0])
	must[*autoscaling.CompleteLifecycleActionOutput](b)(b.CompleteLifecycleAction(b.ctx, &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String("fleet"), LifecycleHookName: aws.String("install"), LifecycleActionResult: aws.String("CONTINUE"),
		LifecycleActionToken: aws.String(b.details[0]["LifecycleActionToken"].(string)),
	}))
	b.advance(0)
	assert.Equal(t, "1 v1 InService Healthy, 1 v1 Pending:Wait Healthy", b.counts())
	b.advance(time.Minute)
	assert.Equal(t, "1 v1 InService Healthy, 1 v1 Pending:Wait Healthy", b.counts())
	b.advance(31 * time.Second) // the other one runs into its timeout: ABANDON
	assert.NotContains(t, b.counts(), "1 v1 Pending:Wait Healthy")
	assert.Contains(t, b.events, "2m30s EC2 Instance Launch Unsuccessful")
	_, err := b.CompleteLifecycleAction(b.ctx, &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String("fleet"), LifecycleHookName: aws.String("install"), LifecycleActionResult: aws.String("CONTINUE"), InstanceId: &ids[1],
	})
	assert.Equal(t, "ValidationError: No active Lifecycle Action found with instance ID "+ids[1], code(t, err))
}

func TestATerminationHookHoldsTheInstanceBack(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(1)
	id := b.ids()[0]
	must[*autoscaling.PutLifecycleHookOutput](b)(b.PutLifecycleHook(b.ctx, &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: aws.String("fleet"), LifecycleHookName: aws.String("save"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout: aws.Int32(300),
	}))
	must[*autoscaling.TerminateInstanceInAutoScalingGroupOutput](b)(b.TerminateInstanceInAutoScalingGroup(b.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
	}))
	b.advance(4 * time.Minute)
	assert.Equal(t, "1 v1 Terminating:Wait Healthy", b.counts())
	must[*autoscaling.DeleteLifecycleHookOutput](b)(b.DeleteLifecycleHook(b.ctx, &autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: aws.String("fleet"), LifecycleHookName: aws.String("save")}))
	b.advance(time.Minute)
	assert.Empty(t, b.ids())
	assert.Equal(t, []string{"0s EC2 Instance-terminate Lifecycle Action", "4m30s EC2 Instance Terminate Successful"}, b.events)
}
