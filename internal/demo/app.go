package demo

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The application team's names.
const (
	function = "checkout"
	alarm    = "checkout-errors"
)

var (
	alias  = deploy.Alias{Function: function, Name: "live"}        //nolint:gochecknoglobals // a constant that Go cannot write as one
	target = deploy.Target{Application: "checkout", Group: "live"} //nolint:gochecknoglobals // the same
)

// app is the application team: it uses AWS's APIs and knows nothing of
// pullback but two hook names and three tags.
type app struct {
	dist   string
	lambda *lambda.Client
	deploy *codedeploy.Client
	watch  *cloudwatch.Client
}

// install puts version 1 behind the alias, and makes what a canary needs.
func (a app) install(ctx context.Context) error {
	code, err := a.zip("v1")
	if err != nil {
		return err
	}
	_, err = a.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(function), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::123456789012:role/checkout"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		Publish: true, Tags: map[string]string{"pullback:enabled": "true"},
	})
	if err != nil {
		return fmt.Errorf("create function %s: %w", function, err)
	}
	_, err = a.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String(function), Name: &alias.Name, FunctionVersion: aws.String("1")})
	if err != nil {
		return fmt.Errorf("create alias %s: %w", alias, err)
	}
	_, err = a.watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(alarm), AlarmDescription: aws.String("More than 3 orders a minute fail."),
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(function)}, {Name: aws.String("Resource"), Value: aws.String(alias.String())}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	if err != nil {
		return fmt.Errorf("create alarm %s: %w", alarm, err)
	}
	return a.group(ctx)
}

// group makes the deployment group. It has no automatic rollback and no alarms
// of CodeDeploy's own, so whatever takes a deployment back is pullback.
func (a app) group(ctx context.Context) error {
	_, err := a.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{
		ApplicationName: &target.Application, ComputePlatform: cdtypes.ComputePlatformLambda,
	})
	if err != nil {
		return fmt.Errorf("create application %s: %w", target.Application, err)
	}
	_, err = a.deploy.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		ServiceRoleArn:       aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		Tags: []cdtypes.Tag{
			{Key: aws.String("pullback:enabled"), Value: aws.String("true")},
			{Key: aws.String("pullback:alarms"), Value: aws.String(alarm)},
			{Key: aws.String("pullback:alias"), Value: aws.String(alias.String())},
		},
	})
	if err != nil {
		return fmt.Errorf("create deployment group %s: %w", target, err)
	}
	return nil
}

// publish makes a new version out of a release's code.
func (a app) publish(ctx context.Context, release string) (deploy.Revision, error) {
	code, err := a.zip(release)
	if err != nil {
		return "", err
	}
	out, err := a.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(function), ZipFile: code, Publish: true})
	if err != nil {
		return "", fmt.Errorf("publish %s: %w", release, err)
	}
	return deploy.Revision(*out.Version), nil
}

// canary starts a deployment from one version to another, with pullback's
// hooks: 10 % of the traffic for 5 minutes, then all of it.
func (a app) canary(ctx context.Context, from, to deploy.Revision) (deploy.ID, error) {
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{%q:{"Type":"AWS::Lambda::Function","Properties":{"Name":%q,"Alias":%q,"CurrentVersion":%q,"TargetVersion":%q}}}],`+
		`"Hooks":[{"BeforeAllowTraffic":"CodeDeployHook_pullback_pretraffic"},{"AfterAllowTraffic":"CodeDeployHook_pullback_posttraffic"}]}`,
		function, function, alias.Name, from, to)
	out, err := a.deploy.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	if err != nil {
		return "", fmt.Errorf("deploy version %s: %w", to, err)
	}
	return deploy.ID(*out.DeploymentId), nil
}

// zip packs a release as "make build" left it.
func (a app) zip(release string) ([]byte, error) {
	binary, err := os.ReadFile(filepath.Join(a.dist, "sample-"+release, "bootstrap"))
	if err != nil {
		return nil, fmt.Errorf("read the sample's release %s (run make build first): %w", release, err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("zip release %s: %w", release, err)
	}
	if _, err := w.Write(binary); err != nil {
		return nil, fmt.Errorf("zip release %s: %w", release, err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip release %s: %w", release, err)
	}
	return b.Bytes(), nil
}
