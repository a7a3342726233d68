package fleets

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Live returns what the instances in service were launched from: deploy.ErrUnknown.
//
// What the group would launch next counts with no share if it is something else:
// where a refresh without a desired configuration was cancelled, the next instance
// that the group needs would be a bad one.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	g, err := c.find(ctx, p.Target)
	if err != nil {
		return deploy.Live{}, err
	}
	next, err := c.resolve(ctx, launches(g))
	if err != nil {
		return deploy.Live{}, fmt.Errorf("what %s launches: %w", p.Target, err)
	}
	n := serving(g)
	live := deploy.Live{Place: p, Version: most(n, "")}
	total := 0
	for _, count := range n {
		total += count
	}
	weights := make(map[deploy.Revision]float64)
	for r, count := range n {
		if r != live.Version {
			weights[r] = float64(count) / float64(total)
		}
	}
	if _, serves := n[next]; !serves && next != "" && total > 0 {
		weights[next] = 0
	}
	if len(weights) > 0 {
		live.Weights = weights
	}
	return live, nil
}

// Heal refuses: a fleet of several versions stands in no refresh's way.
func (c *Client) Heal(_ context.Context, was deploy.Live, _ deploy.Revision) error {
	return fmt.Errorf("heal %s: an Auto Scaling group is never stuck: an instance refresh replaces what serves, whatever it is", was.Place.Target)
}
