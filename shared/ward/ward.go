// Package ward says how a target is configured: by pullback.yaml, by its tags, and
// by the settings where neither says anything.
//
// It decides nothing and changes nothing. A tag that is wrong is no error here: it
// is left out, and said.
package ward

import (
	"context"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Groups is how AWS says that targets are configured.
type Groups interface {
	// Group returns a target's alarms and tags: deploy.ErrUnknown.
	Group(ctx context.Context, t deploy.Target) (deploy.Group, error)
}

// Config is what pullback.yaml says now.
type Config interface {
	Current(ctx context.Context) (config.Config, error)
}

// A Ward is a target as it is configured.
type Ward struct {
	deploy.Group

	Rules  config.Policy
	Line   config.Cap      // of the account
	Hash   string          // of the configuration
	OneWay []config.OneWay // revisions that the file says cannot be taken back
	Wrong  error           // tags that could not be used; then the rules are those without them
}

// Wards finds out how targets are configured.
type Wards struct {
	Groups Groups
	Config Config
}

// Ward returns how one target is configured: deploy.ErrUnknown.
func (w Wards) Ward(ctx context.Context, t deploy.Target) (Ward, error) {
	g, err := w.Groups.Group(ctx, t)
	if err != nil {
		return Ward{}, err //nolint:wrapcheck // it names the target, and callers branch on it
	}
	return w.Configured(ctx, g)
}

// Configured adds what the file says to what AWS says of a target.
func (w Wards) Configured(ctx context.Context, g deploy.Group) (Ward, error) {
	c, err := w.Config.Current(ctx)
	if err != nil {
		return Ward{}, fmt.Errorf("configuration of %s: %w", g.Target, err)
	}
	return Of(c, g), nil
}

// Of adds what a configuration says to what AWS says of a target. One that the file
// names needs no tag to be looked after.
func Of(c config.Config, g deploy.Group) Ward {
	w := Ward{Group: g, Line: c.Defaults().MaxPerAccount, Hash: c.Hash()}
	w.Rules, w.Wrong = c.For(g.Target, g.Tags)
	e, named := c.Entry(g.Target)
	if !named {
		return w
	}
	w.Enabled, w.OneWay = true, e.OneWay
	w.Alarms = slices.Compact(slices.Sorted(slices.Values(slices.Concat(g.Alarms, e.Alarms))))
	if e.Alias.Function != "" {
		w.Alias = e.Alias
	}
	return w
}

// Policy is what decides about the target's deployments.
func (w Ward) Policy() policy.Policy {
	return policy.Policy{Bake: w.Rules.Bake, Grace: w.Rules.Grace, Max: w.Rules.MaxPerTarget.Count, Window: w.Rules.MaxPerTarget.Window}
}

// Observe reports whether nothing is to be changed.
func (w Ward) Observe() bool { return w.Rules.Mode == settings.Observe }
