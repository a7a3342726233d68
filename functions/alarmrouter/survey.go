package alarmrouter

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// survey looks for targets where the last sweep left off, for as many calls as the
// budget has, and looks at those that it finds. A round over all of them takes as
// many sweeps as it takes: what is urgent about a target comes with a deployment or
// an alarm, and those are found otherwise.
func (h *Handler) survey(ctx context.Context, c config.Config, round *ledger.Round, done map[deploy.Target]bool) {
	if len(round.From) == 0 {
		h.byName(ctx, c, done) // once a round: they are few, and need no looking for
	}
	from := round.From
	round.From = map[deploy.Kind]string{}
	budget := h.Budget / max(len(h.Surveys), 1)
	for _, kind := range deploy.Kinds() {
		at, going := from[kind]
		if s, ok := h.Surveys[kind]; ok && (going || len(from) == 0) {
			h.part(ctx, s, kind, at, budget, round, done)
		}
	}
	if len(round.From) == 0 { // all kinds are done with
		round.From, round.Known, round.Found = nil, once(round.Found), nil
	}
}

// byName looks at the targets that the file names.
func (h *Handler) byName(ctx context.Context, c config.Config, done map[deploy.Target]bool) {
	for _, t := range c.Targets() {
		if _, known := h.Surveys[t.Kind]; !known || done[t] {
			continue
		}
		done[t] = true
		g, err := h.Wards.Ward(ctx, t)
		if err == nil {
			err = h.tend(ctx, g)
		}
		h.tell(ctx, t, err)
	}
}

// once returns each target once, in order.
func once(all []deploy.Target) []deploy.Target {
	slices.SortFunc(all, func(a, b deploy.Target) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// part surveys some of the targets of one kind.
func (h *Handler) part(ctx context.Context, s Survey, kind deploy.Kind, from string, budget int, round *ledger.Round, done map[deploy.Target]bool) {
	groups, next, err := s.Survey(ctx, from, budget)
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "targets not surveyed", slog.String("kind", string(kind)), slog.Any("error", err))
		// The next round begins anew. Until then what is known stays known.
		next, round.Found = "", append(round.Found, ofKind(round.Known, kind)...)
	}
	if next != "" {
		round.From[kind] = next
	}
	for _, g := range groups {
		if kind != deploy.KindGroup {
			round.Found = append(round.Found, g.Target)
		}
		if done[g.Target] {
			continue
		}
		w, err := h.Wards.Configured(ctx, g)
		if err == nil {
			err = h.tend(ctx, w)
		}
		h.tell(ctx, g.Target, err)
	}
}
