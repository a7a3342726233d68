// Localaws measures the local AWS: start, memory, calls a second for each
// service, deployments in virtual time; and beside it moto's server, in the same
// run, where it can do the same.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
)

func main() {
	//nolint:forbidigo // this is the outermost layer
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "localaws:", err)
		os.Exit(1)
	}
}

// choices are the flags.
type choices struct {
	pullback    string
	starts      int
	each        time.Duration
	repetitions int
	groups      int
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var c choices
	flags := flag.NewFlagSet("localaws", flag.ContinueOnError)
	flags.StringVar(&c.pullback, "pullback", "dist/pullback", "the `program` to start (make build)")
	flags.IntVar(&c.starts, "starts", 7, "`number` of starts")
	flags.DurationVar(&c.each, "each", 500*time.Millisecond, "how `long` each operation is called")
	flags.IntVar(&c.repetitions, "n", 20, "`number` of deployments, warm and cold")
	flags.IntVar(&c.groups, "groups", 1000, "`number` of deployments at once")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	for _, part := range []func(context.Context, choices, *bytes.Buffer) error{starts, calls, deployments, together} {
		var text bytes.Buffer
		err := part(ctx, c, &text)
		if _, failed := stdout.Write(text.Bytes()); failed != nil {
			return fmt.Errorf("report: %w", failed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moto is whether moto's server is there to be measured, too.
func moto() bool {
	_, err := exec.LookPath("moto_server")
	return err == nil
}

func configOf(url string) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(url), // the SDK's own retries stay: moto's connections break now and then
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}
