// Infra is the CDK app: `npx cdk deploy` runs it. It writes the control
// plane's template and assets to cdk.out.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
	"github.com/pullback-dev/pullback/shared/settings"
)

func main() {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	stack.New(app, "pullback", stack.Props{Dist: "dist/arm64", Settings: settings.Default()})
	app.Synth(nil)
}
