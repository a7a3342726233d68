package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/together"
	"github.com/pullback-dev/pullback/shared/ward"
)

// known is what was found out about a deployment.
type known struct {
	policy.Facts

	digest  deploy.Digest    // of the code that it brings; empty if AWS does not know it any more
	missing string           // why there is no way back, if there is none
	serves  deploy.Revision  // alone, while something is left behind
	toZero  bool             // there is none, and the target is to be taken out of service instead
	opened  *ledger.Incident // that it has become already; nil if it has not
}

// facts reads what speaks for and against a deployment, and no more than that:
// most signals are about targets that are not opted in, or that are fine.
func (h *Handler) facts(ctx context.Context, g ward.Ward, d deploy.Deployment, newest deploy.ID) (known, error) {
	f := known{Facts: policy.Facts{Now: h.Now(), Enabled: g.Enabled, Deployment: d, Newest: newest, Good: "?"}}
	if !g.Enabled || d.IsRollback() {
		return f, nil
	}
	if d.Shifted.IsZero() {
		return f, h.left(ctx, d, &f)
	}
	err := together.Do(
		func() (err error) {
			if f.Alarms, err = h.Alarms.Alarms(ctx, g.Alarms); err != nil {
				return fmt.Errorf("alarms of %s: %w", g.Target, err)
			}
			return nil
		},
		func() (err error) { f.Judged, err = h.judged(ctx, d); return err },
		func() (err error) { f.Held, err = h.held(ctx, d); return err },
		func() error { return h.keptOff(ctx, d, &f) },
	)
	return f, err
}

// held reads whether the target took no deployments when this one was created. What
// was said after that was said because of it.
func (h *Handler) held(ctx context.Context, d deploy.Deployment) (because string, err error) {
	hold, err := h.Holds.HoldOn(ctx, d.Target)
	switch {
	case err == nil && hold.Alarm == "" && hold.At.Before(d.Created):
		return hold.Because, nil
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return "", fmt.Errorf("hold on %s: %w", d.Target, err)
	}
	return "", nil
}

// keptOff reads whether the deployment's code was kept off when it was created, and
// whether a human has let it through.
func (h *Handler) keptOff(ctx context.Context, d deploy.Deployment, f *known) error {
	digest, err := h.digest(ctx, d)
	if err != nil || digest == "" {
		return err
	}
	f.digest = digest
	return together.Do(
		func() error {
			q, err := h.Holds.QuarantineOf(ctx, digest)
			switch {
			case err == nil && q.At.Before(d.Created):
				f.Quarantine = fmt.Sprintf("%s was taken back from %s: %s", q.Revision, q.Target, q.Because)
			case err != nil && !errors.Is(err, ledger.ErrNotFound):
				return fmt.Errorf("quarantine of %s: %w", d.To, err)
			}
			return nil
		},
		func() error {
			o, err := h.Words.OverrideOn(ctx, d.Target, digest)
			switch {
			case err == nil && o.Stands(f.Now):
				f.Overridden = fmt.Sprintf("%s (%s, until %s)", o.Because, o.By, o.Until.UTC().Format("2006-01-02 15:04"))
			case err != nil && !errors.Is(err, ledger.ErrNotFound):
				return fmt.Errorf("override of %s: %w", d.To, err)
			}
			return nil
		},
	)
}

// digest returns the code that a deployment brings, or "" if AWS does not know it
// any more.
func (h *Handler) digest(ctx context.Context, d deploy.Deployment) (deploy.Digest, error) {
	if d.To == "" {
		return "", nil
	}
	digest, err := h.Revisions.Digest(ctx, d.Place(), d.To)
	if errors.Is(err, deploy.ErrUnknown) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("digest of %s: %w", d.Place().Name(d.To), err)
	}
	return digest, nil
}

// wayBack reads what it takes to decide what to do about a deployment that
// something speaks against.
func (h *Handler) wayBack(ctx context.Context, g ward.Ward, f *known) error {
	d := f.Deployment
	return together.Do(
		func() (err error) { f.OneWay, err = h.oneWay(ctx, d); return err },
		func() (err error) { f.Good, f.missing, f.First, err = h.good(ctx, g, d); return err },
		func() (err error) { f.Rollbacks, err = h.rollbacks(ctx, g, d, f.Now); return err },
		func() (err error) { f.opened, err = h.opened(ctx, d); return err },
	)
}

// opened returns the incident that a deployment has become, or nil.
func (h *Handler) opened(ctx context.Context, d deploy.Deployment) (*ledger.Incident, error) {
	id := deploy.IncidentOf(d.Target, d.ID)
	i, err := h.Incidents.Incident(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil //nolint:nilnil // most have become none
	}
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	return &i, nil
}

// good finds the revision to go back to, or says why there is none, and whether that
// is because nothing was deployed before.
func (h *Handler) good(ctx context.Context, g ward.Ward, d deploy.Deployment) (good deploy.Revision, missing string, first bool, err error) {
	if good, missing, err = h.Finder.Good(ctx, d); err != nil || good != "" {
		return good, missing, false, err
	}
	if err := h.adopt(ctx, g, d); err != nil {
		return "", "", false, err
	}
	if good, missing, err = h.Finder.Good(ctx, d); err != nil || good != "" || d.From != "" {
		return good, missing, false, err
	}
	marks, err := h.Bakes.KnownGood(ctx, d.Target)
	if err != nil {
		return "", "", false, fmt.Errorf("known-good revisions of %s: %w", d.Target, err)
	}
	return "", missing, len(marks) == 0, nil
}

// rollbacks counts how often the target was taken back lately.
func (h *Handler) rollbacks(ctx context.Context, g ward.Ward, d deploy.Deployment, now time.Time) (n int, err error) {
	past, err := h.Incidents.IncidentsSince(ctx, d.Target, now.Add(-g.Rules.MaxPerTarget.Window))
	if err != nil {
		return 0, fmt.Errorf("incidents of %s: %w", d.Target, err)
	}
	for _, i := range past {
		if i.Deployment != d.ID && !i.Mends && i.Looks > 0 && i.Phase != ledger.Superseded {
			n++
		}
	}
	return n, nil
}

// oneWay reads why the deployment may not be rolled back, if a human or the file has
// said so.
func (h *Handler) oneWay(ctx context.Context, d deploy.Deployment) (because string, err error) {
	mark, err := h.Doors.OneWayOf(ctx, d.Target, d.To)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("mark of %s: %w", d.To, err)
	}
	if mark.To == "" {
		return fmt.Sprintf("%s (%s)", mark.Because, mark.By), nil
	}
	return "", nil
}

// slot takes one of the account's slots for the target, or says why it may not be
// taken back now.
func (h *Handler) slot(ctx context.Context, g ward.Ward, f *known) error {
	d := f.Deployment
	s := ledger.Slot{Target: d.Target, Incident: deploy.IncidentOf(d.Target, d.ID), At: f.Now}
	ok, err := h.Words.TakeSlot(ctx, s, g.Line.Count, g.Line.Window)
	if err != nil {
		return fmt.Errorf("slot for %s: %w", d.Target, err)
	}
	if !ok {
		f.Halted = fmt.Sprintf("%d other targets were taken back within %s: the line is stopped", g.Line.Count, g.Line.Window)
	}
	return nil
}
