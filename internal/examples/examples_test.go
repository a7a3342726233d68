package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/bundles"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAnUpdateOfTheLambdaExampleThatBringsABadVersionIsTakenBack(t *testing.T) {
	s := start(t, "lambda")
	require.NoError(t, s.update())
	function := s.of("AWS::Lambda::Function")
	s.World.Lock()
	traffic.Start(s.World, s.Lambda, traffic.Options{Function: function, Qualifier: "live", PerSecond: 20, Payload: order})
	s.World.Unlock()
	target := deploy.Target{Application: s.of("AWS::CodeDeploy::Application"), Group: s.of("AWS::CodeDeploy::DeploymentGroup")}
	assert.Equal(t, deploy.Revision("1"), s.proves(target))

	s.release(teams.Bad)
	require.Error(t, s.update(), "the update fails, since its deployment does")
	assert.Equal(t, deploy.Revision("2"), s.restored(target).Bad)
	alias, err := lambda.NewFromConfig(s.config).GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: &function, Name: aws.String("live")})
	require.NoError(t, err)
	assert.Equal(t, "1", *alias.FunctionVersion)
	assert.Nil(t, alias.RoutingConfig)
}

// order is one of those of which a bad release fails every third.
func order(n int) []byte { return fmt.Appendf(nil, `{"number":%d}`, n) }

// release is what "cdk deploy -c release=…" would synthesize: other code, and with it
// another version, whose logical id the CDK makes of the code's hash.
func (s *site) release(name string) {
	version := ""
	for _, r := range s.stack.Resources {
		if r.Type == "AWS::Lambda::Version" {
			version = r.LogicalID
		}
	}
	require.NotEmpty(s.t, version)
	s.in.Template = bytes.ReplaceAll(s.in.Template, []byte(version), []byte(version[:len(version)-len(name)]+name))
	s.in.Options.Replace = func(_ string, _ map[string]any, _ string) (string, error) {
		return filepath.Join(*dist, "sample-"+name), nil
	}
}

func TestAnUpdateOfTheECSExampleThatBringsABadReleaseIsTakenBack(t *testing.T) {
	s := start(t, "ecs")
	require.NoError(t, s.update())
	s.customers(func(target string) string {
		definition := s.ECS.Runs(target)
		return map[string]string{"1": teams.Good, "2": teams.Bad}[definition[strings.LastIndexByte(definition, ':')+1:]]
	})
	cluster, service := s.of("AWS::ECS::Cluster"), s.of("AWS::ECS::Service")
	target := deploy.Target{Kind: deploy.KindService, Application: cluster, Group: service[strings.LastIndexByte(service, '/')+1:]}
	good := s.proves(target)

	s.in.Parameters = map[string]string{"Release": teams.Bad}
	if err := s.update(); err != nil {
		t.Logf("the update was not over when its deployment was stopped: %v", err)
	}
	i := s.restored(target)
	assert.Equal(t, good, i.Good)
	assert.Equal(t, "alarm", i.Rule)
	out, err := ecs.NewFromConfig(s.config).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{service}})
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(*out.Services[0].TaskDefinition, "/"+string(good)), *out.Services[0].TaskDefinition)
	require.Len(t, s.alarmed(), 1)
	assert.Contains(t, s.alarmed()[0], "PullbackOrdersErrors")
}

func TestABadReleaseOfTheEC2ExampleIsTakenBack(t *testing.T) {
	s := start(t, "ec2")
	require.NoError(t, s.update())
	s.customers(func(target string) string {
		root, err := s.CodeDeploy.Root(target)
		require.NoError(t, err)
		release, _ := os.ReadFile(filepath.Join(root, bundles.File)) // there is none before the first deployment
		return strings.TrimSpace(string(release))
	})
	target := deploy.Target{Application: "orders", Group: "live"}
	s.rollOut(target, teams.Good)
	good := s.proves(target)

	s.rollOut(target, teams.Bad)
	i := s.restored(target)
	assert.Equal(t, good, i.Good)
	assert.Equal(t, "alarm", i.Rule)
	require.Len(t, s.alarmed(), 1)
	assert.Contains(t, s.alarmed()[0], "PullbackLiveErrors")
}

// rollOut uploads a release and waits until CodeDeploy has deployed it.
func (s *site) rollOut(target deploy.Target, release string) {
	s.t.Helper()
	bundle, err := bundles.Pack(release)
	require.NoError(s.t, err)
	bucket, key := s.of("AWS::S3::Bucket"), release+".zip"
	_, err = s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true }).PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(bundle)})
	require.NoError(s.t, err)
	c := codedeploy.NewFromConfig(s.config)
	made, err := c.CreateDeployment(s.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{Bucket: &bucket, Key: &key, BundleType: cdtypes.BundleTypeZip}},
	})
	require.NoError(s.t, err)
	s.until(20*time.Minute, "deployed", func() bool {
		out, err := c.GetDeployment(s.t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: made.DeploymentId})
		require.NoError(s.t, err)
		if out.DeploymentInfo.CompleteTime == nil {
			return false
		}
		assert.Equal(s.t, cdtypes.DeploymentStatusSucceeded, out.DeploymentInfo.Status, out.DeploymentInfo.ErrorInformation)
		return true
	})
}
