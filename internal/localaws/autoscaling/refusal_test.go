package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
)

func TestARefreshDoesNotStart(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(1)
	b.alarms["red"], b.alarms["dark"] = cwtypes.StateValueAlarm, cwtypes.StateValueInsufficientData
	desired := &astypes.DesiredConfiguration{LaunchTemplate: web("2")}
	alarm := func(name string) *astypes.RefreshPreferences {
		return &astypes.RefreshPreferences{AlarmSpecification: &astypes.AlarmSpecification{Alarms: []string{name}}}
	}
	for want, in := range map[string]autoscaling.StartInstanceRefreshInput{
		"ValidationError: The instance refresh cannot start because these CloudWatch alarms are in ALARM or INSUFFICIENT_DATA state: red.":  {Preferences: alarm("red")},
		"ValidationError: The instance refresh cannot start because these CloudWatch alarms are in ALARM or INSUFFICIENT_DATA state: dark.": {Preferences: alarm("dark")},
		"ValidationError: The CloudWatch alarms do not exist: none.":                                                                        {Preferences: alarm("none")},
		"ValidationError: The AutoRollback parameter cannot be set to true: there is no desired configuration specified for the instance refresh.": {
			Preferences: &astypes.RefreshPreferences{AutoRollback: aws.Bool(true)},
		},
		"ValidationError: CheckpointDelay cannot be specified without CheckpointPercentages.": {Preferences: &astypes.RefreshPreferences{CheckpointDelay: aws.Int32(1)}},
		"ValidationError: CheckpointPercentages must be unique, in ascending order and between 1 and 100.": {
			Preferences: &astypes.RefreshPreferences{CheckpointPercentages: []int32{50, 50}},
		},
		"ValidationError: If you specify MaxHealthyPercentage, you must also specify MinHealthyPercentage.": {
			Preferences: &astypes.RefreshPreferences{MaxHealthyPercentage: aws.Int32(110)},
		},
		"ValidationError: The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater than 100.": {
			Preferences: &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(90), MaxHealthyPercentage: aws.Int32(200)},
		},
		"ValidationError: Strategy ReplaceRootVolume is not supported by the local Auto Scaling": {Strategy: astypes.RefreshStrategyReplaceRootVolume},
		"ValidationError: You must use a valid fully-formed launch template. Could not find launch template version 7": {
			DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: web("7")},
		},
	} {
		in.AutoScalingGroupName = aws.String("fleet")
		_, err := b.StartInstanceRefresh(b.ctx, &in)
		assert.Equal(t, want, code(t, err))
	}
	b.refresh("2", nil)
	_, err := b.StartInstanceRefresh(b.ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet"), DesiredConfiguration: desired})
	assert.Equal(t, "InstanceRefreshInProgress: An Instance Refresh is already in progress and blocks the execution of this operation.", code(t, err))
	_, err = b.AttachLoadBalancerTargetGroups(b.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("fleet"), TargetGroupARNs: []string{"x"}})
	assert.Equal(t, "InstanceRefreshInProgress: An Instance Refresh is already in progress and blocks the execution of this operation.", code(t, err))
	_, err = b.UpdateAutoScalingGroup(b.ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("fleet"), LaunchTemplate: web("1")})
	assert.Contains(t, code(t, err), "ValidationError: An active instance refresh with a desired configuration exists.")
}

func TestWhatCannotBeRolledBackIsIrreversible(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		desired *astypes.DesiredConfiguration
		want    string
	}{
		"no desired configuration": {"1", nil, "there is no desired configuration specified for the instance refresh"},
		"latest version":           {"$Latest", &astypes.DesiredConfiguration{LaunchTemplate: web("1")}, "the Auto Scaling group uses the launch template's $Latest or $Default version"},
		"a parameter for an image": {"3", &astypes.DesiredConfiguration{LaunchTemplate: web("1")}, "the launch template uses an AWS Systems Manager parameter instead of an AMI ID"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.template()
			call[ec2.CreateLaunchTemplateVersionOutput](b, "ec2", "CreateLaunchTemplateVersion", &ec2.CreateLaunchTemplateVersionInput{
				LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("resolve:ssm:/golden")},
			})
			b.group(0, func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchTemplate = web(c.version) })
			must[*autoscaling.StartInstanceRefreshOutput](b)(b.StartInstanceRefresh(b.ctx, &autoscaling.StartInstanceRefreshInput{
				AutoScalingGroupName: aws.String("fleet"), DesiredConfiguration: c.desired,
			}))
			_, err := b.RollbackInstanceRefresh(b.ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")})
			assert.Equal(t, "IrreversibleInstanceRefresh: The instance refresh cannot be rolled back: "+c.want+".", code(t, err))
		})
	}
}

func TestProtectedAndStandbyInstances(t *testing.T) {
	for name, c := range map[string]struct {
		preferences astypes.RefreshPreferences
		want        string
		counts      string
	}{
		"wait":    {astypes.RefreshPreferences{}, "Failed 50% 1", "1 v1 InService Healthy, 1 v3 InService Healthy"},
		"ignore":  {astypes.RefreshPreferences{ScaleInProtectedInstances: astypes.ScaleInProtectedInstancesIgnore}, "Successful 100% 0", "1 v1 InService Healthy, 1 v3 InService Healthy"},
		"refresh": {astypes.RefreshPreferences{ScaleInProtectedInstances: astypes.ScaleInProtectedInstancesRefresh}, "Successful 100% 0", "2 v3 InService Healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.template()
			b.version("")
			b.group(2)
			must[*autoscaling.SetInstanceProtectionOutput](b)(b.SetInstanceProtection(b.ctx, &autoscaling.SetInstanceProtectionInput{
				AutoScalingGroupName: aws.String("fleet"), InstanceIds: b.ids()[:1], ProtectedFromScaleIn: aws.Bool(true),
			}))
			b.refresh("3", &c.preferences)
			b.advance(70 * time.Minute)
			assert.Equal(t, c.want, b.state())
			assert.Equal(t, c.counts, b.counts())
		})
	}
}

func TestACancelledRefreshStopsWhereItIs(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(4)
	b.refresh("3", nil)
	b.advance(5 * time.Second)
	must[*autoscaling.CancelInstanceRefreshOutput](b)(b.CancelInstanceRefresh(b.ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Equal(t, astypes.InstanceRefreshStatusCancelling, b.last().Status)
	b.advance(2 * time.Minute)
	assert.Equal(t, astypes.InstanceRefreshStatusCancelled, b.last().Status)
	assert.Equal(t, "1 v3 InService Healthy, 3 v1 InService Healthy", b.counts())
	assert.Equal(t, "1", *b.fleet().LaunchTemplate.Version)
	_, err := b.CancelInstanceRefresh(b.ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")})
	assert.Equal(t, "ActiveInstanceRefreshNotFound: No in progress or pending Instance Refresh found for Auto Scaling group fleet", code(t, err))
}
