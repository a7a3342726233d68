// Fleet is a CDK app with a control plane in each region of two accounts: `cdk deploy
// --all` deploys it. One of them is the hub, which collects the records of all.
//
// Everything that it decides is in pullback.yaml beside it: in which order regions get
// a release, and who hears of trouble.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
)

const (
	staging = "210987654321"
	prod    = "123456789012"
	hub     = "arn:aws:events:eu-west-1:" + prod + ":event-bus/pullback"
)

func main() {
	text, err := os.ReadFile("examples/fleet/pullback.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	for _, account := range []string{staging, prod} {
		for _, region := range []string{"eu-west-1", "us-east-1", "ap-southeast-2"} {
			fleet := stack.Fleet{Hub: hub, Accounts: []string{staging, prod}}
			if account == prod && region == "eu-west-1" {
				fleet.Hub, fleet.Collects = "", true
			}
			stack.New(app, account+"-"+region, awscdk.StackProps{
				StackName: jsii.String("pullback"),
				Env:       &awscdk.Environment{Account: &account, Region: &region},
			}, stack.Props{Dist: "dist/arm64", Config: string(text), Fleet: fleet})
		}
	}
	app.Synth(nil)
}
