package access_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func TestWhoRefreshesInstancesMustBeAllowedToLaunchThem(t *testing.T) {
	var seen []string
	a := open(t, access.Options{Observe: func(d access.Decision) { seen = append(seen, d.Action+" on "+d.Resource) }})
	a.user(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	roles, templates := awsiam.NewFromConfig(a.root()), ec2.NewFromConfig(a.root())
	_, err := roles.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: text("machine"), AssumeRolePolicyDocument: text(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	_, err = roles.CreateInstanceProfile(t.Context(), &awsiam.CreateInstanceProfileInput{InstanceProfileName: text("machines")})
	require.NoError(t, err)
	_, err = roles.AddRoleToInstanceProfile(t.Context(), &awsiam.AddRoleToInstanceProfileInput{InstanceProfileName: text("machines"), RoleName: text("machine")})
	require.NoError(t, err)
	_, err = templates.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: text("shop"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
		ImageId: text("ami-1"),
	}})
	require.NoError(t, err)
	_, err = templates.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateName: text("shop"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
		ImageId: text("ami-1"), IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: text("machines")},
		TagSpecifications: []ec2types.LaunchTemplateTagSpecificationRequest{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: text("k"), Value: text("v")}}}},
	}})
	require.NoError(t, err)
	const at = ":us-east-1:123456789012:"
	refresh, run := "autoscaling:StartInstanceRefresh on arn:aws:autoscaling"+at+"autoScalingGroup:*:autoScalingGroupName/shop", "ec2:RunInstances on arn:aws:ec2"+at+"instance/*"
	for version, want := range map[string][]string{
		"":  {refresh, run}, // the default, which is the first
		"2": {refresh, run, "ec2:CreateTags on arn:aws:ec2" + at + "instance/*", "iam:PassRole on arn:aws:iam::123456789012:role/machine"},
		"3": {refresh, run}, // Auto Scaling says that there is none
	} {
		a.World.Lock()
		seen = nil
		err := a.Access.Check(t.Context(), wire.Principal{ARN: ana}, "autoscaling", "StartInstanceRefresh", &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: text("shop"),
			DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: text("shop"), Version: &version}},
		})
		a.World.Unlock()
		require.NoError(t, err)
		assert.Equal(t, want, seen, version)
	}
}
