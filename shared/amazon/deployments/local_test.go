package deployments_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	localcodedeploy "github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	canary  = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "prod"}
	alias  = deploy.Alias{Function: "checkout", Name: "live"}
	place  = deploy.Place{Target: target, Platform: deploy.OnLambda, Alias: alias}
)

// local is the local AWS's CodeDeploy and what it moves: one alias, whose
// hooks keep silent.
type local struct {
	t       *testing.T
	world   *world.World
	client  *codedeploy.Client
	version string
	weights map[string]float64
	hooks   []string // payloads of the hooks that were invoked
}

func serve(t *testing.T) *local {
	t.Helper()
	l := &local{t: t, world: world.New(world.Options{Start: noon}), version: "7"}
	mux := wire.NewMux(l.world)
	deploys := localcodedeploy.New(l.world, mux, localcodedeploy.Options{})
	t.Cleanup(func() { require.NoError(t, deploys.Close()) })
	mux.Handle(deploys.Wire())
	mux.Handle(wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: []wire.Operation{
		wire.Op("GetAlias", func(*wire.Call, *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
			return &lambda.GetAliasOutput{
				FunctionVersion: aws.String(l.version),
				RoutingConfig:   &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: maps.Clone(l.weights)},
			}, nil
		}).Bind(wire.REST{Method: "GET", Path: "/a"}),
		wire.Op("UpdateAlias", func(_ *wire.Call, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
			l.version, l.weights = *in.FunctionVersion, maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
			return &lambda.UpdateAliasOutput{}, nil
		}).Bind(wire.REST{Method: "PUT", Path: "/a"}),
		wire.Op("GetFunctionConfiguration", func(*wire.Call, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
			return &lambda.GetFunctionConfigurationOutput{}, nil
		}).Bind(wire.REST{Method: "GET", Path: "/f"}),
		wire.Op("Invoke", func(_ *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			l.hooks = append(l.hooks, string(in.Payload))
			return &lambda.InvokeOutput{StatusCode: 202}, nil
		}).Bind(wire.REST{Method: "POST", Path: "/f"}),
	}})
	mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.Op("DescribeAlarms", func(*wire.Call, *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
			return &cloudwatch.DescribeAlarmsOutput{}, nil
		}),
	}})
	mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.Op("PutEvents", func(*wire.Call, *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.client = codedeploy.New(codedeploy.Options{
		Region: region, HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
	})
	return l
}

// adapter is what is tested.
func (l *local) adapter() *deployments.Client {
	return deployments.New(l.client, account, region, platforms())
}

// platforms are those of the tests. What serves is not asked.
func platforms() deployments.Platforms {
	return deployments.Platforms{deploy.OnLambda: traffic.New(lambda.New(lambda.Options{Region: region}))}
}

func (l *local) application(name string) {
	l.t.Helper()
	_, err := l.client.CreateApplication(l.t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: &name, ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(l.t, err)
}

// group makes a deployment group with tags and alarms.
func (l *local) group(t deploy.Target, tags map[string]string, alarms *cdtypes.AlarmConfiguration) {
	l.t.Helper()
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group, DeploymentConfigName: aws.String(canary),
		ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/deployer"), AlarmConfiguration: alarms,
	}
	for key, value := range tags {
		in.Tags = append(in.Tags, cdtypes.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	_, err := l.client.CreateDeploymentGroup(l.t.Context(), in)
	require.NoError(l.t, err)
}

// deploy begins to move the alias from one version to another.
func (l *local) deploy(from, to string, hooks string) deploy.ID {
	l.t.Helper()
	spec := `{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":` +
		`{"Name":"checkout","Alias":"live","CurrentVersion":"` + from + `","TargetVersion":"` + to + `"}}}]` + hooks + `}`
	out, err := l.client.CreateDeployment(l.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group, Description: aws.String("release " + to),
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	require.NoError(l.t, err)
	return deploy.ID(*out.DeploymentId)
}

func (l *local) pass(d time.Duration) {
	l.t.Helper()
	require.NoError(l.t, l.world.Advance(l.t.Context(), d))
}
