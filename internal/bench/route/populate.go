package route

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// perApplication is how many groups an application has. An account may have 1,000
// applications and each 1,000 groups (CodeDeploy user guide, "Limits"), so that
// 10,000 groups are spread as far as they can be.
const perApplication = 10

// makers is how many groups are made at a time.
const makers = 8

func application(n int) string { return fmt.Sprintf("app-%04d", n/perApplication) }
func group(n int) deploy.Target {
	return deploy.Target{Application: application(n), Group: fmt.Sprintf("group-%05d", n)}
}
func alarmOf(n int) string    { return fmt.Sprintf("alarm-%05d", n) }
func functionOf(n int) string { return fmt.Sprintf("function-%05d", n) }

// populate makes groups that deploy nothing.
func (s *scene) populate(ctx context.Context, groups int) error {
	deploys := codedeploy.NewFromConfig(s.config)
	for n := 0; n < groups; n += perApplication {
		if _, err := deploys.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String(application(n)), ComputePlatform: cdtypes.ComputePlatformLambda}); err != nil {
			return fmt.Errorf("create %s: %w", application(n), err)
		}
	}
	return each(groups, func(n int) error { return s.group(ctx, deploys, n) })
}

// activate lets groups deploy until so many of them do.
func (s *scene) activate(ctx context.Context, active int) error {
	deploys := codedeploy.NewFromConfig(s.config)
	for ; s.active < active; s.active++ {
		if err := s.deploy(ctx, deploys, s.active); err != nil {
			return fmt.Errorf("deploy to %s: %w", group(s.active), err)
		}
	}
	// Some seconds, and then traffic shifts.
	if err := s.local.World.Advance(ctx, time.Minute); err != nil {
		return fmt.Errorf("let traffic shift: %w", err)
	}
	return nil
}

// spoil sets off the alarms of the first groups.
func (s *scene) spoil(ctx context.Context, first int) error {
	alarms := cloudwatch.NewFromConfig(s.config)
	for n := range first {
		_, err := alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String(alarmOf(n)), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("bench"),
		})
		if err != nil {
			return fmt.Errorf("set %s off: %w", alarmOf(n), err)
		}
	}
	return nil
}

// each calls do for 0 … n-1, some at a time.
func each(n int, do func(int) error) error {
	errs := make([]error, makers)
	var all sync.WaitGroup
	for m := range makers {
		all.Go(func() {
			for i := m; i < n && errs[m] == nil; i += makers {
				errs[m] = do(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// group makes a group with its alarm, and what the ledger knows of it.
func (s *scene) group(ctx context.Context, deploys *codedeploy.Client, n int) error {
	t, alarm := group(n), alarmOf(n)
	_, err := cloudwatch.NewFromConfig(s.config).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: &alarm, Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(functionOf(n))}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", alarm, err)
	}
	_, err = deploys.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent30Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		Tags:                 []cdtypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}, {Key: aws.String("pullback:alarms"), Value: &alarm}},
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", t, err)
	}
	if err := s.store.IndexAlarms(ctx, t, []string{alarm}); err != nil {
		return fmt.Errorf("index %s: %w", alarm, err)
	}
	return nil
}

// deploy makes a function with a version that is known good, and deploys another.
func (s *scene) deploy(ctx context.Context, deploys *codedeploy.Client, n int) error {
	functions, name, t := lambda.NewFromConfig(s.config), functionOf(n), group(n)
	made, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Publish: true,
		Role: aws.String("arn:aws:iam::123456789012:role/bench"), Code: &lambdatypes.FunctionCode{ZipFile: pack(name + " 1")},
	})
	if err != nil {
		return fmt.Errorf("create function: %w", err)
	}
	if _, err := functions.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: pack(name + " 2"), Publish: true}); err != nil {
		return fmt.Errorf("publish version 2: %w", err)
	}
	if _, err := functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		return fmt.Errorf("create alias: %w", err)
	}
	good := ledger.KnownGood{Target: t, Revision: "1", Digest: deploy.Digest(aws.ToString(made.CodeSha256)), Why: "bench", At: s.now().Add(-time.Hour)}
	if err := s.store.MarkKnownGood(ctx, good); err != nil {
		return fmt.Errorf("mark known good: %w", err)
	}
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":%q,"Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}`, name)
	_, err = deploys.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	if err != nil {
		return fmt.Errorf("create deployment: %w", err)
	}
	return nil
}

// pack makes a deployment package. Nobody runs it.
func pack(text string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // writing into memory does not fail
	}
	return b.Bytes()
}
