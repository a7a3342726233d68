package stack

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// functions are the four functions by their folder's name.
type functions map[string]awslambda.Function

// timeoutSeconds is how long a function may run: many times what it needs, and
// short enough that a hook answers long before CodeDeploy gives up on it.
const timeoutSeconds = 60

// rollbackSeconds is the same for the rollbacker. A look takes a second at
// most, and a crashed one blocks its target's group in the FIFO queue for the
// visibility timeout, which is six times this: with 60 s a canary would be
// rolled out in the meantime.
const rollbackSeconds = 15

// named is a function's name on AWS, and how long it may run.
type named struct {
	folder, name, about string
	seconds             float64
}

// names are the functions' names on AWS. CodeDeploy's managed role may invoke
// no other hooks than those called CodeDeployHook_*. Source: CodeDeploy user
// guide, "AWSCodeDeployRoleForLambda".
func names(plane string) []named {
	return []named{
		{"pretraffic", "CodeDeployHook_" + plane + "_pretraffic", "Refuses what is held or quarantined, and checks a version before it has traffic.", timeoutSeconds},
		{"posttraffic", "CodeDeployHook_" + plane + "_posttraffic", "Watches deployments: compares a version's error rate with its predecessor's.", timeoutSeconds},
		{"alarmrouter", plane + "_alarmrouter", "Turns alarms, events and the sweep's findings into incidents.", timeoutSeconds},
		{"rollbacker", plane + "_rollbacker", "Takes bad deployments back to the revision that is known good.", rollbackSeconds},
	}
}

// environment is what every function is told.
func (at parts) environment() *map[string]*string {
	env := at.Settings
	env.Account = *at.stack.Account()
	env.Hub = at.hub()
	env.Table = *at.table.TableName()
	env.Topic = *at.topic.TopicArn()
	env.Signals = *at.queues.signals.QueueUrl()
	env.Rollbacks = *at.queues.rollbacks.QueueUrl()
	env.Watch = *at.queues.watch.QueueUrl()
	if at.config != nil {
		env.Config = *at.config.Ref()
	}
	variables := make(map[string]*string)
	for k, v := range env.Env() {
		variables[k] = jsii.String(v)
	}
	return &variables
}

func newFunctions(at parts) functions {
	variables, never := at.environment(), neverDelete(at)
	reserved := map[string]*float64{"alarmrouter": number(at.Reserved.Router), "rollbacker": number(at.Reserved.Rollbacker)}
	fs := make(functions)
	for _, n := range names(at.Name) {
		f := awslambda.NewFunction(at.scope, &n.folder, &awslambda.FunctionProps{
			FunctionName:                 &n.name,
			Description:                  &n.about,
			Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
			Architecture:                 awslambda.Architecture_ARM_64(),
			Handler:                      jsii.String("bootstrap"),
			Code:                         awslambda.Code_FromAsset(jsii.String(filepath.Join(at.Dist, n.folder)), nil),
			MemorySize:                   jsii.Number(128),
			Timeout:                      awscdk.Duration_Seconds(jsii.Number(n.seconds)),
			Environment:                  variables,
			EnvironmentEncryption:        at.key,
			ReservedConcurrentExecutions: reserved[n.folder],
			Role:                         newRole(at, n.folder, never),
			LoggingFormat:                awslambda.LoggingFormat_JSON,
			LogGroup:                     at.log(n),
		})
		// The local AWS runs the build for its own machine instead of the asset
		// for arm64; this says which one that is.
		resource(f).AddMetadata(jsii.String("pullback:function"), &n.folder)
		fs[n.folder] = f
	}
	for _, hook := range []string{"pretraffic", "posttraffic"} {
		// CodeDeploy invokes hooks asynchronously. One that could not answer
		// after its retries must not go unnoticed.
		// The construct above this resource would let the function look at the
		// queue, too, which nobody needs.
		awslambda.NewCfnEventInvokeConfig(at.scope, jsii.String(hook+"-retries"), &awslambda.CfnEventInvokeConfigProps{
			FunctionName: fs[hook].FunctionName(), Qualifier: jsii.String("$LATEST"), MaximumRetryAttempts: jsii.Number(2),
			DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
				OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: at.queues.hooksDead.QueueArn()},
			},
		})
	}
	return fs
}

// log is the log group of a function. It is made here and not by the function's first
// line, so that it has an end, and goes with the stack.
func (at parts) log(n named) awslogs.LogGroup {
	return awslogs.NewLogGroup(at.scope, jsii.String(n.folder+"-log"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + n.name), Retention: at.Keep, EncryptionKey: at.key,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// newRole makes a role of the function's own. The role that the CDK would make
// may write to all log groups of the account.
func newRole(at parts, folder string, never awsiam.IManagedPolicy) awsiam.Role {
	return awsiam.NewRole(at.scope, jsii.String(folder+"-role"), &awsiam.RoleProps{
		AssumedBy:       awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{never},
	})
}

// resource returns the CloudFormation resource behind a function.
func resource(f awslambda.Function) awscdk.CfnResource {
	cfn, ok := f.Node().DefaultChild().(awslambda.CfnFunction)
	if !ok {
		panic("a Lambda function's default child is not a CfnFunction")
	}
	return cfn
}

// feed connects the queues to the functions that read them. What that takes of
// their roles is among the permissions.
func (fs functions) feed(at parts) {
	fs["alarmrouter"].AddEventSourceMapping(jsii.String("signals"), &awslambda.EventSourceMappingOptions{
		EventSourceArn: at.queues.signals.QueueArn(), BatchSize: jsii.Number(10), ReportBatchItemFailures: jsii.Bool(true),
	})
	fs["posttraffic"].AddEventSourceMapping(jsii.String("watch"), &awslambda.EventSourceMappingOptions{
		EventSourceArn: at.queues.watch.QueueArn(), BatchSize: jsii.Number(10), ReportBatchItemFailures: jsii.Bool(true),
	})
	if at.queues.records != nil {
		// Others' records must not take the executions that signals need.
		fs["alarmrouter"].AddEventSourceMapping(jsii.String("records"), &awslambda.EventSourceMappingOptions{
			EventSourceArn: at.queues.records.QueueArn(), BatchSize: jsii.Number(10), ReportBatchItemFailures: jsii.Bool(true), MaxConcurrency: jsii.Number(2),
		})
	}
	fs["rollbacker"].AddEventSourceMapping(jsii.String("rollbacks"), &awslambda.EventSourceMappingOptions{
		EventSourceArn: at.queues.rollbacks.QueueArn(), BatchSize: jsii.Number(1), ReportBatchItemFailures: jsii.Bool(true),
	})
}

// listen lets CloudWatch Logs hand over what the functions of this account log,
// while they are watched. Which ones those will be is not known beforehand.
// Source: CloudWatch Logs user guide, "Log group-level subscription filters".
func (fs functions) listen(at parts) {
	fs["posttraffic"].AddPermission(jsii.String("logs"), &awslambda.Permission{
		Principal:     awsiam.NewServicePrincipal(jsii.String("logs.amazonaws.com"), nil),
		Action:        jsii.String("lambda:InvokeFunction"),
		SourceAccount: at.stack.Account(),
		SourceArn:     local(at, "logs", "log-group:*"),
	})
}
