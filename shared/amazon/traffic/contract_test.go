package traffic_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

// group is a deployment group of canaries on a local AWS. Its alias has come to
// version 2 by a deployment; 3 is another that works, and 4 was deleted.
type group struct {
	*host.AWS
	t       *testing.T
	lambda  *lambda.Client
	deploys *codedeploy.Client
	driver  *deployments.Client
	serves  string
}

func newGroup(t *testing.T) *group {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	cfg := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	g := &group{AWS: local, t: t, lambda: lambda.NewFromConfig(cfg), deploys: codedeploy.NewFromConfig(cfg), serves: "1"}
	g.driver = deployments.New(g.deploys, "123456789012", cfg.Region, deployments.Platforms{deploy.OnLambda: traffic.New(g.lambda)})
	g.function()
	g.make()
	g.deploy("2")
	g.settle()
	return g
}

// function makes the function, versions 1 to 4, and the alias.
func (g *group) function() {
	g.t.Helper()
	ctx := g.t.Context()
	_, err := g.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &alias.Function, Role: aws.String("arn:aws:iam::123456789012:role/checkout"), Publish: true,
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code(g.t, "1")},
	})
	require.NoError(g.t, err)
	for n := 2; n <= 4; n++ {
		g.advance(time.Minute)
		_, err := g.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &alias.Function, ZipFile: code(g.t, fmt.Sprint(n)), Publish: true})
		require.NoError(g.t, err)
	}
	g.advance(time.Minute)
	_, err = g.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: aws.String("1")})
	require.NoError(g.t, err)
	_, err = g.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &alias.Function, Qualifier: aws.String("4")})
	require.NoError(g.t, err)
}

// make makes the application and its group.
func (g *group) make() {
	g.t.Helper()
	_, err := g.deploys.CreateApplication(g.t.Context(), &codedeploy.CreateApplicationInput{
		ApplicationName: &place.Target.Application, ComputePlatform: cdtypes.ComputePlatformLambda,
	})
	require.NoError(g.t, err)
	_, err = g.deploys.CreateDeploymentGroup(g.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &place.Target.Application, DeploymentGroupName: &place.Target.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		Tags:                 []cdtypes.Tag{{Key: aws.String(deployments.TagEnabled), Value: aws.String("true")}, {Key: aws.String(deployments.TagAlias), Value: aws.String(alias.String())}},
	})
	require.NoError(g.t, err)
}

func (g *group) deploy(version string) deploy.ID {
	g.t.Helper()
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":%q,"Alias":%q,"CurrentVersion":%q,"TargetVersion":%q}}}]}`,
		alias.Function, alias.Name, g.serves, version)
	out, err := g.deploys.CreateDeployment(g.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &place.Target.Application, DeploymentGroupName: &place.Target.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	require.NoError(g.t, err)
	g.serves = version
	return deploy.ID(*out.DeploymentId)
}

func (g *group) advance(d time.Duration) {
	g.t.Helper()
	require.NoError(g.t, g.World.Advance(g.t.Context(), d))
}

// settle lets a canary end, and what takes it back.
func (g *group) settle() { g.advance(10 * time.Minute) }

func TestAGroupOnLambdaIsATarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		g := newGroup(t)
		versions := map[string]deploy.Revision{"A": "2", "B": "3", "C": "4", "D": "9"}
		return targettest.Scene{
			Driver: g.driver, Place: place, Settle: g.settle, Shift: func() { g.advance(time.Minute) },
			Revision: func(name string) deploy.Revision { return versions[name] },
			Deploy:   func(name string) deploy.ID { return g.deploy(string(versions[name])) },
			Now: func() time.Time {
				g.World.Lock()
				defer g.World.Unlock()
				return g.World.Now()
			},
		}
	})
}
