// Package lambdaboot starts a Lambda function: it reads the settings, builds
// the handler and hands it to the Lambda runtime. It is the only package that
// imports aws-lambda-go.
package lambdaboot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pullback-dev/pullback/shared/settings"
)

// Handle answers one event. A nil answer is sent as null.
type Handle func(ctx context.Context, payload json.RawMessage) (answer any, err error)

// Env is what a function is built from.
type Env struct {
	Get      func(string) string // the environment
	Settings settings.Settings
	Log      *slog.Logger
}

// Setup builds a function.
type Setup func(ctx context.Context, env Env) (Handle, error)

// gcPercent trades a little processor time for memory: a function keeps a few
// MB alive and works for milliseconds, so its heap need not double before it is
// collected.
const gcPercent = 40

// Main runs the function until Lambda stops it. A function that cannot be set
// up ends with status 1, so that Lambda reports an init error.
func Main(setup Setup) {
	debug.SetGCPercent(gcPercent)
	log := slog.New(requestID{slog.NewJSONHandler(os.Stderr, nil)})
	handle, err := build(setup, log)
	if err != nil {
		log.LogAttrs(context.Background(), slog.LevelError, "cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	lambda.Start(handle)
}

func build(setup Setup, log *slog.Logger) (Handle, error) {
	s, err := settings.Load(os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return setup(context.Background(), Env{Get: os.Getenv, Settings: s, Log: log})
}

// RequestID returns the id of the invocation, or "" outside of one. It is the
// owner of the claims that the invocation takes.
func RequestID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}

// requestID adds the invocation's id to every record.
type requestID struct{ slog.Handler }

// Handle implements slog.Handler.
func (h requestID) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("requestId", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h requestID) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestID{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requestID) WithGroup(name string) slog.Handler {
	return requestID{h.Handler.WithGroup(name)}
}
