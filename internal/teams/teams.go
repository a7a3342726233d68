// Package teams is what application teams have in common: roles for the services
// that work for them, an alarm on what their customers say, and tags. Each
// package below it is a team with another way to deploy.
//
// A team uses AWS's APIs and knows nothing of pullback but its tags and the names
// of two hooks. It decides nothing, and waits for nothing once it is installed.
package teams

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The releases of every team.
const (
	Good     = "v1"
	Bad      = "v2"  // fails every third request
	AlsoBad  = "v2b" // so does this one
	Fix      = "v3"
	Broken   = "broken"   // is never healthy where that is looked at
	Crashing = "crashing" // starts, and exits after a few seconds, where somebody starts it again
)

// Fails reports whether a release fails requests.
func Fails(release string) bool { return release == Bad || release == AlsoBad }

// The functions that a team names in its hooks.
const (
	BeforeHook = "CodeDeployHook_pullback_pretraffic"
	AfterHook  = "CodeDeployHook_pullback_posttraffic"
)

// Deployment is one deployment of a team's target, in AWS's words.
type Deployment struct {
	ID     deploy.ID
	Status string
	Cause  string // why it failed or was stopped; empty if AWS does not say
	By     string // who began it; empty if AWS does not say
}

// Choices are how a team may use pullback and AWS's own rollback. The zero value
// lets pullback watch the team's alarm and leaves every rollback to it.
type Choices struct {
	Untagged bool // do not use pullback
	NoAlarm  bool // let no alarm speak for the target
	Errors   bool // the alarm is on requests that fail, where a load balancer counts them, and not on what customers say
	Alarms   bool // give the alarm to the service that deploys, too, which takes the deployment back when it goes off
}

// Common is the part of a team that does not depend on how it deploys.
type Common struct {
	Name    string
	Account string
	Config  aws.Config
	Wait    func(context.Context, time.Duration) error // lets time pass, while a team installs what takes some
	Choices
}

// Alarm is the name of the team's alarm.
func (c Common) Alarm() string {
	if c.Errors {
		return c.Name + "-errors"
	}
	return c.Name + "-complaints"
}

// Tags are all that the team has to say to pullback.
func (c Common) Tags() map[string]string {
	tags := map[string]string{}
	if c.Untagged {
		return tags
	}
	tags["pullback:enabled"] = "true"
	if !c.NoAlarm {
		tags["pullback:alarms"] = c.Alarm()
	}
	return tags
}

// Where complaints are counted.
const (
	namespace = "Shop"
	metric    = "Complaints"
)

func (c Common) dimensions() []cwtypes.Dimension {
	return []cwtypes.Dimension{{Name: aws.String("Team"), Value: aws.String(c.Name)}}
}

// CreateAlarm makes the alarm. It is red as long as the newest number of complaints
// is not zero.
func (c Common) CreateAlarm(ctx context.Context) error {
	_, err := cloudwatch.NewFromConfig(c.Config).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(c.Alarm()), AlarmDescription: aws.String("Customers complain."),
		Namespace: aws.String(namespace), MetricName: aws.String(metric), Dimensions: c.dimensions(), Statistic: cwtypes.StatisticMaximum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("ignore"), // no news changes nothing
	})
	if err != nil {
		return fmt.Errorf("create alarm %s: %w", c.Alarm(), err)
	}
	return c.Complain(ctx, 0)
}

// Complain says how many customers have complained.
func (c Common) Complain(ctx context.Context, customers float64) error {
	_, err := cloudwatch.NewFromConfig(c.Config).PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: aws.String(namespace), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String(metric), Dimensions: c.dimensions(), Value: aws.Float64(customers)}},
	})
	if err != nil {
		return fmt.Errorf("put %s: %w", metric, err)
	}
	return nil
}

// Role makes a role that a service may take, with policies of AWS's by their
// names, and returns its ARN.
func (c Common) Role(ctx context.Context, name, service string, policies ...string) (string, error) {
	roles := iam.NewFromConfig(c.Config)
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, service)
	out, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err != nil {
		return "", fmt.Errorf("create role %s: %w", name, err)
	}
	for _, policy := range policies {
		_, err := roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)})
		if err != nil {
			return "", fmt.Errorf("attach %s to role %s: %w", policy, name, err)
		}
	}
	return *out.Role.Arn, nil
}

// Profile makes an instance profile and its role of the same name, with policies
// of AWS's.
func (c Common) Profile(ctx context.Context, name string, policies ...string) error {
	if _, err := c.Role(ctx, name, "ec2.amazonaws.com", policies...); err != nil {
		return err
	}
	roles := iam.NewFromConfig(c.Config)
	_, err := roles.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	if err == nil {
		_, err = roles.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name})
	}
	if err != nil {
		return fmt.Errorf("create instance profile %s: %w", name, err)
	}
	return nil
}

// Allow lets a role do more: actions as a policy document lists them, on everything.
func (c Common) Allow(ctx context.Context, role, actions string) error {
	_, err := iam.NewFromConfig(c.Config).PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &role, PolicyName: aws.String("more"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}]}`),
	})
	if err != nil {
		return fmt.Errorf("let role %s do more: %w", role, err)
	}
	return nil
}

// Function is the ARN of one of pullback's hooks.
func (c Common) Function(name string) string {
	return "arn:aws:lambda:" + c.Config.Region + ":" + c.Account + ":function:" + name
}
