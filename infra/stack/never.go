package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// destructive is what no function may ever do, whatever else its role should be given
// one day: to delete what teams deploy and keep, or what pullback itself rests on. What
// the functions do delete is what they made: items, messages and subscription filters.
func destructive() []string {
	return []string{
		"autoscaling:Delete*", "backup:Delete*", "cloudformation:Delete*", "cloudwatch:Delete*", "codedeploy:Delete*", "codepipeline:Delete*",
		"dynamodb:DeleteBackup", "dynamodb:DeleteTable", "dynamodb:DeleteTableReplica",
		"ec2:Delete*", "ec2:TerminateInstances", "ecr:BatchDeleteImage", "ecr:Delete*", "ecs:Delete*", "ecs:DeregisterTaskDefinition",
		"elasticloadbalancing:Delete*", "events:Delete*", "iam:Delete*", "iam:Detach*", "kms:DisableKey", "kms:ScheduleKeyDeletion",
		"lambda:Delete*", "logs:DeleteLogGroup", "logs:DeleteLogStream", "rds:Delete*", "s3:Delete*", "secretsmanager:DeleteSecret",
		"sns:DeleteTopic", "sqs:DeleteQueue", "sqs:PurgeQueue", "ssm:Delete*",
	}
}

// neverDelete is the policy of all roles that forbids it. A denial counts before
// whatever is allowed elsewhere (IAM user guide, "Policy evaluation logic"). The second
// statement forbids calls that are not encrypted.
func neverDelete(at parts) awsiam.IManagedPolicy {
	return awsiam.NewManagedPolicy(at.scope, jsii.String("Never"), &awsiam.ManagedPolicyProps{
		Description: jsii.String("What no function of pullback may do, whatever else it is allowed."),
		Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("NeverDelete"), Effect: awsiam.Effect_DENY, Actions: jsii.Strings(destructive()...), Resources: jsii.Strings("*"),
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("NeverInTheClear"), Effect: awsiam.Effect_DENY, Actions: jsii.Strings("*"), Resources: jsii.Strings("*"),
				Conditions: &map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
			}),
		},
	})
}
