package fleets_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/fleets"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// answers are Auto Scaling and EC2 with one group, for what the local AWS does not
// have: mixed instances policies, launch configurations, and templates that are
// known by their names alone.
type answers struct {
	*autoscaling.Client

	group     astypes.AutoScalingGroup
	refreshes []astypes.InstanceRefresh
	started   []*autoscaling.StartInstanceRefreshInput
	looked    int // at launch templates
}

func (a *answers) DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []astypes.AutoScalingGroup{a.group}}, nil
}

func (a *answers) DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	return &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: a.refreshes}, nil
}

func (a *answers) StartInstanceRefresh(_ context.Context, in *autoscaling.StartInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error) {
	a.started = append(a.started, in)
	return &autoscaling.StartInstanceRefreshOutput{InstanceRefreshId: aws.String("refresh")}, nil
}

type versions struct {
	*ec2.Client
	*answers
}

func (v versions) DescribeLaunchTemplateVersions(context.Context, *ec2.DescribeLaunchTemplateVersionsInput, ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	v.looked++
	return &ec2.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []ec2types.LaunchTemplateVersion{{LaunchTemplateId: aws.String("lt-1"), VersionNumber: aws.Int64(1)}}}, nil
}

func (a *answers) driver() *fleets.Client {
	return fleets.New(a, versions{answers: a}, nil)
}

// mixed is a group of several instance types.
func mixed(overrides ...astypes.LaunchTemplateOverrides) *astypes.MixedInstancesPolicy {
	return &astypes.MixedInstancesPolicy{
		InstancesDistribution: &astypes.InstancesDistribution{OnDemandPercentageAboveBaseCapacity: aws.Int32(50)},
		LaunchTemplate: &astypes.LaunchTemplate{
			LaunchTemplateSpecification: &astypes.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1"), Version: aws.String("2")}, Overrides: overrides,
		},
	}
}

func TestAMixedInstancesPolicyStaysButForTheVersion(t *testing.T) {
	types := []astypes.LaunchTemplateOverrides{{InstanceType: aws.String("t3.micro")}, {InstanceType: aws.String("t3.small")}}
	a := &answers{group: astypes.AutoScalingGroup{AutoScalingGroupName: aws.String("fleet"), MixedInstancesPolicy: mixed(types...)}}
	_, err := a.driver().Restore(t.Context(), deploy.Restore{Place: place, From: "lt-1:2", To: "lt-1:1", Attempt: 1})
	require.NoError(t, err)
	want := mixed(types...)
	want.LaunchTemplate.LaunchTemplateSpecification.Version = aws.String("1")
	require.Len(t, a.started, 1)
	assert.Equal(t, &astypes.DesiredConfiguration{MixedInstancesPolicy: want}, a.started[0].DesiredConfiguration)
	assert.Equal(t, mixed(types...), a.group.MixedInstancesPolicy, "what was read is not written to")
}

func TestAPolicyOfSeveralTemplatesIsLeftToPeople(t *testing.T) {
	a := &answers{group: astypes.AutoScalingGroup{MixedInstancesPolicy: mixed(astypes.LaunchTemplateOverrides{
		InstanceType: aws.String("c7g.large"), LaunchTemplateSpecification: &astypes.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-arm"), Version: aws.String("4")},
	})}}
	_, err := a.driver().Restore(t.Context(), deploy.Restore{Place: place, To: "lt-1:1", Attempt: 1})
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "has a launch template of its own for c7g.large")
	assert.Empty(t, a.started)
}

func TestInstancesOfALaunchConfigurationHaveARevisionThatCannotBePutBack(t *testing.T) {
	a := &answers{group: astypes.AutoScalingGroup{
		AutoScalingGroupName: aws.String("fleet"), LaunchConfigurationName: aws.String("old"),
		Instances: []astypes.Instance{{LifecycleState: astypes.LifecycleStateInService, LaunchConfigurationName: aws.String("old")}},
	}}
	live, err := a.driver().Live(t.Context(), place)
	require.NoError(t, err)
	assert.Equal(t, deploy.Live{Place: place, Version: "launch-configuration/old"}, live)
	require.ErrorIs(t, a.driver().Ready(t.Context(), place, live.Version), deploy.ErrUnknown)
	g, err := a.driver().Group(t.Context(), place.Target)
	require.NoError(t, err)
	assert.Contains(t, g.Warning, "it has a launch configuration, which has no versions")
}

func TestATemplateThatIsKnownByItsNameIsLookedUpOnce(t *testing.T) {
	a := &answers{}
	for _, version := range []string{"3", "2"} {
		a.refreshes = append(a.refreshes, astypes.InstanceRefresh{
			InstanceRefreshId: aws.String("to-" + version), Status: astypes.InstanceRefreshStatusSuccessful,
			DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: &version}},
		})
	}
	d, err := a.driver().Get(t.Context(), place.Target, "to-3")
	require.NoError(t, err)
	assert.Equal(t, []deploy.Revision{"lt-1:2", "lt-1:3"}, []deploy.Revision{d.From, d.To})
	assert.Equal(t, 1, a.looked)
}
