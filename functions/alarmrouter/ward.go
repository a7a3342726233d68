package alarmrouter

import (
	"context"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/policy"
)

// Config is what pullback.yaml says now.
type Config interface {
	Current(ctx context.Context) (config.Config, error)
}

// A ward is a target as it is configured: by the file, and by its tags.
type ward struct {
	deploy.Group

	rules config.Policy
	line  config.Cap // of the account
	hash  string     // of the configuration
	wrong error      // tags that could not be used; then the rules are those without them
}

// ward returns how one target is configured: deploy.ErrUnknown.
func (h *Handler) ward(ctx context.Context, t deploy.Target) (ward, error) {
	g, err := h.Groups.Group(ctx, t)
	if err != nil {
		return ward{}, err
	}
	return h.configured(ctx, g)
}

// configured adds what the file says to what AWS says of a target. One that the
// file names needs no tag.
func (h *Handler) configured(ctx context.Context, g deploy.Group) (ward, error) {
	c, err := h.Config.Current(ctx)
	if err != nil {
		return ward{}, fmt.Errorf("configuration of %s: %w", g.Target, err)
	}
	w := ward{Group: g, line: c.Defaults().MaxPerAccount, hash: c.Hash()}
	w.rules, w.wrong = c.For(g.Target, g.Tags)
	if e, named := c.Entry(g.Target); named {
		w.Enabled = true
		w.Alarms = slices.Compact(slices.Sorted(slices.Values(slices.Concat(g.Alarms, e.Alarms))))
		if e.Alias.Function != "" {
			w.Alias = e.Alias
		}
	}
	return w, nil
}

// policy is what decides about the target's deployments.
func (w ward) policy() policy.Policy {
	return policy.Policy{Bake: w.rules.Bake, Grace: w.rules.Grace, Max: w.rules.MaxPerTarget.Count, Window: w.rules.MaxPerTarget.Window}
}

// observe reports whether nothing is to be changed.
func (w ward) observe() bool { return w.rules.Mode == "observe" }
