// Infra is the CDK app: `npx cdk deploy` runs it. It writes the control
// plane's template and assets to cdk.out, with pullback.yaml in it, if that is
// there and nothing is wrong with it; with another file, if that is its argument.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
	"github.com/pullback-dev/pullback/shared/config"
)

func main() {
	text, err := configuration(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p := stack.Props{Dist: "dist/arm64", Config: text}
	if err := p.Check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	stack.New(app, "pullback", awscdk.StackProps{}, p)
	app.Synth(nil)
}

// configuration returns the text of pullback.yaml, or nothing if there is none; or of
// another file, if one is named.
func configuration(named []string) (string, error) {
	file := config.FileName
	if len(named) > 0 {
		file = named[0]
	}
	text, err := os.ReadFile(file) //nolint:gosec // whoever deploys says which
	if errors.Is(err, os.ErrNotExist) && len(named) == 0 {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the configuration: %w", err)
	}
	if _, err := config.Parse(text); err != nil {
		return "", err
	}
	return string(text), nil
}
