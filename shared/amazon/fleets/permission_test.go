package fleets_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/fleets"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAVersionNeedsTheRoleOfItsInstances(t *testing.T) {
	c := newCloud(t)
	ctx, name := t.Context(), aws.String("machine")
	version := func(p ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest) deploy.Revision {
		out := ok[*ec2.CreateLaunchTemplateVersionOutput](t)(c.machines.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: &c.template, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{IamInstanceProfile: &p},
		}))
		return c.revision(int(*out.LaunchTemplateVersion.VersionNumber))
	}
	revisions := []deploy.Revision{
		version(ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: name}),
		version(ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: aws.String("arn:aws:iam::123456789012:instance-profile/web/machine")}),
	}
	notReady := func(why string) {
		t.Helper()
		for _, r := range revisions {
			err := c.driver.Ready(ctx, place, r)
			require.ErrorIs(t, err, deploy.ErrNotReady)
			require.ErrorContains(t, err, "launch template "+string(r)+" needs the instance profile machine, which "+why)
		}
	}
	notReady("is gone")
	ok[*iam.CreateInstanceProfileOutput](t)(c.roles.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name, Path: aws.String("/web/")}))
	notReady("has no role")
	ok[*iam.CreateRoleOutput](t)(c.roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)}))
	ok[*iam.AddRoleToInstanceProfileOutput](t)(c.roles.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: name}))
	for _, r := range revisions {
		require.NoError(t, c.driver.Ready(ctx, place, r))
	}
}

func TestWhatARestoreMayNotDoIsSaid(t *testing.T) {
	c := newCloud(t)
	c.group("1")
	ok[*iam.CreateUserOutput](t)(c.roles.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("robot")}))
	ok[*iam.PutUserPolicyOutput](t)(c.roles.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("robot"), PolicyName: aws.String("scaling"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["autoscaling:*","ec2:Describe*"],"Resource":"*"}}`),
	}))
	key := ok[*iam.CreateAccessKeyOutput](t)(c.roles.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("robot")})).AccessKey
	robot := autoscaling.NewFromConfig(c.config, func(o *autoscaling.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	})
	_, err := fleets.New(robot, c.machines, c.roles).Restore(t.Context(), deploy.Restore{Place: place, To: c.revision(1), Attempt: 1})
	require.ErrorContains(t, err, "pullback needs autoscaling:StartInstanceRefresh, ec2:RunInstances")
	require.NotErrorIs(t, err, deploy.ErrNotReady, "the revision is not the reason")
}
