// Nag is an app with a control plane for those who check templates: a hub with a
// customer-managed key, which the other apps do not have. What cdk-nag and cfn-lint say of
// all templates is for its tests.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
)

func main() {
	dist := flag.String("dist", "dist/arm64", "folder of the functions, built for AWS")
	flag.Parse()
	p := stack.Props{Dist: *dist, Fleet: stack.Fleet{Collects: true, Accounts: []string{"123456789012"}}}
	if err := p.Check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	s := awscdk.NewStack(app, jsii.String("pullback"), &awscdk.StackProps{})
	p.Key = awskms.NewKey(s, jsii.String("Key"), &awskms.KeyProps{EnableKeyRotation: jsii.Bool(true)})
	stack.NewControlPlane(s, "Default", p)
	app.Synth(nil)
}
