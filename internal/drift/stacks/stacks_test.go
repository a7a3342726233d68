package stacks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/stacks"
	"github.com/pullback-dev/pullback/internal/drift/template"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAResourceLeadsToItsStackAndAnObjectToItsDigest(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	cfg := aws.Config{
		Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("human", "human", ""),
	}
	_, err = cloudformation.NewFromConfig(cfg).CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("shop"), TemplateBody: aws.String("Parameters: {Name: {Type: String, Default: code}}\n" +
			"Resources:\n  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}\n" +
			"  Launch: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateName: web, LaunchTemplateData: {InstanceType: t3.micro}}}\n"),
	})
	require.NoError(t, err)
	require.NoError(t, local.World.Advance(t.Context(), time.Minute))

	client := stacks.New(cfg)
	got, err := client.Owner(t.Context(), "code")
	require.NoError(t, err)
	require.NotNil(t, got)
	launch := got.Of.Physical["Launch"]
	assert.True(t, strings.HasPrefix(launch, "lt-"), launch)
	assert.Equal(t, template.Stack{
		Name: "shop", Region: local.World.Region, Account: local.World.Account, Partition: "aws", Parameters: map[string]string{"Name": "code"},
		Physical:   map[string]string{"Bucket": "code", "Launch": launch},
		Attributes: map[string]string{"Launch.LatestVersionNumber": "1", "Launch.DefaultVersionNumber": "1", "Launch.LaunchTemplateId": launch},
	}, got.Of)
	got, err = client.Owner(t.Context(), "nobody's")
	require.NoError(t, err)
	assert.Nil(t, got)

	_, err = s3.NewFromConfig(cfg).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("code"), Key: aws.String("a.zip"), Body: strings.NewReader("abc")})
	require.NoError(t, err)
	for key, want := range map[string]deploy.Digest{"a.zip": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "b.zip": ""} {
		digest, err := client.Digest(t.Context(), drift.Object{Bucket: "code", Key: key})
		require.NoError(t, err)
		assert.Equal(t, want, digest, key)
	}
}
