package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func TestDeploymentFailsAtItsStart(t *testing.T) {
	t.Parallel()
	const head = "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is missing or has an invalid configuration."
	for name, c := range map[string]struct {
		change func(b *bench, in *sdk.CreateDeploymentInput)
		code   cdtypes.ErrorCode
		want   string
	}{
		"alias on two versions": {
			func(b *bench, _ *sdk.CreateDeploymentInput) { b.weights["3"] = 0.1 },
			cdtypes.ErrorCodeInvalidLambdaConfiguration, head + " The Lambda function alias references two versions.",
		},
		"alias elsewhere": {
			func(b *bench, _ *sdk.CreateDeploymentInput) { b.version = "3" },
			cdtypes.ErrorCodeInvalidLambdaConfiguration,
			head + " The Lambda function alias version does not match the current version in AppSpec file.",
		},
		"same version": {
			func(_ *bench, in *sdk.CreateDeploymentInput) { in.Revision = revision(bare("1", "1").Text()) },
			cdtypes.ErrorCodeInvalidLambdaConfiguration, head,
		},
		"no such version": {
			func(_ *bench, in *sdk.CreateDeploymentInput) { in.Revision = revision(bare("1", "99").Text()) },
			cdtypes.ErrorCodeInvalidLambdaFunction,
			head + " The target version 99 of function checkout could not be read: ResourceNotFoundException: no such version",
		},
		"no such alias": {
			func(_ *bench, in *sdk.CreateDeploymentInput) {
				l := bare("1", "2")
				l.Alias = "dead"
				in.Revision = revision(l.Text())
			},
			cdtypes.ErrorCodeInvalidLambdaFunction,
			head + " The alias dead of function checkout could not be read: ResourceNotFoundException: no such alias",
		},
		"not an AppSpec file": {
			func(_ *bench, in *sdk.CreateDeploymentInput) { in.Revision = revision("version: 0.0") },
			cdtypes.ErrorCodeInvalidLambdaConfiguration, head + " Resources is missing or neither a list nor a map of names",
		},
		"no such object": {
			func(_ *bench, in *sdk.CreateDeploymentInput) { in.Revision = stored("appspec.yaml") },
			cdtypes.ErrorCodeRevisionMissing, "The revision could not be read: api error NoSuchKey: The specified key does not exist.",
		},
		"hook that the role may not invoke": {
			func(_ *bench, in *sdk.CreateDeploymentInput) {
				l := spec()
				l.BeforeAllowTraffic = "arn:aws:lambda:us-east-1:123456789012:function:check"
				in.Revision = revision(l.Text())
			},
			cdtypes.ErrorCodeIamRolePermissions,
			"The IAM role " + role + " does not give you permission to perform operations in the following AWS service: AWSLambda. " +
				"Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant permissions to your users or groups by creating IAM policies.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withGroup(t, nil)
			in := input(spec())
			c.change(b, in)
			id := b.deploy(in)
			b.advance(time.Minute)
			d := b.get(id)
			assert.Equal(t, cdtypes.DeploymentStatusFailed, d.Status)
			assert.Equal(t, &cdtypes.ErrorInformation{Code: c.code, Message: aws.String(c.want)}, d.ErrorInformation)
			assert.Empty(t, b.payloads, "no hook was invoked")
		})
	}
}

func stored(name string) *cdtypes.RevisionLocation {
	return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{
		Bucket: aws.String("revisions"), Key: aws.String(name), BundleType: cdtypes.BundleTypeYaml, ETag: aws.String("e1"),
	}}
}

func TestRevisionComesFromS3(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	b.objects["revisions/appspec.yaml"] = bare("1", "2").Text()
	in := input(spec())
	in.Revision = stored("appspec.yaml")
	b.deploy(in)
	b.advance(time.Hour)
	assert.Equal(t, "2", b.version)
}
