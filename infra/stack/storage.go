package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/amazon/table"
)

// ledger is the table that is there already, or one that is kept when the stack is
// deleted: it is the audit trail.
func (at parts) ledger() awsdynamodb.ITable {
	if at.Ledger != nil {
		return at.Ledger
	}
	props := &awsdynamodb.TableProps{
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String(table.PartitionKey), Type: awsdynamodb.AttributeType_STRING},
		SortKey:             &awsdynamodb.Attribute{Name: jsii.String(table.SortKey), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		TimeToLiveAttribute: jsii.String(table.TimeToLive),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	}
	if at.key != nil {
		props.Encryption, props.EncryptionKey = awsdynamodb.TableEncryption_CUSTOMER_MANAGED, at.key
	}
	return awsdynamodb.NewTable(at.scope, jsii.String("Ledger"), props)
}

// notices is the topic that humans listen to. EnforceSSL gives it a policy of
// its own in the place of the default one, under which the account's alarms
// could publish; so the alarms on the dead-letter queues are let in again.
// Source: AWS Knowledge Center, "Why didn't I receive an SNS notification for
// my CloudWatch alarm trigger?".
func (at parts) notices() awssns.Topic {
	t := awssns.NewTopic(at.scope, jsii.String("Notices"), &awssns.TopicProps{
		DisplayName: jsii.String("pullback"),
		EnforceSSL:  jsii.Bool(true),
		MasterKey:   at.key,
	})
	t.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AllowAlarmsOfThisAccount"),
		Principals: principal("cloudwatch.amazonaws.com"),
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{t.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": at.stack.Account()},
			"ArnLike":      map[string]any{"aws:SourceArn": local(at, "cloudwatch", "alarm:*")},
		},
	}))
	return t
}

// configuration is the parameter that holds pullback.yaml. Which tier it has is
// left to AWS: one of more than 4 KB is an advanced parameter, and never again a
// standard one, which a template that said so would fail to update. Source:
// Systems Manager user guide, "Managing parameter tiers".
func (at parts) configuration() awsssm.CfnParameter {
	if at.Config == "" {
		return nil
	}
	return awsssm.NewCfnParameter(at.scope, jsii.String("Configuration"), &awsssm.CfnParameterProps{
		Type:        jsii.String("String"),
		Tier:        jsii.String("Intelligent-Tiering"),
		Description: jsii.String("What pullback does with which target."),
		Value:       &at.Config,
	})
}

// principal is a service of AWS as the one that calls.
func principal(name string) *[]awsiam.IPrincipal {
	return &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(&name, nil)}
}

// allowServices lets the services that write to what the key protects use it, for this
// account's sake only. Sources: EventBridge user guide, "Authorizing EventBridge to use a
// customer managed key"; SQS developer guide, "Configure KMS permissions for AWS
// services"; SNS developer guide, "Enable compatibility between event sources from AWS
// services and encrypted topics"; CloudWatch Logs user guide, "Encrypt log data".
//
// A key that the app does not make keeps its policy: what it needs stands in
// docs/install.md.
func (at parts) allowServices() {
	if at.key == nil {
		return
	}
	allow := func(sid, who string, actions []string, conditions map[string]any) {
		at.key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid: &sid, Principals: principal(who), Actions: jsii.Strings(actions...), Resources: jsii.Strings("*"), Conditions: &conditions,
		}), jsii.Bool(true))
	}
	here := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": at.stack.Account()}}
	send := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	allow("PullbackEvents", "events.amazonaws.com", send, here)
	allow("PullbackAlarms", "cloudwatch.amazonaws.com", send, here)
	allow("PullbackLogs", "logs."+*at.stack.Region()+".amazonaws.com",
		[]string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
		map[string]any{"ArnLike": map[string]any{"kms:EncryptionContext:aws:logs:arn": local(at, "logs", "log-group:/aws/lambda/*")}})
}
