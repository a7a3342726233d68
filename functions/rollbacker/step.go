package rollbacker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/together"
	"github.com/pullback-dev/pullback/shared/ward"
)

// A situation is how everything stands, and how the target is configured.
type situation struct {
	plan.Situation

	ward ward.Ward // only the hash that the incident was opened under, if it cannot be read
	deaf error     // why it cannot
}

// known reads what comes first: the bad deployment, and how the target is configured
// now. Where that cannot be read the rollback goes on, as it was begun: whoever
// opened the incident knew that it may.
func (h *Handler) known(ctx context.Context, i ledger.Incident) (situation, error) {
	s := situation{Situation: plan.Situation{Incident: i}}
	err := together.Do(
		func() (err error) {
			if s.Bad, err = h.Deployments.Get(ctx, i.Target, i.Deployment); err != nil {
				return fmt.Errorf("look up %s: %w", i.Deployment, err)
			}
			return nil
		},
		func() error { s.ward, s.deaf = h.Wards.Ward(ctx, i.Target); return nil },
	)
	if s.deaf != nil {
		s.ward = ward.Ward{Hash: i.Config}
		h.Log.LogAttrs(ctx, slog.LevelWarn, "configuration not read", slog.String("incident", string(i.ID)), slog.Any("error", s.deaf))
	}
	return s, err
}

// situation reads how everything else stands.
func (h *Handler) situation(ctx context.Context, s situation) (situation, error) {
	i := s.Incident
	place := i.Place()
	if place.Platform == "" { // of an incident from before platforms were told apart
		place.Platform = s.Bad.Platform
	}
	err := together.Do(
		func() error { return h.others(ctx, &s.Situation) },
		func() (err error) {
			if s.Live, err = h.Revisions.Live(ctx, place); err != nil {
				return fmt.Errorf("what serves %s: %w", place, err)
			}
			return nil
		},
	)
	if err != nil {
		return s, err
	}
	s.Behind = h.unfinished(ctx, s)
	if s.Live.Only(i.Good) {
		if s.Red, err = h.red(ctx, s); err != nil {
			return s, err
		}
	}
	if i.ToZero {
		if err := h.zeroed(ctx, place, &s.Situation); err != nil {
			return s, err
		}
	}
	s.Now = h.Now()
	return s, nil
}

// others finds the deployments that were begun since the bad one.
func (h *Handler) others(ctx context.Context, s *plan.Situation) error {
	recent, err := h.Deployments.Recent(ctx, s.Incident.Target, s.Bad.Created)
	if err != nil {
		return fmt.Errorf("recent deployments of %s: %w", s.Incident.Target, err)
	}
	// recent is newest first, so what stays is the newest of each kind.
	for _, d := range slices.Backward(recent) {
		if d.ID == s.Bad.ID {
			continue
		}
		if !isRollbackOf(d, s.Bad, s.Incident) {
			if !d.Created.After(s.Bad.Created) {
				continue
			}
			// A list may leave out what a deployment moves.
			if d, err = h.Deployments.Get(ctx, d.Target, d.ID); err != nil {
				return fmt.Errorf("look up %s: %w", d.ID, err)
			}
		}
		switch {
		case isRollbackOf(d, s.Bad, s.Incident):
			s.Rollback = &d
			if d.Status == deploy.Failed || d.Status == deploy.Stopped {
				s.Failures++
			}
		case moves(d):
			s.Newer = &d
		}
	}
	return nil
}

// moves reports whether a deployment has changed what is live or still may. One
// that ended before it had traffic, such as one that a gate refused, is no reason
// to leave the bad revision alone.
func moves(d deploy.Deployment) bool {
	return !d.Shifted.IsZero() || d.Status != deploy.Failed && d.Status != deploy.Stopped
}

// red returns an alarm that speaks for the target, is red, and was not before the
// bad deployment had traffic; or "".
func (h *Handler) red(ctx context.Context, s situation) (string, error) {
	t := s.Incident.Target
	if s.Bad.Shifted.IsZero() {
		return "", nil // what never had traffic has made nothing red
	}
	if s.deaf != nil {
		return "", fmt.Errorf("look up %s: %w", t, s.deaf)
	}
	alarms, err := h.Alarms.Alarms(ctx, s.ward.Alarms)
	if err != nil {
		return "", fmt.Errorf("alarms of %s: %w", t, err)
	}
	for _, a := range alarms {
		if a.Red && !a.Since.Before(s.Bad.Shifted) {
			return a.Name, nil
		}
	}
	return "", nil
}

// isRollbackOf reports whether d puts back what bad deployed: CodeDeploy says
// so, or pullback has marked it as its own. The mark finds a deployment whose
// creation was never answered. Where AWS keeps no mark, it is one that moves to the
// good revision since the incident was opened, whoever began it.
func isRollbackOf(d, bad deploy.Deployment, i ledger.Incident) bool {
	marked, _, ours := deploy.ParseMarker(d.Description)
	if ours && marked == i.ID || d.RollsBack == bad.ID || d.ID == bad.RolledBack || d.ID == i.Rollback {
		return true
	}
	return i.Target.Kind != deploy.KindGroup && i.Good != "" && d.To == i.Good && !d.Created.Before(i.Opened.Truncate(time.Second))
}

// take does what the step says, between two records: one of what is about to
// be done, so that no effect is without its reason, and one of the answer.
func (h *Handler) take(ctx context.Context, s situation, step plan.Step) (ledger.Incident, error) {
	i := s.Incident
	if s.Rollback != nil {
		i.Rollback = s.Rollback.ID
	}
	switch step.Verb {
	case plan.Stop:
		call := ledger.Call{API: apis(i.Place())[plan.Stop], Args: fmt.Sprintf("%s autoRollbackEnabled=true", s.Bad.ID)}
		return i, h.effect(ctx, s, step, call, func() (string, error) {
			answer, err := "accepted", h.Deployments.Stop(ctx, s.Bad)
			if errors.Is(err, deploy.ErrEnded) {
				answer, err = "it had ended already", nil // the next look sees how
			}
			return answer, errors.Join(err, h.stopBehind(ctx, i))
		})
	case plan.Restore:
		return h.restore(ctx, s, step)
	case plan.Zero:
		return h.zero(ctx, s, step)
	case plan.Heal:
		call := ledger.Call{API: apis(i.Place())[plan.Heal], Args: fmt.Sprintf("%s to %s alone", i.Place(), i.Place().Name(i.Good))}
		return i, h.effect(ctx, s, step, call, func() (string, error) {
			err := h.Revisions.Heal(ctx, s.Live, i.Good)
			if errors.Is(err, deploy.ErrChanged) {
				return "it has changed since it was read", nil // the next look sees how
			}
			return "done", err
		})
	case plan.Wait:
		return i, nil
	case plan.Verify:
		if !i.Settled.IsZero() {
			return i, nil
		}
		i.Settled = h.Now()
		return i, h.record(ctx, s, string(step.Verb), string(step.Phase), step.Because, nil)
	default:
		return i, h.record(ctx, s, string(step.Verb), string(step.Phase), step.Because, nil)
	}
}

// choose chooses the known-good revision anew before a step that puts it back:
// what was ready when the incident was opened may be gone. Without one the step
// is to call a human at once. What a human has chosen stays.
func (h *Handler) choose(ctx context.Context, s *situation, step plan.Step) (plan.Step, error) {
	if step.Verb != plan.Restore && step.Verb != plan.Heal || s.Incident.Chosen {
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
func (h *Handler) restore(ctx context.Context, s situation, step plan.Step) (ledger.Incident, error) {
	i, place := s.Incident, s.Live.Place
	r := deploy.Restore{
		Place: place, From: s.Live.Version, To: i.Good, Marker: deploy.Marker(i.ID, i.Claim.Generation), Attempt: step.Attempt,
	}
	var err error
	if r.Content, err = h.content(ctx, i); err != nil {
		return i, err
	}
	call := ledger.Call{API: apis(place)[plan.Restore], Args: fmt.Sprintf("%s from %s to %s", of(place), place.Name(r.From), place.Name(r.To))}
	err = h.effect(ctx, s, step, call, func() (string, error) {
		id, err := h.Deployments.Restore(ctx, r)
		if errors.Is(err, deploy.ErrBusy) {
			return "another deployment is active", nil // the next look sees which
		}
		i.Rollback = id
		return string(id), err
	})
	return i, err
}

// content returns what the deployment that brought the good revision did with files
// that were there already: "the content-handling option for that last successful
// deployment is applied to the rollback deployment" (CodeDeploy user guide,
// "Rollback behavior with existing content").
func (h *Handler) content(ctx context.Context, i ledger.Incident) (string, error) {
	if i.Platform != deploy.OnServer {
		return "", nil
	}
	marks, err := h.Memory.KnownGood(ctx, i.Target)
	if err != nil {
		return "", fmt.Errorf("known-good revisions of %s: %w", i.Target, err)
	}
	for _, g := range marks {
		if g.Revision == i.Good {
			return g.Content, nil
		}
	}
	return "", nil
}
