// Package stack describes pullback's AWS resources. Platform teams can deploy
// it as it is with the app in infra, or put it into an app of their own.
//
// It deploys the control plane only: it creates and changes nothing that is
// watched.
package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Props are the choices a platform team makes.
type Props struct {
	awscdk.StackProps

	Config   string            // text of pullback.yaml, without a mistake; empty: there is none
	Dist     string            // folder with one sub-folder per function, each holding an arm64 bootstrap
	Settings settings.Settings // Account, Table, Topic, Signals, Rollbacks, Watch and Config are filled in by the stack
}

// parts are the resources that others refer to.
type parts struct {
	stack  awscdk.Stack
	table  awsdynamodb.Table
	topic  awssns.Topic
	config awsssm.CfnParameter // nil if there is none
	queues queues
	keeps  keeping
}

// New adds the stack to scope.
func New(scope constructs.Construct, id string, p Props) awscdk.Stack {
	s := awscdk.NewStack(scope, &id, &p.StackProps)
	awscdk.Tags_Of(s).Add(jsii.String("app"), jsii.String("pullback"), nil)
	at := parts{stack: s, table: ledger(s), topic: notices(s), config: configuration(s, p.Config), queues: newQueues(s), keeps: kept(p.Config)}
	at.queues.alarm(at)

	env := p.Settings
	env.Account = *s.Account()
	env.Table = *at.table.TableName()
	env.Topic = *at.topic.TopicArn()
	env.Signals = *at.queues.signals.QueueUrl()
	env.Rollbacks = *at.queues.rollbacks.QueueUrl()
	env.Watch = *at.queues.watch.QueueUrl()
	if at.config != nil {
		env.Config = *at.config.Ref()
	}

	functions := newFunctions(at, p.Dist, env)
	functions.grant(at)
	functions.feed(at)
	functions.listen(at)
	route(at)
	outputs(at)
	return s
}

// ledger is kept when the stack is deleted: it is the audit trail.
func ledger(s awscdk.Stack) awsdynamodb.Table {
	return awsdynamodb.NewTable(s, jsii.String("Ledger"), &awsdynamodb.TableProps{
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String(table.PartitionKey), Type: awsdynamodb.AttributeType_STRING},
		SortKey:             &awsdynamodb.Attribute{Name: jsii.String(table.SortKey), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		TimeToLiveAttribute: jsii.String(table.TimeToLive),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	})
}

// notices is the topic that humans listen to. EnforceSSL gives it a policy of
// its own in the place of the default one, under which the account's alarms
// could publish; so the alarms on the dead-letter queues are let in again.
// Source: AWS Knowledge Center, "Why didn't I receive an SNS notification for
// my CloudWatch alarm trigger?".
func notices(s awscdk.Stack) awssns.Topic {
	t := awssns.NewTopic(s, jsii.String("Notices"), &awssns.TopicProps{
		DisplayName: jsii.String("pullback"),
		EnforceSSL:  jsii.Bool(true),
	})
	t.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AllowAlarmsOfThisAccount"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{t.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": s.Account()}},
	}))
	return t
}

// configuration is the parameter that holds pullback.yaml. Which tier it has is
// left to AWS: one of more than 4 KB is an advanced parameter, and never again a
// standard one, which a template that said so would fail to update. Source:
// Systems Manager user guide, "Managing parameter tiers".
func configuration(s awscdk.Stack, text string) awsssm.CfnParameter {
	if text == "" {
		return nil
	}
	if _, err := config.Parse([]byte(text)); err != nil {
		panic(err) // as constructs do: what functions could not use must not be deployed
	}
	return awsssm.NewCfnParameter(s, jsii.String("Configuration"), &awsssm.CfnParameterProps{
		Type:        jsii.String("String"),
		Tier:        jsii.String("Intelligent-Tiering"),
		Description: jsii.String("What pullback does with which target."),
		Value:       &text,
	})
}

func outputs(at parts) {
	type output struct {
		name  string
		value *string
	}
	all := []output{
		{"LedgerTable", at.table.TableName()},
		{"NoticesTopic", at.topic.TopicArn()},
		{"SignalsQueue", at.queues.signals.QueueUrl()},
	}
	if at.config != nil {
		all = append(all, output{"ConfigurationParameter", at.config.Ref()})
	}
	for _, o := range all {
		awscdk.NewCfnOutput(at.stack, &o.name, &awscdk.CfnOutputProps{Value: o.value})
	}
}
