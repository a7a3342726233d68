// Package shop is an application team with a small web shop: it uses AWS's
// APIs and knows nothing of pullback but two hook names and three tags. The
// demo and the scenarios share it.
package shop

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The team's alarms.
const (
	Errors     = "checkout-errors"     // orders that fail, as Lambda counts them
	Complaints = "checkout-complaints" // what customers say, as [Shop.Complain] counts it
	ErrorRate  = "checkout-error-rate" // the same as a share of the orders, whichever version took them
)

// checkout is what the first shop is called.
const checkout = "checkout"

// Alias is what the first shop's customers call.
func Alias() deploy.Alias { return Shop{name: checkout}.Alias() }

// Target is the deployment group that moves the first shop's alias.
func Target() deploy.Target { return Shop{name: checkout}.Target() }

// Place is where the first shop's releases serve.
func Place() deploy.Place { return Shop{name: checkout}.Place() }

// Shop is the team at work.
type Shop struct {
	name   string // of the function, the application, and what the names of alarms begin with
	dist   string
	iam    *iam.Client
	lambda *lambda.Client
	deploy *codedeploy.Client
	watch  *cloudwatch.Client
}

// New returns a team that finds its releases in dist and calls AWS as cfg says.
func New(dist string, cfg aws.Config) Shop {
	return Shop{name: checkout, dist: dist, iam: iam.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg), deploy: codedeploy.NewFromConfig(cfg), watch: cloudwatch.NewFromConfig(cfg)}
}

// Named returns a team with a shop of another name than checkout.
func (s Shop) Named(name string) Shop {
	s.name = name
	return s
}

// Alias is what the shop's customers call.
func (s Shop) Alias() deploy.Alias { return deploy.Alias{Function: s.name, Name: "live"} }

// Target is the deployment group that moves the alias.
func (s Shop) Target() deploy.Target { return deploy.Target{Application: s.name, Group: "live"} }

// Place is where the shop's releases serve.
func (s Shop) Place() deploy.Place {
	return deploy.Place{Target: s.Target(), Platform: deploy.OnLambda, Alias: s.Alias()}
}

// Name is what the shop calls one of its alarms: [Errors] and its like are those
// of the shop checkout.
func (s Shop) Name(alarm string) string { return s.name + strings.TrimPrefix(alarm, checkout) }

// Choices are how a team may use pullback. The zero value is the demo's team:
// it lets pullback watch the alarm [Errors] and leaves every rollback to it.
type Choices struct {
	Untagged bool   // do not use pullback
	Alarm    string // [Errors] if empty
	NoAlarm  bool   // let no alarm speak for the group
	// RollsBack gives the alarm to CodeDeploy, too, which stops a deployment
	// and rolls it back if the alarm goes off.
	RollsBack bool
	Key       string // ARN of the key of KMS that the function's environment is encrypted with; AWS's own if empty
}

// Install puts version 1 behind the alias, and makes what a canary needs.
func (s Shop) Install(ctx context.Context, c Choices) error {
	code, err := s.Code("v1")
	if err != nil {
		return err
	}
	executes, err := s.role(ctx, s.name, "lambda.amazonaws.com", "service-role/AWSLambdaBasicExecutionRole")
	if err != nil {
		return err
	}
	tags := map[string]string{"pullback:enabled": "true"}
	if c.Untagged {
		tags = nil
	}
	in := &lambda.CreateFunctionInput{
		FunctionName: &s.name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: executes, Code: &lambdatypes.FunctionCode{ZipFile: code},
		Publish: true, Tags: tags,
	}
	if c.Key != "" {
		in.KMSKeyArn = &c.Key
	}
	if _, err = s.lambda.CreateFunction(ctx, in); err != nil {
		return fmt.Errorf("create function %s: %w", s.name, err)
	}
	_, err = s.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &s.name, Name: aws.String(s.Alias().Name), FunctionVersion: aws.String("1"),
	})
	if err != nil {
		return fmt.Errorf("create alias %s: %w", s.Alias(), err)
	}
	if c.Alarm == "" {
		c.Alarm = Errors
	}
	if err := s.alarm(ctx, c.Alarm); err != nil {
		return err
	}
	return s.group(ctx, c)
}

// role makes a role that a service may take, with a policy of AWS's.
func (s Shop) role(ctx context.Context, name, service, policy string) (*string, error) {
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, service)
	out, err := s.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if _, there := errors.AsType[*iamtypes.EntityAlreadyExistsException](err); there { // the shop in another region has made it
		had, err := s.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if err != nil {
			return nil, fmt.Errorf("role %s: %w", name, err)
		}
		return had.Role.Arn, nil
	}
	if err != nil {
		return nil, fmt.Errorf("create role %s: %w", name, err)
	}
	_, err = s.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)})
	if err != nil {
		return nil, fmt.Errorf("attach %s to role %s: %w", policy, name, err)
	}
	return out.Role.Arn, nil
}

func (s Shop) alarm(ctx context.Context, name string) error {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(s.Name(Errors)), AlarmDescription: aws.String("More than 3 orders a minute fail."),
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(s.name)}, {Name: aws.String("Resource"), Value: aws.String(s.Alias().String())}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	}
	switch name {
	case Errors:
	case Complaints:
		in.AlarmName, in.AlarmDescription = aws.String(s.Name(Complaints)), aws.String("Customers complain.")
		in.Namespace, in.MetricName, in.Dimensions = aws.String(namespace), aws.String(metric), s.dimensions()
		in.Threshold = aws.Float64(0)
		in.TreatMissingData = aws.String("ignore") // no news changes nothing
	case ErrorRate:
		in = rate(in)
		in.AlarmName = aws.String(s.Name(ErrorRate))
	default:
		return fmt.Errorf("create alarm: the shop has no alarm %q", name)
	}
	if _, err := s.watch.PutMetricAlarm(ctx, in); err != nil {
		return fmt.Errorf("create alarm %s: %w", name, err)
	}
	return nil
}

// rate makes of the alarm over errors one that looks at 5 % for two minutes.
func rate(in *cloudwatch.PutMetricAlarmInput) *cloudwatch.PutMetricAlarmInput {
	one := func(id, metric string) cwtypes.MetricDataQuery {
		return cwtypes.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: in.Namespace, MetricName: &metric, Dimensions: in.Dimensions}, Period: in.Period, Stat: aws.String(string(in.Statistic)),
		}}
	}
	share := cwtypes.MetricDataQuery{Id: aws.String("share"), Expression: aws.String("100 * errors / orders"), Label: aws.String("orders that fail, in %")}
	return &cloudwatch.PutMetricAlarmInput{
		AlarmDescription:  aws.String("More than 5 % of the orders fail."),
		Metrics:           []cwtypes.MetricDataQuery{one("errors", "Errors"), one("orders", "Invocations"), share},
		EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(5),
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
	}
}

// group makes the deployment group. Unless the choices say otherwise it has no
// automatic rollback and no alarms of CodeDeploy's own, so whatever takes a
// deployment back is pullback.
func (s Shop) group(ctx context.Context, c Choices) error {
	t := s.Target()
	deploys, err := s.role(ctx, "codedeploy-"+s.name, "codedeploy.amazonaws.com", "service-role/AWSCodeDeployRoleForLambda")
	if err != nil {
		return err
	}
	_, err = s.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{
		ApplicationName: &t.Application, ComputePlatform: cdtypes.ComputePlatformLambda,
	})
	if err != nil {
		return fmt.Errorf("create application %s: %w", t.Application, err)
	}
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		ServiceRoleArn:       deploys,
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		Tags:                 s.tags(c),
	}
	if c.RollsBack {
		in.AlarmConfiguration = &cdtypes.AlarmConfiguration{Enabled: true, Alarms: []cdtypes.Alarm{{Name: aws.String(s.Name(c.Alarm))}}}
		in.AutoRollbackConfiguration = &cdtypes.AutoRollbackConfiguration{
			Enabled: true, Events: []cdtypes.AutoRollbackEvent{cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnAlarm},
		}
	}
	if _, err := s.deploy.CreateDeploymentGroup(ctx, in); err != nil {
		return fmt.Errorf("create deployment group %s: %w", t, err)
	}
	return nil
}

// Speaks lets another alarm speak for the group, which it makes.
func (s Shop) Speaks(ctx context.Context, account, region, alarm string) error {
	if err := s.alarm(ctx, alarm); err != nil {
		return err
	}
	t := s.Target()
	_, err := s.deploy.TagResource(ctx, &codedeploy.TagResourceInput{
		ResourceArn: aws.String(fmt.Sprintf("arn:aws:codedeploy:%s:%s:deploymentgroup:%s/%s", region, account, t.Application, t.Group)),
		Tags:        []cdtypes.Tag{{Key: aws.String("pullback:alarms"), Value: &alarm}},
	})
	if err != nil {
		return fmt.Errorf("let alarm %s speak for %s: %w", alarm, t, err)
	}
	return nil
}

// tags are all that the team has to say to pullback.
func (s Shop) tags(c Choices) []cdtypes.Tag {
	if c.Untagged {
		return nil
	}
	tags := []cdtypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}}
	if !c.NoAlarm {
		tags = append(tags, cdtypes.Tag{Key: aws.String("pullback:alarms"), Value: aws.String(s.Name(c.Alarm))})
	}
	return append(tags, cdtypes.Tag{Key: aws.String("pullback:alias"), Value: aws.String(s.Alias().String())})
}
