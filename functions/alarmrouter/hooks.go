package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// forgotten is when CodeDeploy has stopped waiting for a hook by itself: one hour
// (user guide, "AppSpec 'hooks' section"), and some.
const forgotten = 65 * time.Minute

// answer answers the hooks whose function has died or may not speak: what was not
// checked has failed. CodeDeploy would wait for an hour.
func (h *Handler) answer(ctx context.Context) error {
	open, err := h.Hooks.OpenHooks(ctx)
	if err != nil {
		return fmt.Errorf("hooks that wait: %w", err)
	}
	if len(open) == 0 {
		return nil
	}
	c, err := h.Wards.Config.Current(ctx)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, call := range open {
		waits, err := h.waits(ctx, call)
		if err != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "not known whether a hook waits", slog.String("deployment", string(call.Deployment)), slog.Any("error", err))
		}
		if waits || err != nil && h.Now().Sub(call.At) < forgotten || h.Now().Sub(call.At) < c.Defaults().HookTimeout {
			continue
		}
		if err := h.answerOne(ctx, call); err != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "hook not answered", slog.String("deployment", string(call.Deployment)), slog.Any("error", err))
		}
	}
	return nil
}

func (h *Handler) answerOne(ctx context.Context, call ledger.HookCall) error {
	d, err := h.Deployments.Get(ctx, deploy.Target{}, call.Deployment)
	if errors.Is(err, deploy.ErrUnknown) {
		return h.Hooks.CloseHook(ctx, call)
	}
	if err != nil {
		return err
	}
	if call.Execution == "" { // told of by unheard: there is nothing to answer it with
		if !d.Running() {
			return h.Hooks.CloseHook(ctx, call)
		}
		return nil
	}
	if d.Running() && h.Now().Sub(call.At) < forgotten {
		if err := h.answerFor(ctx, d, call); err != nil {
			return err
		}
	}
	return h.Hooks.CloseHook(ctx, call)
}

func (h *Handler) answerFor(ctx context.Context, d deploy.Deployment, call ledger.HookCall) error {
	because := fmt.Sprintf("%s was called at %s and has not answered: what was not checked has failed", call.Function, call.At.UTC().Format("15:04:05"))
	if d.IsRollback() {
		because = fmt.Sprintf("%s was called at %s and has not answered: a rollback always passes", call.Function, call.At.UTC().Format("15:04:05"))
	}
	verb := "refuse"
	g, err := h.Wards.Ward(ctx, d.Target)
	if err != nil {
		return fmt.Errorf("look up %s: %w", d.Target, err)
	}
	if d.IsRollback() || g.Observe() {
		verb = "allow"
	}
	r := ledger.Record{Target: d.Target, At: h.Now(), Function: "alarmrouter", Deployment: d.ID, Verb: verb, Rule: "hook-died", Because: because}
	if _, err := h.Memory.Append(ctx, r); err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, d.ID, err)
	}
	if err := h.Reporter.Report(ctx, d.ID, call.Execution, verb == "allow"); err != nil {
		return err
	}
	return h.Notices.Said(ctx, d.Target, fmt.Sprintf("%s: the hook %s did not answer for %s", d.Target, call.Function, d.ID), because,
		fmt.Sprintf("pullback explain %s", d.Target))
}

// unheard tells a human, once, of a deployment that waits for a hook which pullback
// was never called for: it may be the team's own, and it may take an hour.
func (h *Handler) unheard(ctx context.Context, g ward.Ward, d deploy.Deployment) error {
	if d.Waiting == "" || h.Now().Sub(d.WaitingSince) < g.Rules.HookTimeout {
		return nil
	}
	open, err := h.Hooks.OpenHooks(ctx)
	if err != nil {
		return fmt.Errorf("hooks that wait: %w", err)
	}
	if slices.ContainsFunc(open, func(c ledger.HookCall) bool { return c.Deployment == d.ID }) {
		return nil
	}
	because := fmt.Sprintf("%s waits for its hook %s since %s, and CodeDeploy will for an hour: a hook that is not called, fails or may not answer looks like this", d.ID, d.Waiting, d.WaitingSince.UTC().Format("15:04:05"))
	if err := h.note(ctx, d.Target, "wait", "hook-unheard", because, ledger.Signal{}); err != nil {
		return err
	}
	if err := h.Notices.Said(ctx, d.Target, fmt.Sprintf("%s: %s waits for a hook that is not heard of", d.Target, d.ID), because,
		"aws deploy stop-deployment --auto-rollback-enabled --deployment-id "+string(d.ID)); err != nil {
		return err
	}
	return h.Hooks.PutHook(ctx, ledger.HookCall{Deployment: d.ID, Function: d.Waiting, At: h.Now()})
}
