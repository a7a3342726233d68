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

// answer answers the hooks whose function has died or may not speak, and those that
// wait for a restore point. CodeDeploy would wait for an hour.
func (h *Handler) answer(ctx context.Context) error {
	open, err := h.Hooks.OpenHooks(ctx)
	if err != nil {
		return fmt.Errorf("hooks that wait: %w", err)
	}
	for _, call := range open {
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
	// One without an execution was told of by unheard: there is nothing to answer it with.
	if !d.Running() || call.Execution != "" && h.Now().Sub(call.At) >= forgotten {
		return h.Hooks.CloseHook(ctx, call)
	}
	if call.Execution == "" {
		return nil
	}
	g, err := h.Wards.Ward(ctx, d.Target)
	if err != nil {
		return fmt.Errorf("look up %s: %w", d.Target, err)
	}
	point, waits, err := h.waits(ctx, g, d, call)
	switch {
	case err != nil:
		return err
	case waits:
		return h.look(ctx, g, d, call, point)
	case h.Now().Sub(call.At) < g.Rules.HookTimeout:
		return nil
	}
	if err := h.answerFor(ctx, g, d, call); err != nil {
		return err
	}
	return h.Hooks.CloseHook(ctx, call)
}

// answerFor answers for a function that has died: what was not checked has failed.
func (h *Handler) answerFor(ctx context.Context, g ward.Ward, d deploy.Deployment, call ledger.HookCall) error {
	verb, why := "refuse", "what was not checked has failed"
	if d.IsRollback() {
		why = "a rollback always passes"
	}
	if d.IsRollback() || g.Observe() {
		verb = "allow"
	}
	because := fmt.Sprintf("%s was called at %s and has not answered: %s", call.Function, call.At.UTC().Format("15:04:05"), why)
	if err := h.write(ctx, g, ledger.Record{Deployment: d.ID, Verb: verb, Rule: "hook-died", Because: because}); err != nil {
		return err
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
	if err := h.note(ctx, g, "wait", "hook-unheard", because, ledger.Signal{}); err != nil {
		return err
	}
	if err := h.Notices.Said(ctx, d.Target, fmt.Sprintf("%s: %s waits for a hook that is not heard of", d.Target, d.ID), because,
		"aws deploy stop-deployment --auto-rollback-enabled --deployment-id "+string(d.ID)); err != nil {
		return err
	}
	return h.Hooks.PutHook(ctx, ledger.HookCall{Deployment: d.ID, Function: d.Waiting, At: h.Now()})
}
