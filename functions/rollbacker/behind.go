package rollbacker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// behind returns the newest deployment of each target that a stage of a pipeline
// deploys to, as far as they could be read.
func (h *Handler) behind(ctx context.Context, i ledger.Incident) ([]deploy.Deployment, error) {
	if i.Target.Kind != deploy.KindStage {
		return nil, nil
	}
	targets, err := h.Stages.Behind(ctx, i.Target)
	if err != nil {
		return nil, fmt.Errorf("what %s deploys to: %w", i.Target, err)
	}
	var found []deploy.Deployment
	var errs []error
	for _, t := range targets {
		recent, err := h.Deployments.Recent(ctx, t, i.Opened.Add(-time.Hour))
		errs = append(errs, err)
		if err == nil && len(recent) > 0 {
			found = append(found, recent[0])
		}
	}
	return found, errors.Join(errs...)
}

// stopBehind stops the deployments that a stopped stage leaves running: CodePipeline
// waits for its actions, and the bad revision would go all the way.
func (h *Handler) stopBehind(ctx context.Context, i ledger.Incident) error {
	all, err := h.behind(ctx, i)
	errs := []error{err}
	for _, d := range all {
		if !d.Running() {
			continue
		}
		if err := h.Deployments.Stop(ctx, d); err != nil && !errors.Is(err, deploy.ErrEnded) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// unfinished returns a deployment that keeps a stage from deploying to its target:
// one that is under way, such as the one with which CodeDeploy takes back what was
// stopped, or that CodeDeploy is about to take back. A deployment group has one
// active deployment at a time (API reference, CreateDeployment,
// DeploymentLimitExceededException), so that a rollback of the stage would fail.
// What cannot be read is in nobody's way.
func (h *Handler) unfinished(ctx context.Context, s situation) *deploy.Deployment {
	if s.Bad.Running() {
		return nil // it is what goes on there
	}
	all, err := h.behind(ctx, s.Incident)
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "what the stage deploys to not read", slog.String("incident", string(s.Incident.ID)), slog.Any("error", err))
	}
	for _, d := range all {
		if d.Running() || h.taken(d) {
			return &d
		}
	}
	return nil
}

// taken reports whether a deployment of a group was stopped so lately that CodeDeploy
// may not have named yet which one takes it back.
func (h *Handler) taken(d deploy.Deployment) bool {
	return d.Target.Kind == deploy.KindGroup && d.Status == deploy.Stopped && d.RolledBack == "" && h.Now().Sub(d.Ended) < h.Limits.Notice
}
