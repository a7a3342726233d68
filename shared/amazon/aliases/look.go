package aliases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// looks is how often an alias is looked at until nobody else has seen something in
// between.
const looks = 5

// errUnsteady says that somebody has, each time.
var errUnsteady = errors.New("others keep seeing something else")

// look reads an alias and remembers what it has seen. What is remembered is read
// first: if it has changed when this look is to be remembered, somebody may have
// seen something newer, and the alias is read again.
func (c *Client) look(ctx context.Context, p deploy.Place) (deploy.Live, ledger.Sighting, error) {
	for range looks {
		stands, err := c.seen.Sighting(ctx, p.Target)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return deploy.Live{}, ledger.Sighting{}, fmt.Errorf("remember %s: %w", p.Target, err)
		}
		live, err := c.read(ctx, p)
		if err != nil {
			return deploy.Live{}, ledger.Sighting{}, err
		}
		next, news := sighting(live, c.now().UTC()).After(stands)
		if !news {
			return live, stands, nil
		}
		next, err = c.seen.SaveSighting(ctx, next)
		if err == nil {
			return live, next, nil
		}
		if !errors.Is(err, ledger.ErrFenced) {
			return deploy.Live{}, ledger.Sighting{}, fmt.Errorf("remember %s: %w", p.Target, err)
		}
	}
	return deploy.Live{}, ledger.Sighting{}, fmt.Errorf("look at %s: %w", p.Target, errUnsteady)
}

// sighting is what was seen. The version that has been given a share of another
// one's requests is the newer (developer guide, "Implement Lambda canary
// deployments using a weighted alias").
func sighting(live deploy.Live, at time.Time) ledger.Sighting {
	s := ledger.Sighting{Target: live.Place.Target, Seen: ledger.Seen{Revision: live.Version, Since: at, Alone: at}, Token: live.Token}
	for version := range live.Weights { // one (ibid.: "up to two")
		s.Revision, s.Before, s.Alone = version, live.Version, time.Time{}
	}
	return s
}

// Live returns what serves now: deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	live, _, err := c.look(ctx, p)
	return live, err
}

// idOf names a move: by what it brought and when it was seen. It never changes.
func idOf(s ledger.Seen) deploy.ID {
	return deploy.ID("v" + string(s.Revision) + "-" + s.Since.UTC().Format("20060102T150405Z"))
}

// deployments derives a target's deployments, newest first. The oldest that is
// remembered is one only if it is known what served before.
func deployments(live deploy.Live, stands ledger.Sighting) []deploy.Deployment {
	moves := append([]ledger.Seen{stands.Seen}, stands.Past...)
	back := takenBack(moves)
	all := make([]deploy.Deployment, len(moves))
	for i, m := range moves {
		t := stands.Target
		d := deploy.Deployment{
			ID: idOf(m), Target: t, Alias: aliasOf(t), From: m.Before, To: m.Revision,
			Created: m.Since, Started: m.Since, Shifted: m.Since, Status: deploy.Succeeded, Ended: m.Alone,
		}
		switch {
		case i == 0 && (m.Alone.IsZero() || !live.Only(m.Revision)):
			d.Status, d.Ended = deploy.InProgress, time.Time{}
		case i > 0 && m.Alone.IsZero():
			d.Status, d.Ended = deploy.Stopped, moves[i-1].Since
		}
		if i > 0 && back[i-1] {
			d.RolledBack = idOf(moves[i-1])
		}
		if back[i] {
			d.RollsBack = idOf(moves[i+1])
		}
		all[i] = d
	}
	return all
}

// takenBack says which moves take back the one before: they bring again what had
// served before it. To bring that again in turn is a release, and not the rollback
// of a rollback, which nobody could roll back.
func takenBack(moves []ledger.Seen) []bool {
	back := make([]bool, len(moves))
	for i := len(moves) - 2; i >= 0; i-- {
		back[i] = moves[i].Revision == moves[i+1].Before && !back[i+1]
	}
	return back
}

// Get returns one deployment: deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	live, stands, err := c.look(ctx, deploy.Place{Target: t})
	if err != nil {
		return deploy.Deployment{}, err
	}
	for _, d := range deployments(live, stands) {
		if d.ID == id {
			return d, nil
		}
	}
	return deploy.Deployment{}, fmt.Errorf("get deployment %s of %s: no such move has been seen: %w", id, t, deploy.ErrUnknown)
}

// Recent returns the moves that were first seen at or after since, newest first,
// whole: deploy.ErrUnknown.
func (c *Client) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	live, stands, err := c.look(ctx, deploy.Place{Target: t})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(deployments(live, stands), func(d deploy.Deployment) bool {
		return d.Created.Before(since) || d.From == ""
	}), nil
}

// Active returns the moves that are under way or were first seen at or after since
// of the known targets. Lambda lists no aliases together: it costs one call a
// target.
func (c *Client) Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	var active []deploy.Deployment
	for _, t := range known {
		recent, err := c.Recent(ctx, t, time.Time{})
		if errors.Is(err, deploy.ErrUnknown) {
			continue // it is gone
		}
		if err != nil {
			return nil, err
		}
		for _, d := range recent {
			if d.Running() || !d.Created.Before(since) {
				active = append(active, d)
			}
		}
	}
	return active, nil
}

// History returns the moves that ended well, newest first, from the first look on.
func (c *Client) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	live, stands, err := c.look(ctx, p)
	if err != nil {
		return nil, err
	}
	var past []deploy.Success
	for _, d := range deployments(live, stands) {
		if d.Status == deploy.Succeeded {
			past = append(past, deploy.Success{Deployment: d.ID, Revision: d.To, Ended: d.Ended})
		}
	}
	return past[:min(len(past), ledger.MaxSeen)], nil
}

// shares returns the versions that an alias serves.
func shares(live deploy.Live) []deploy.Revision {
	return append([]deploy.Revision{live.Version}, slices.Collect(maps.Keys(live.Weights))...)
}
