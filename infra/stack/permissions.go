package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// A permission is what one function may do, and to what.
type permission struct {
	on      scope
	actions []string
}

// A scope is what a permission extends to.
type scope string

// The scopes. Groups and functions are those of the stack's account and
// region: which of them are looked after is not known when it is deployed.
const (
	everything    scope = "everything" // for actions that name no resource; the tests say why for each
	applications  scope = "CodeDeploy applications"
	groups        scope = "CodeDeploy deployment groups"
	configs       scope = "CodeDeploy deployment configurations"
	lambdas       scope = "Lambda functions, versions and aliases"
	enabled       scope = "Lambda functions tagged pullback:enabled=true" // tags are the function's, so they count for its versions and aliases
	ledgerTable   scope = "the ledger"
	parameter     scope = "the parameter that holds pullback.yaml" // there may be none
	noticesTopic  scope = "the notices topic"
	signalsQueue  scope = "the signals queue"
	rollbackQueue scope = "the rollbacks queue"
	watchQueue    scope = "the watch queue"
	logGroups     scope = "log groups" // a function may log to any, and its group is not tagged when it is
	hooksDead     scope = "the dead-letter queue of the hooks"
	recordsQueue  scope = "the records queue"                       // only a hub has one
	otherBuses    scope = "the event buses of other control planes" // that the stack or pullback.yaml names
	ownKey        scope = "the key of the stack"                    // if it is not AWS's
	ownLogs       scope = "the function's own log group"
)

// permissions returns what each function may do, by its folder: the calls that
// it makes, and those that Lambda makes in its name, and nothing else. Each of
// them is needed: testdata/permissions.txt of the scenarios names a story that
// breaks without it.
//
// The resources are those that the Service Authorization Reference names for
// the action. DynamoDB has no action for a transaction, only for the writes in
// it (developer guide, "DynamoDB transactions and IAM").
func permissions() map[string][]permission {
	look := []permission{
		{groups, []string{"codedeploy:GetDeployment"}},
		{everything, []string{"codedeploy:GetDeploymentTarget", "codedeploy:ListDeploymentTargets"}},
		{lambdas, []string{"lambda:GetFunctionConfiguration"}},
	}
	hook := []permission{
		{everything, []string{"codedeploy:PutLifecycleEventHookExecutionStatus"}},
		{ledgerTable, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}},
		{hooksDead, []string{"sqs:SendMessage"}}, // with which Lambda gives up on an event
	}
	tell := []permission{{noticesTopic, []string{"sns:Publish"}}}
	return map[string][]permission{
		"pretraffic": slices.Concat(look, inspectHooked(), hook, []permission{
			{enabled, []string{"lambda:InvokeFunction"}},
			{parameter, []string{"ssm:GetParameter"}},
		}),
		"posttraffic": slices.Concat(look, hook, []permission{
			{everything, []string{"cloudwatch:GetMetricData", "elasticloadbalancing:DescribeRules"}},
			{applications, []string{"codedeploy:GetApplicationRevision"}},
			{anyService, []string{"ecs:DescribeServices"}},
			{groups, []string{"codedeploy:GetDeploymentGroup", "codedeploy:ListTagsForResource"}},
			{lambdas, []string{"lambda:GetAlias"}},
			{logGroups, []string{"logs:DeleteSubscriptionFilter", "logs:PutSubscriptionFilter"}},
			{ledgerTable, []string{"dynamodb:BatchGetItem"}},
			{signalsQueue, []string{"sqs:SendMessage"}},
			{watchQueue, append(reads(), "sqs:SendMessage")},
		}),
		"alarmrouter": slices.Concat(look, inspect(), find(), gate(), tell, []permission{
			{everything, []string{"codedeploy:ListApplications", "codedeploy:PutLifecycleEventHookExecutionStatus", "cloudwatch:DescribeAlarms"}},
			{applications, []string{"codedeploy:ListDeploymentGroups"}},
			{groups, []string{"codedeploy:BatchGetDeploymentGroups"}},
			{ledgerTable, []string{"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}},
			{rollbackQueue, []string{"sqs:SendMessage"}},
			{watchQueue, []string{"sqs:SendMessage"}},
			{signalsQueue, reads()},
			{recordsQueue, reads()},
			{otherBuses, []string{"events:PutEvents"}},
			{parameter, []string{"ssm:GetParameter"}},
		}),
		"rollbacker": slices.Concat(look, inspect(), takeBack(), tell, []permission{
			{everything, []string{"cloudwatch:DescribeAlarms"}},
			{ledgerTable, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}},
			{signalsQueue, []string{"sqs:SendMessage"}},
			{rollbackQueue, reads()},
			{parameter, []string{"ssm:GetParameter"}},
		}),
	}
}

// restore is what CodeDeploy wants of whoever calls CreateDeployment: to see
// the configuration, to see and register the revision, and, since the call
// overrides the group's alarms, UpdateDeploymentGroup. Source: CodeDeploy user
// guide, "CodeDeploy permissions reference", note 1.
func restore() []permission {
	return []permission{
		{groups, []string{"codedeploy:CreateDeployment", "codedeploy:UpdateDeploymentGroup"}},
		{configs, []string{"codedeploy:GetDeploymentConfig"}},
		{applications, []string{"codedeploy:RegisterApplicationRevision"}},
	}
}

// reads is what Lambda needs of a function's role to read its queue. Source:
// AWS managed policy reference, "AWSLambdaSQSQueueExecutionRole".
func reads() []string {
	return []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
}

// logs is what Lambda needs of a function's role to keep what it writes in the log group
// that the stack makes. Source: AWS managed policy reference,
// "AWSLambdaBasicExecutionRole", which allows it, and to make groups, for all of them.
func logs() permission {
	return permission{ownLogs, []string{"logs:CreateLogStream", "logs:PutLogEvents"}}
}

// grant gives every function its permissions.
func (fs functions) grant(at parts) {
	on, all := arns(at), permissions()
	for _, folder := range []string{"pretraffic", "alarmrouter"} { // which take restore points
		all[folder] = append(all[folder], at.keeps.permissions(folder)...)
	}
	for _, n := range names(at.Name) {
		on[ownLogs] = &[]*string{local(at, "logs", "log-group:/aws/lambda/"+n.name+":*")}
		for _, p := range append(all[n.folder], logs(), permission{ownKey, []string{"kms:Decrypt", "kms:GenerateDataKey"}}) {
			if on[p.on] == nil {
				continue
			}
			fs[n.folder].AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions:    jsii.Strings(p.actions...),
				Resources:  on[p.on],
				Conditions: p.on.conditions(),
			}))
		}
	}
}

// arns returns the ARN, with wildcards, of all that a scope extends to. Each
// is made once: the CDK merges statements only if their ARNs are the same
// token.
func arns(at parts) map[scope]*[]*string {
	functions := local(at, "lambda", "function:*")
	var configuration *string
	if at.config != nil {
		configuration = local(at, "ssm", "parameter/"+*at.config.Ref())
	}
	one := map[scope]*string{
		everything:    jsii.String("*"),
		applications:  local(at, "codedeploy", "application:*"),
		groups:        local(at, "codedeploy", "deploymentgroup:*"),
		configs:       local(at, "codedeploy", "deploymentconfig:*"),
		lambdas:       functions,
		enabled:       functions,
		ledgerTable:   at.table.TableArn(),
		parameter:     configuration,
		noticesTopic:  at.topic.TopicArn(),
		signalsQueue:  at.queues.signals.QueueArn(),
		rollbackQueue: at.queues.rollbacks.QueueArn(),
		watchQueue:    at.queues.watch.QueueArn(),
		logGroups:     local(at, "logs", "log-group:*"),
		hooksDead:     at.queues.hooksDead.QueueArn(),
		scalingGroup:  local(at, "autoscaling", "autoScalingGroup:*"),
		anyImage:      local(at, "ecr", "repository/*"),
		anyParameter:  local(at, "ssm", "parameter/*"),
		anyKey:        local(at, "kms", "key/*"),
		anyVault:      local(at, "secretsmanager", "secret:*"),
		anyRole:       awscdk.Fn_Join(jsii.String(":"), &[]*string{jsii.String("arn"), at.stack.Partition(), jsii.String("iam:"), at.stack.Account(), jsii.String("role/*")}),
		anyProfile:    awscdk.Fn_Join(jsii.String(":"), &[]*string{jsii.String("arn"), at.stack.Partition(), jsii.String("iam:"), at.stack.Account(), jsii.String("instance-profile/*")}),
		anyBucket:     awscdk.Fn_Join(jsii.String(":"), &[]*string{jsii.String("arn"), at.stack.Partition(), jsii.String("s3"), jsii.String(""), jsii.String(""), jsii.String("*")}),
		launches:      jsii.String("*"),
		anyObject:     awscdk.Fn_Join(jsii.String(":"), &[]*string{jsii.String("arn"), at.stack.Partition(), jsii.String("s3"), jsii.String(""), jsii.String(""), jsii.String("*/*")}),
	}
	all := make(map[scope]*[]*string)
	for s, arn := range one {
		if arn != nil {
			all[s] = &[]*string{arn}
		}
	}
	services, deploymentsOf := local(at, "ecs", "service/*"), local(at, "ecs", "service-deployment/*")
	all[anyService], all[service] = &[]*string{services}, &[]*string{services}
	all[deployment], all[revision] = &[]*string{deploymentsOf}, &[]*string{local(at, "ecs", "service-revision/*")}
	all[anyListener] = &[]*string{local(at, "elasticloadbalancing", "listener/*")}
	all[anyRule] = &[]*string{local(at, "elasticloadbalancing", "listener-rule/*")}
	pipelines := local(at, "codepipeline", "*")
	all[launched], all[anyStage] = all[launches], &[]*string{local(at, "codepipeline", "*/*")}
	all[machineRole], all[hookRole] = all[anyRole], all[anyRole]
	all[anyPipeline], all[pipeline] = &[]*string{pipelines}, &[]*string{pipelines}
	if at.queues.records != nil {
		all[recordsQueue] = &[]*string{at.queues.records.QueueArn()}
	}
	if buses := at.buses(); buses != nil {
		all[otherBuses] = buses
	}
	if at.key != nil {
		all[ownKey] = &[]*string{at.key.KeyArn()}
	}
	at.keeps.arns(at, all)
	return all
}

// local returns the ARN of a service's resources in the stack's account and
// region.
func local(at parts, service, resources string) *string {
	return awscdk.Fn_Join(jsii.String(":"), &[]*string{
		jsii.String("arn"), at.stack.Partition(), jsii.String(service), at.stack.Region(), at.stack.Account(), jsii.String(resources),
	})
}

// conditions returns what must hold besides. CodeDeploy's actions cannot be
// limited like this: "CodeDeploy does not support … controlling access based
// on tags" (user guide, "How AWS CodeDeploy works with IAM"), so that code
// checks the tag, and a service deployment of ECS is none of the resources that can
// have tags (developer guide, "How Amazon ECS resources are tagged"). Source for
// functions: Lambda developer guide, "Using attribute-based access control in
// Lambda"; for the others, the tables of the Service Authorization Reference.
func (s scope) conditions() *map[string]any {
	switch s {
	case enabled, service, pipeline, scalingGroup:
		return &map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/pullback:enabled": "true"}}
	case launched:
		return &map[string]any{"StringEquals": map[string]any{"ec2:CreateAction": "RunInstances"}}
	case machineRole:
		return &map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ec2.amazonaws.com"}} //nolint:gosec // a condition key, no credential
	case hookRole:
		return &map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs.amazonaws.com"}} //nolint:gosec // a condition key, no credential
	case anyObject, anyBucket:
		return &map[string]any{"StringEquals": map[string]any{"aws:ResourceAccount": awscdk.Aws_ACCOUNT_ID()}}
	default:
		return keepingConditions(s)
	}
}
