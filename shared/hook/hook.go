// Package hook runs a check inside a CodeDeploy lifecycle hook and makes sure
// that CodeDeploy hears the outcome.
package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Check looks at the deployment. A nil error lets it go on; after
// ErrLater it waits.
type Check func(ctx context.Context, c *Call) error

// ErrLater says that a check has not come to an end, and that somebody else will
// answer: the hook stays open.
var ErrLater = errors.New("to be answered later")

// Call is one call of a hook, as its check sees it.
type Call struct {
	events.Hook

	observe atomic.Bool // a check that does not come back may still speak
}

// Observe says whether the deployment's target is only observed, once the check
// knows: then the outcome is a success, whatever becomes of the check.
func (c *Call) Observe(yes bool) { c.observe.Store(yes) }

// Observed reports whether the outcome is a success whatever becomes of the check.
func (c *Call) Observed() bool { return c.observe.Load() }

// Reporter tells CodeDeploy the outcome of a hook.
type Reporter interface {
	Report(ctx context.Context, d deploy.ID, execution string, passed bool) error
}

// Waiting remembers the hooks that CodeDeploy waits for, so that somebody else can
// answer for a function that has died.
type Waiting interface {
	PutHook(ctx context.Context, h ledger.HookCall) error
	CloseHook(ctx context.Context, h ledger.HookCall) error
}

// Runner runs checks. Reserve is the part of the invocation's time kept back
// for reporting: a check that hangs must not take the report with it, because
// CodeDeploy holds the deployment for an hour before it gives up on an answer.
type Runner struct {
	Reporter Reporter
	Waiting  Waiting
	Function string // whose hook it is
	Reserve  time.Duration
	Observe  bool             // report success whatever becomes of the check, as long as that says nothing else of the target
	Now      func() time.Time // AWS's time; right once AWS has answered something
	Log      *slog.Logger
}

// Run runs the check and reports the outcome, whatever happens to the check.
// It returns an error only if CodeDeploy could not be told, so that Lambda
// tries again; a failed check is an outcome, not an error. One that is to be answered
// later is not answered: Waiting has it, if Began was called.
func (r Runner) Run(ctx context.Context, h events.Hook, check Check) error {
	call := &Call{Hook: h}
	call.Observe(r.Observe)
	failure := r.try(ctx, call, check)
	passed := failure == nil || call.Observed()
	if !passed && errors.Is(failure, ErrLater) {
		r.Log.LogAttrs(ctx, slog.LevelInfo, "hook left open", slog.String("deployment", string(h.Deployment)), slog.Any("reason", failure))
		return nil
	}

	// The report gets its own time, even when the caller's has run out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Reserve)
	defer cancel()
	if err := r.Reporter.Report(ctx, h.Deployment, h.Execution, passed); err != nil {
		return fmt.Errorf("report hook of %s: %w", h.Deployment, errors.Join(err, failure))
	}
	r.noted(ctx, h, "hook not forgotten", r.Waiting.CloseHook(ctx, r.call(h)))
	r.Log.LogAttrs(ctx, slog.LevelInfo, "hook reported",
		slog.String("deployment", string(h.Deployment)),
		slog.Bool("passed", passed),
		slog.Any("failure", failure))
	return nil
}

// Began remembers that CodeDeploy waits. A check calls it once AWS has told the time.
func (r Runner) Began(ctx context.Context, h events.Hook) {
	r.noted(ctx, h, "hook not remembered", r.Waiting.PutHook(ctx, r.call(h)))
}

func (r Runner) call(h events.Hook) ledger.HookCall {
	return ledger.HookCall{Deployment: h.Deployment, Execution: h.Execution, Function: r.Function, At: r.Now()}
}

// noted logs what could not be remembered. That is for the day on which this
// function dies, and no reason to fail on any other.
func (r Runner) noted(ctx context.Context, h events.Hook, what string, err error) {
	if err != nil {
		r.Log.LogAttrs(ctx, slog.LevelError, "the watchdog does not know", slog.String("what", what), slog.String("deployment", string(h.Deployment)), slog.Any("error", err))
	}
}

// try runs the check with the time that is left after the reserve, and turns
// a panic and a check that does not come back into failures.
func (r Runner) try(ctx context.Context, c *Call, check Check) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-r.Reserve))
		defer cancel()
	}
	outcome := make(chan error, 1) // buffered: a check that comes back late must not hang
	go func() {
		defer func() {
			if p := recover(); p != nil {
				outcome <- fmt.Errorf("check panicked: %v", p)
			}
		}()
		outcome <- check(ctx, c)
	}()
	select {
	case failure := <-outcome:
		return failure
	case <-ctx.Done():
		return fmt.Errorf("check did not come back: %w", ctx.Err())
	}
}
