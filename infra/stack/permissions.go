package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// A permission is what one function may do, and to what.
type permission struct {
	actions   []string
	resources []*string
	tagged    bool // only to resources tagged pullback:enabled=true
}

// grant gives every function what it uses and no more. Actions on "*" are
// those for which AWS knows no resource type. Source: Service Authorization
// Reference, pages of the services named.
func (fs functions) grant(at parts) {
	all := jsii.String("*")
	arn := func(service, rest string) *string {
		return awscdk.Fn_Join(jsii.String(":"), &[]*string{
			jsii.String("arn"), at.stack.Partition(), jsii.String(service), at.stack.Region(), at.stack.Account(), jsii.String(rest),
		})
	}
	groups := arn("codedeploy", "deploymentgroup:*")
	applications := arn("codedeploy", "application:*")
	configs := arn("codedeploy", "deploymentconfig:*")
	lambdas := arn("lambda", "function:*")

	look := []permission{
		{actions: []string{"codedeploy:GetDeployment"}, resources: []*string{groups}},
		{actions: []string{"codedeploy:ListDeploymentTargets", "codedeploy:GetDeploymentTarget"}, resources: []*string{all}},
		{actions: []string{"lambda:GetFunctionConfiguration"}, resources: []*string{lambdas}},
	}
	list := []permission{
		{actions: []string{"codedeploy:ListDeployments", "codedeploy:BatchGetDeployments"}, resources: []*string{groups}},
		{actions: []string{"lambda:GetAlias"}, resources: []*string{lambdas}},
	}
	answer := permission{actions: []string{"codedeploy:PutLifecycleEventHookExecutionStatus"}, resources: []*string{all}}
	ledger := func(actions ...string) permission {
		return permission{actions: actions, resources: []*string{at.table.TableArn()}}
	}
	notify := permission{actions: []string{"sns:Publish"}, resources: []*string{at.topic.TopicArn()}}

	fs.allow("pretraffic", append(look, answer,
		ledger("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"),
		permission{actions: []string{"lambda:InvokeFunction"}, resources: []*string{lambdas}, tagged: true})...)
	fs.allow("posttraffic", append(look, answer,
		ledger("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"),
		permission{actions: []string{"cloudwatch:GetMetricData"}, resources: []*string{all}})...)
	fs.allow("alarmrouter", append(append(look, list...), notify,
		permission{actions: []string{"codedeploy:ListApplications"}, resources: []*string{all}},
		permission{actions: []string{"codedeploy:ListDeploymentGroups"}, resources: []*string{applications}},
		permission{actions: []string{"codedeploy:GetDeploymentGroup", "codedeploy:BatchGetDeploymentGroups", "codedeploy:ListTagsForResource"}, resources: []*string{groups}},
		permission{actions: []string{"cloudwatch:DescribeAlarms"}, resources: []*string{all}},
		permission{actions: []string{"sqs:SendMessage"}, resources: []*string{at.queues.rollbacks.QueueArn()}},
		ledger("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"))...)
	fs.allow("rollbacker", append(append(look, list...), notify,
		permission{actions: []string{"codedeploy:StopDeployment"}, resources: []*string{all}},
		permission{actions: []string{"codedeploy:CreateDeployment", "codedeploy:UpdateDeploymentGroup"}, resources: []*string{groups}},
		permission{actions: []string{"codedeploy:GetDeploymentConfig"}, resources: []*string{configs}},
		permission{actions: []string{"codedeploy:RegisterApplicationRevision", "codedeploy:GetApplicationRevision"}, resources: []*string{applications}},
		permission{actions: []string{"lambda:UpdateAlias"}, resources: []*string{lambdas}, tagged: true},
		permission{actions: []string{"sqs:SendMessage"}, resources: []*string{at.queues.signals.QueueArn()}},
		ledger("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"))...)
}

func (fs functions) allow(name string, permissions ...permission) {
	for _, p := range permissions {
		var conditions *map[string]any
		if p.tagged {
			conditions = &map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/pullback:enabled": "true"}}
		}
		fs[name].AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings(p.actions...), Resources: &p.resources, Conditions: conditions,
		}))
	}
}
