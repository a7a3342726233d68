package alarmrouter

import (
	"context"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// bake marks the revision that serves a target alone as known good once it has
// done so for the bake time without trouble. newest is the target's newest
// deployment.
func (h *Handler) bake(ctx context.Context, g ward.Ward, newest deploy.Deployment) error {
	live, err := h.Revisions.Live(ctx, g.Place())
	if err != nil {
		return fmt.Errorf("what serves %s: %w", g.Place(), err)
	}
	if live.Version == "" || len(live.Weights) > 0 {
		return nil
	}
	b, err := h.Bakes.StartBake(ctx, ledger.Bake{Target: g.Target, Revision: live.Version, Since: h.Now()})
	if err != nil {
		return fmt.Errorf("bake %s: %w", g.Place().Name(live.Version), err)
	}
	if h.Now().Sub(b.Since) < g.Rules.Bake {
		return nil
	}
	trouble, err := h.blamed(ctx, g, b)
	if err != nil || trouble {
		return err
	}
	content := ""
	if newest.To == b.Revision {
		content = newest.Content
	}
	return h.markBaked(ctx, g, b, content)
}

// blamed reports whether anything speaks against a revision that has baked:
// an incident that blamed it, or an alarm that is red now.
func (h *Handler) blamed(ctx context.Context, g ward.Ward, b ledger.Bake) (bool, error) {
	past, err := h.Incidents.IncidentsSince(ctx, g.Target, b.Since.Add(-50*time.Hour))
	if err != nil {
		return false, fmt.Errorf("incidents of %s: %w", g.Target, err)
	}
	for _, i := range past {
		if i.Bad == b.Revision {
			return true, nil
		}
	}
	alarms, err := h.Alarms.Alarms(ctx, g.Alarms)
	if err != nil {
		return false, fmt.Errorf("alarms of %s: %w", g.Target, err)
	}
	for _, a := range alarms {
		if a.Red {
			return true, nil
		}
	}
	return false, nil
}

func (h *Handler) markBaked(ctx context.Context, g ward.Ward, b ledger.Bake, content string) error {
	marks, err := h.Bakes.KnownGood(ctx, g.Target)
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	for _, m := range marks {
		if m.Revision == b.Revision {
			return nil
		}
	}
	name := g.Place().Name(b.Revision)
	digest, err := h.Revisions.Digest(ctx, g.Place(), b.Revision)
	if err != nil {
		return fmt.Errorf("digest of %s: %w", name, err)
	}
	why := fmt.Sprintf("served alone for %s without trouble", g.Rules.Bake)
	// The record comes first: a mark that is there already is not marked again.
	if err := h.note(ctx, g, "known-good", "baked", name+" "+why, ledger.Signal{}); err != nil {
		return err
	}
	mark := ledger.KnownGood{Target: g.Target, Revision: b.Revision, Digest: digest, Why: why, At: h.Now(), Content: content}
	if err := h.Bakes.MarkKnownGood(ctx, mark); err != nil {
		return fmt.Errorf("mark %s known good: %w", name, err)
	}
	return nil
}
