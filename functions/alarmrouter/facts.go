package alarmrouter

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
)

// facts reads what speaks for and against a deployment, and no more than that:
// most signals are about targets that are not opted in, or that are fine.
func (h *Handler) facts(ctx context.Context, g ward, d deploy.Deployment, newest deploy.ID) (policy.Facts, error) {
	f := policy.Facts{Now: h.Now(), Enabled: g.Enabled, Deployment: d, Newest: newest, Good: "?"}
	if !g.Enabled || d.IsRollback() || d.Shifted.IsZero() {
		return f, nil
	}
	var err error
	if f.Alarms, err = h.Alarms.Alarms(ctx, g.Alarms); err != nil {
		return f, fmt.Errorf("alarms of %s: %w", g.Target, err)
	}
	if f.Judged, err = h.judged(ctx, d); err != nil {
		return f, err
	}
	if err := h.keptOff(ctx, d, &f); err != nil {
		return f, err
	}
	return f, nil
}

// keptOff reads whether the deployment should not have begun at all, and whether a
// human has let it through. What was said after it was created was said because of
// it.
func (h *Handler) keptOff(ctx context.Context, d deploy.Deployment, f *policy.Facts) error {
	hold, err := h.Holds.HoldOn(ctx, d.Target)
	switch {
	case err == nil && hold.Alarm == "" && hold.At.Before(d.Created):
		f.Held = hold.Because
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return fmt.Errorf("hold on %s: %w", d.Target, err)
	}
	digest, err := h.digest(ctx, d)
	if err != nil || digest == "" {
		return err
	}
	q, err := h.Holds.QuarantineOf(ctx, digest)
	switch {
	case err == nil && q.At.Before(d.Created):
		f.Quarantine = fmt.Sprintf("%s was taken back from %s: %s", q.Revision, q.Target, q.Because)
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return fmt.Errorf("quarantine of %s: %w", d.To, err)
	}
	o, err := h.Words.OverrideOn(ctx, d.Target, digest)
	switch {
	case err == nil && o.Stands(f.Now):
		f.Overridden = fmt.Sprintf("%s (%s, until %s)", o.Because, o.By, o.Until.UTC().Format("2006-01-02 15:04"))
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return fmt.Errorf("override of %s: %w", d.To, err)
	}
	return nil
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
// something speaks against, and returns why there is no way back, if there is none.
func (h *Handler) wayBack(ctx context.Context, g ward, f *policy.Facts) (missing string, err error) {
	d := f.Deployment
	if err := h.oneWay(ctx, f); err != nil {
		return "", err
	}
	if err := h.adopt(ctx, g, d); err != nil {
		return "", err
	}
	if f.Good, missing, err = h.Finder.Good(ctx, d); err != nil {
		return "", err
	}
	if f.Good == "" && d.From == "" {
		marks, err := h.Bakes.KnownGood(ctx, d.Target)
		if err != nil {
			return "", fmt.Errorf("known-good revisions of %s: %w", d.Target, err)
		}
		f.First = len(marks) == 0
	}
	past, err := h.Incidents.IncidentsSince(ctx, d.Target, f.Now.Add(-g.rules.MaxPerTarget.Window))
	if err != nil {
		return "", fmt.Errorf("incidents of %s: %w", d.Target, err)
	}
	for _, i := range past {
		if i.Deployment != d.ID && i.Looks > 0 && i.Phase != ledger.Superseded {
			f.Rollbacks++
		}
	}
	return missing, nil
}

// oneWay reads whether the deployment may be rolled back.
func (h *Handler) oneWay(ctx context.Context, f *policy.Facts) error {
	mark, err := h.Words.OneWayOf(ctx, f.Deployment.Target, f.Deployment.To)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mark of %s: %w", f.Deployment.To, err)
	}
	if mark.To == "" {
		f.OneWay = fmt.Sprintf("%s (%s)", mark.Because, mark.By)
	}
	return nil
}

// slot takes one of the account's slots for the target, or says why it may not be
// taken back now.
func (h *Handler) slot(ctx context.Context, g ward, f *policy.Facts) error {
	d := f.Deployment
	s := ledger.Slot{Target: d.Target, Incident: deploy.IncidentOf(d.Target, d.ID), At: f.Now}
	ok, err := h.Words.TakeSlot(ctx, s, g.line.Count, g.line.Window)
	if err != nil {
		return fmt.Errorf("slot for %s: %w", d.Target, err)
	}
	if !ok {
		f.Halted = fmt.Sprintf("%d other targets were taken back within %s: the line is stopped", g.line.Count, g.line.Window)
	}
	return nil
}
