package hook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// codeDeploy remembers what it was told, and when.
type codeDeploy struct {
	told []bool
	at   time.Time
	err  error
}

func (c *codeDeploy) Report(ctx context.Context, _ deploy.ID, _ string, passed bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.told, c.at = append(c.told, passed), time.Now()
	return c.err
}

func TestRunReportsWhateverHappensToTheCheck(t *testing.T) {
	const limit, reserve = time.Minute, 10 * time.Second
	for name, tt := range map[string]struct {
		check  hook.Check
		passed bool
		after  time.Duration
	}{
		"passes":               {func(context.Context, *hook.Call) error { return nil }, true, 0},
		"fails":                {func(context.Context, *hook.Call) error { return errors.New("503") }, false, 0},
		"panics":               {func(context.Context, *hook.Call) error { panic("nil map") }, false, 0},
		"heeds its deadline":   {func(ctx context.Context, _ *hook.Call) error { <-ctx.Done(); return ctx.Err() }, false, limit - reserve},
		"ignores its deadline": {func(context.Context, *hook.Call) error { time.Sleep(time.Hour); return nil }, false, limit - reserve},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				cd := &codeDeploy{}
				err := hook.Runner{Waiting: &ledgertest.Memory{}, Now: func() time.Time { return noon }, Reporter: cd, Reserve: reserve, Log: slog.New(slog.DiscardHandler)}.
					Run(ctx, events.Hook{Deployment: "d-1", Execution: "x"}, tt.check)
				require.NoError(t, err)
				assert.Equal(t, []bool{tt.passed}, cd.told)
				assert.Equal(t, tt.after, cd.at.Sub(began))
				time.Sleep(2 * time.Hour) // of the bubble's time: lets the check that ignores its deadline come back
			})
		})
	}
}

func TestRunReportsEvenWhenTheCallerIsOutOfTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cd := &codeDeploy{}
	err := hook.Runner{Waiting: &ledgertest.Memory{}, Now: func() time.Time { return noon }, Reporter: cd, Reserve: time.Second, Log: slog.New(slog.DiscardHandler)}.
		Run(ctx, events.Hook{Deployment: "d-1", Execution: "x"}, func(ctx context.Context, _ *hook.Call) error { return ctx.Err() })
	require.NoError(t, err)
	assert.Equal(t, []bool{false}, cd.told)
}

func TestRunFailsOnlyIfCodeDeployCannotBeTold(t *testing.T) {
	cd := &codeDeploy{err: errors.New("connection reset")}
	err := hook.Runner{Waiting: &ledgertest.Memory{}, Now: func() time.Time { return noon }, Reporter: cd, Reserve: time.Second, Log: slog.New(slog.DiscardHandler)}.
		Run(t.Context(), events.Hook{Deployment: "d-1", Execution: "secret"}, func(context.Context, *hook.Call) error { return nil })
	require.ErrorContains(t, err, "connection reset")
	assert.NotContains(t, err.Error(), "secret")
}

func TestObservingLetsEverythingPass(t *testing.T) {
	cd := &codeDeploy{}
	err := hook.Runner{Waiting: &ledgertest.Memory{}, Now: func() time.Time { return noon }, Reporter: cd, Reserve: time.Second, Observe: true, Log: slog.New(slog.DiscardHandler)}.
		Run(t.Context(), events.Hook{Deployment: "d-1", Execution: "x"}, func(context.Context, *hook.Call) error { return errors.New("503") })
	require.NoError(t, err)
	assert.Equal(t, []bool{true}, cd.told)
}

func TestTheModeOfTheTargetIsStrongerThanThatOfAll(t *testing.T) {
	for _, observed := range []bool{true, false} {
		for name, check := range map[string]hook.Check{
			"fails":   func(_ context.Context, c *hook.Call) error { c.Observe(observed); return errors.New("503") },
			"panics":  func(_ context.Context, c *hook.Call) error { c.Observe(observed); panic("nil map") },
			"is late": func(ctx context.Context, c *hook.Call) error { c.Observe(observed); <-ctx.Done(); select {} },
		} {
			t.Run(fmt.Sprintf("%s, observed: %t", name, observed), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				cd := &codeDeploy{}
				r := hook.Runner{
					Waiting: &ledgertest.Memory{}, Now: func() time.Time { return noon }, Reporter: cd, Reserve: 25 * time.Millisecond, Observe: !observed, Log: slog.New(slog.DiscardHandler),
				}
				require.NoError(t, r.Run(ctx, events.Hook{Deployment: "d-1", Execution: "x"}, check))
				assert.Equal(t, []bool{observed}, cd.told)
			})
		}
	}
}

func TestWhatIsToBeAnsweredLaterIsLeftOpen(t *testing.T) {
	for observed, told := range map[bool][]bool{false: nil, true: {true}} {
		waiting, cd := &ledgertest.Memory{}, &codeDeploy{}
		r := hook.Runner{
			Reporter: cd, Waiting: waiting, Function: "pretraffic", Reserve: time.Second, Observe: observed, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
		}
		require.NoError(t, r.Run(t.Context(), events.Hook{Deployment: "d-1", Execution: "token"}, func(ctx context.Context, c *hook.Call) error {
			r.Began(ctx, c.Hook)
			return fmt.Errorf("%w: a snapshot is not complete", hook.ErrLater)
		}))
		assert.Equal(t, told, cd.told, "who observes waits for nothing")
		open, err := waiting.OpenHooks(t.Context())
		require.NoError(t, err)
		assert.Equal(t, !observed, len(open) == 1)
	}
}

func TestAHookWaitsFromItsBeginningToItsAnswer(t *testing.T) {
	waiting := &ledgertest.Memory{}
	cd := &codeDeploy{}
	r := hook.Runner{
		Reporter: cd, Waiting: waiting, Function: "pretraffic", Reserve: time.Second, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return noon },
	}
	call := events.Hook{Deployment: "d-1", Execution: "token"}
	want := []ledger.HookCall{{Deployment: "d-1", Execution: "token", Function: "pretraffic", At: noon}}
	open := func() []ledger.HookCall {
		all, err := waiting.OpenHooks(t.Context())
		require.NoError(t, err)
		return all
	}
	require.NoError(t, r.Run(t.Context(), call, func(ctx context.Context, c *hook.Call) error {
		r.Began(ctx, c.Hook)
		assert.Equal(t, want, open())
		return nil
	}))
	assert.Empty(t, open())

	cd.err = errors.New("access denied")
	require.Error(t, r.Run(t.Context(), call, func(ctx context.Context, c *hook.Call) error {
		r.Began(ctx, c.Hook)
		return nil
	}))
	assert.Equal(t, want, open(), "nobody has answered")
}
