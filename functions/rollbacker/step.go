package rollbacker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
)

// situation reads how everything stands.
func (h *Handler) situation(ctx context.Context, i ledger.Incident) (plan.Situation, error) {
	s := plan.Situation{Incident: i}
	var err error
	if s.Bad, err = h.Deployments.Get(ctx, i.Target, i.Deployment); err != nil {
		return s, fmt.Errorf("look up %s: %w", i.Deployment, err)
	}
	recent, err := h.Deployments.Recent(ctx, i.Target, s.Bad.Created)
	if err != nil {
		return s, fmt.Errorf("recent deployments of %s: %w", i.Target, err)
	}
	// recent is newest first, so what stays is the newest of each kind.
	for _, d := range slices.Backward(recent) {
		switch {
		case d.ID == s.Bad.ID:
		case isRollbackOf(d, s.Bad, i.ID):
			s.Rollback = &d
		case d.Created.After(s.Bad.Created):
			if s.Newer, err = h.newer(ctx, d, s.Newer); err != nil {
				return s, err
			}
		}
	}
	if s.Live, err = h.Revisions.Live(ctx, s.Bad.Place()); err != nil {
		return s, fmt.Errorf("what serves %s: %w", s.Bad.Place(), err)
	}
	s.Now = h.Now()
	return s, nil
}

// newer returns the deployment d if it has changed what is live or still may,
// else the one known before. One that ended before it had traffic, such as one
// that a gate refused, is no reason to leave the bad revision alone.
func (h *Handler) newer(ctx context.Context, d deploy.Deployment, before *deploy.Deployment) (*deploy.Deployment, error) {
	whole, err := h.Deployments.Get(ctx, d.Target, d.ID)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", d.ID, err)
	}
	if whole.Shifted.IsZero() && (whole.Status == deploy.Failed || whole.Status == deploy.Stopped) {
		return before, nil
	}
	return &whole, nil
}

// isRollbackOf reports whether d puts back what bad deployed: CodeDeploy says
// so, or pullback has marked it as its own. The mark finds a deployment whose
// creation was never answered.
func isRollbackOf(d, bad deploy.Deployment, i deploy.Incident) bool {
	marked, _, ours := deploy.ParseMarker(d.Description)
	return ours && marked == i || d.RollsBack == bad.ID || d.ID == bad.RolledBack
}

// take does what the step says, between two records: one of what is about to
// be done, so that no effect is without its reason, and one of the answer.
func (h *Handler) take(ctx context.Context, s plan.Situation, step plan.Step) (ledger.Incident, error) {
	i := s.Incident
	if s.Rollback != nil {
		i.Rollback = s.Rollback.ID
	}
	switch step.Verb {
	case plan.Stop:
		call := ledger.Call{API: "codedeploy:StopDeployment", Args: fmt.Sprintf("%s autoRollbackEnabled=true", s.Bad.ID)}
		return i, h.effect(ctx, i, step, call, func() (string, error) {
			err := h.Deployments.Stop(ctx, s.Bad)
			if errors.Is(err, deploy.ErrEnded) {
				return "it had ended already", nil // the next look sees how
			}
			return "accepted", err
		})
	case plan.Restore:
		return h.restore(ctx, s, step)
	case plan.Heal:
		call := ledger.Call{API: "lambda:UpdateAlias", Args: fmt.Sprintf("%s to version %s alone", i.Alias, i.Good)}
		return i, h.effect(ctx, i, step, call, func() (string, error) {
			err := h.Revisions.Heal(ctx, s.Live, i.Good)
			if errors.Is(err, deploy.ErrChanged) {
				return "the alias has changed since it was read", nil // the next look sees how
			}
			return "done", err
		})
	case plan.Wait:
		return i, nil
	default:
		return i, h.record(ctx, i, string(step.Verb), string(step.Phase), step.Because, nil)
	}
}

// choose chooses the known-good revision anew before a step that puts it back:
// what was ready when the incident was opened may be gone. Without one the step
// is to call a human at once.
func (h *Handler) choose(ctx context.Context, s *plan.Situation, step plan.Step) (plan.Step, error) {
	if step.Verb != plan.Restore && step.Verb != plan.Heal {
		return step, nil
	}
	good, why, err := h.Finder.Good(ctx, s.Bad)
	if err != nil {
		return step, err
	}
	if good == "" {
		return plan.Step{Verb: plan.Escalate, Because: "no way back: " + why, Phase: ledger.Escalated}, nil
	}
	s.Incident.Good = good
	return step, nil
}

// restore deploys the known-good revision.
func (h *Handler) restore(ctx context.Context, s plan.Situation, step plan.Step) (ledger.Incident, error) {
	i := s.Incident
	r := deploy.Restore{Place: s.Live.Place, From: s.Live.Version, To: i.Good, Marker: deploy.Marker(i.ID, i.Claim.Generation), Attempt: 1}
	call := ledger.Call{API: "codedeploy:CreateDeployment", Args: fmt.Sprintf("%s of %s from version %s to %s", i.Target, i.Alias, r.From, r.To)}
	err := h.effect(ctx, i, step, call, func() (string, error) {
		id, err := h.Deployments.Restore(ctx, r)
		if errors.Is(err, deploy.ErrBusy) {
			return "another deployment is active", nil // the next look sees which
		}
		i.Rollback = id
		return string(id), err
	})
	return i, err
}

// effect makes one mutating call between its two records.
func (h *Handler) effect(ctx context.Context, i ledger.Incident, step plan.Step, call ledger.Call, do func() (string, error)) error {
	if err := h.record(ctx, i, string(step.Verb), "intent", step.Because, &call); err != nil {
		return err
	}
	answer, err := do()
	if err != nil {
		return fmt.Errorf("%s %s: %w", step.Verb, i.ID, err)
	}
	call.Answer = answer
	return h.record(ctx, i, string(step.Verb), "effect", step.Because, &call)
}
