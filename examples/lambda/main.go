// Lambda is a CDK app with a function whose releases come by CodeDeploy: 10 % of the
// traffic for five minutes, then all of it. pullback looks after it; what that takes is
// in one function, lookAfter. README.md says how to release.
package main

import (
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
)

func main() {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	s := awscdk.NewStack(app, jsii.String("orders-lambda"), &awscdk.StackProps{})
	lookAfter(s, application(s, release(app)))
	app.Synth(nil)
}

// lookAfter is all that the team does for pullback: it asks it before and after
// traffic shifts, and lets an alarm on the errors of the new version speak against it.
func lookAfter(s awscdk.Stack, live awslambda.Alias) {
	stack.PlaneFromName(s, "Pullback", "pullback").AddGroup("Live", stack.GroupProps{
		Lambda: &awscodedeploy.LambdaDeploymentGroupProps{Alias: live},
	})
}

// application is the team's own: a function and the alias that customers call.
func application(s awscdk.Stack, release string) awslambda.Alias {
	f := awslambda.NewFunction(s, jsii.String("Orders"), &awslambda.FunctionProps{
		Description:  jsii.String("Takes orders."),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: architecture(),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String("dist/local/sample-"+release), nil),
	})
	return awslambda.NewAlias(s, jsii.String("Live"), &awslambda.AliasProps{AliasName: jsii.String("live"), Version: f.CurrentVersion()})
}

// architecture is that of this machine, for which make build builds the releases.
func architecture() awslambda.Architecture {
	if runtime.GOARCH == "arm64" {
		return awslambda.Architecture_ARM_64()
	}
	return awslambda.Architecture_X86_64()
}

// release is what is deployed: cdk deploy -c release=v2.
func release(app awscdk.App) string {
	if r, ok := app.Node().TryGetContext(jsii.String("release")).(string); ok {
		return r
	}
	return "v1"
}
