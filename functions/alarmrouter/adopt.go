package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// adopt gives a target that nothing is known of a known-good revision from its past:
// that of the newest deployment which ended well, and whose bake time had passed when
// the next one, or now, came. It is marked as assumed, since nobody watched it.
func (h *Handler) adopt(ctx context.Context, g ward.Ward, newest deploy.Deployment) error {
	marks, err := h.Bakes.KnownGood(ctx, g.Target)
	if err != nil {
		return fmt.Errorf("known-good revisions of %s: %w", g.Target, err)
	}
	if len(marks) > 0 {
		return nil
	}
	place := placed(g, newest)
	past, err := h.History.History(ctx, place)
	if err != nil {
		return fmt.Errorf("history of %s: %w", g.Target, err)
	}
	until := h.Now()
	if newest.ID != "" {
		until = newest.Created
	}
	for _, p := range past {
		if p.Deployment == newest.ID || until.Sub(p.Ended) < g.Rules.Bake {
			until = minTime(until, p.Ended)
			continue
		}
		return h.assume(ctx, g, place, p)
	}
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (h *Handler) assume(ctx context.Context, g ward.Ward, place deploy.Place, p deploy.Success) error {
	digest, err := h.Revisions.Digest(ctx, place, p.Revision)
	if errors.Is(err, deploy.ErrUnknown) {
		return nil // it is gone
	}
	if err != nil {
		return fmt.Errorf("digest of %s: %w", place.Name(p.Revision), err)
	}
	why := fmt.Sprintf("assumed: %s brought it, ended well at %s, and was not replaced within %s", p.Deployment, p.Ended.UTC().Format(time.RFC3339), g.Rules.Bake)
	if err := h.note(ctx, g, "known-good", "assumed", place.Name(p.Revision)+" "+why, ledger.Signal{}); err != nil {
		return err
	}
	mark := ledger.KnownGood{Target: place.Target, Revision: p.Revision, Digest: digest, Why: why, At: p.Ended.Add(g.Rules.Bake), Assumed: true, Content: p.Content}
	if err := h.Bakes.MarkKnownGood(ctx, mark); err != nil {
		return fmt.Errorf("mark %s known good: %w", place.Name(p.Revision), err)
	}
	return nil
}

// readiness finds out whether a target could be taken back right now to what is
// known good, and says so as soon as that changes. A target of which nothing is
// known good yet is not told of: there was no way back before, either.
func (h *Handler) readiness(ctx context.Context, g ward.Ward, newest deploy.Deployment) error {
	marks, err := h.Bakes.KnownGood(ctx, g.Target)
	if err != nil || len(marks) == 0 && g.Wrong == nil {
		return err
	}
	good, problem, err := h.wayBackOfNext(ctx, g, len(marks) > 0)
	if err != nil {
		return err
	}
	again, err := h.again(ctx, g, newest)
	if err != nil {
		return err
	}
	problem = strings.Trim(problem+"; "+again, "; ")
	now := ledger.Readiness{Target: g.Target, Revision: good, Problem: problem, At: h.Now()}
	before, err := h.Bakes.SeeReadiness(ctx, now)
	if err != nil {
		return fmt.Errorf("readiness of %s: %w", g.Target, err)
	}
	if before.Problem == problem {
		return nil
	}
	rule, title := "not-ready", fmt.Sprintf("%s is not ready to be taken back", g.Target)
	switch {
	case again != "":
		rule, title = "serves-again", fmt.Sprintf("%s serves what was taken back", g.Target)
	case problem == "":
		rule, title = "ready", fmt.Sprintf("%s is ready to be taken back again", g.Target)
		problem = fmt.Sprintf("known good and there: %s", g.Place().Name(good))
	}
	if err := h.note(ctx, g, "readiness", rule, problem, ledger.Signal{}); err != nil {
		return err
	}
	return h.Notices.Said(ctx, g.Target, title, problem, fmt.Sprintf("pullback explain %s", g.Target))
}

// wayBackOfNext returns what the next deployment could be taken back to, whatever
// that will be, and what is wrong with that or with how the target is configured.
func (h *Handler) wayBackOfNext(ctx context.Context, g ward.Ward, known bool) (good deploy.Revision, problem string, err error) {
	next := deploy.Deployment{Target: g.Target, Platform: g.Platform, Alias: g.Alias, Created: h.Now().Add(time.Second)}
	if good, problem, err = h.Finder.Good(ctx, next); err != nil {
		return "", "", fmt.Errorf("readiness of %s: %w", g.Target, err)
	}
	if !known {
		problem = ""
	}
	if g.Wrong != nil {
		problem = strings.Trim(problem+"; "+g.Wrong.Error(), "; ")
	}
	return good, problem, nil
}
