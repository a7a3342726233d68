// Package target is the seam between what pullback does and what it does it to:
// one interface for every kind of target, and a set that finds the right
// implementation for each. The implementations are adapters in shared/amazon;
// package targettest holds the contract that all of them keep.
//
// It decides nothing and knows nothing of AWS.
package target

import (
	"context"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Deployments are a target's deployments: how AWS moves it from one revision to
// another.
type Deployments interface {
	// Get returns one deployment whole: deploy.ErrUnknown.
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
	// Recent returns a target's deployments created at or after since, newest
	// first. It is the cheap form: what they move may be empty. deploy.ErrUnknown.
	Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error)
	// Stop stops a running deployment and lets AWS put back what was there
	// before, where AWS can. Telling it twice does no harm. deploy.ErrEnded,
	// deploy.ErrUnknown.
	Stop(ctx context.Context, d deploy.Deployment) error
	// Restore puts a revision back at once, past alarms and hooks, and returns
	// the deployment that does it. It makes one attempt: after an error that
	// leaves the outcome open the caller looks. deploy.ErrBusy if another
	// deployment is under way, deploy.ErrUnknown, deploy.ErrNotReady if AWS will
	// not have the revision.
	Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error)
}

// Revisions are what serves, and what could.
type Revisions interface {
	// Live returns what serves now: deploy.ErrUnknown.
	Live(ctx context.Context, p deploy.Place) (deploy.Live, error)
	// Heal makes one revision serve alone where a deployment cannot, if things are
	// still as they were read: deploy.ErrChanged. It must not be called while a
	// deployment is under way. Kinds whose Live is never Stuck refuse it.
	Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error
	// Digest returns the code that a revision is: deploy.ErrUnknown.
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
	// Ready says whether a revision could be put back now; nil if it could. An
	// error that is deploy.ErrUnknown or deploy.ErrNotReady says exactly what is
	// missing, and the command that mends it where there is one; any other says
	// that it could not be found out.
	Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error
}

// Groups are how targets are configured, and what they have been through.
type Groups interface {
	// Group returns how one target is configured: deploy.ErrUnknown.
	Group(ctx context.Context, t deploy.Target) (deploy.Group, error)
	// Survey returns the targets that are tagged pullback:enabled=true, a part
	// at a time: from is "" at first and then what the call before returned,
	// until that is "" again. One part costs about so many calls of AWS's APIs,
	// however many targets there are.
	Survey(ctx context.Context, from string, calls int) (groups []deploy.Group, next string, err error)
	// Active returns the deployments that run now or were created at or after
	// since, in the cheap form and no order, of all targets that AWS lists
	// together, and else of the known ones. What it costs grows with their
	// number and not with that of the targets, where AWS lists them together.
	Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error)
	// History returns a target's deployments that ended well, newest first, as
	// far as AWS remembers them and 20 at most. Rollbacks count: they ended well.
	History(ctx context.Context, p deploy.Place) ([]deploy.Success, error)
}

// Driver is all that pullback does with one kind of target.
type Driver interface {
	Deployments
	Revisions
	Groups
}

// Set finds the driver for each kind of target. It is a driver itself, except for
// Survey and Active, which are asked of each kind.
type Set map[deploy.Kind]Driver

func (s Set) of(t deploy.Target) (Driver, error) {
	d, ok := s[t.Kind]
	if !ok {
		return nil, fmt.Errorf("target %s: targets of kind %q are not looked after here", t, t.Kind)
	}
	return d, nil
}

// Get implements Deployments.
func (s Set) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	d, err := s.of(t)
	if err != nil {
		return deploy.Deployment{}, err
	}
	return d.Get(ctx, t, id)
}

// Recent implements Deployments.
func (s Set) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	d, err := s.of(t)
	if err != nil {
		return nil, err
	}
	return d.Recent(ctx, t, since)
}

// Stop implements Deployments.
func (s Set) Stop(ctx context.Context, bad deploy.Deployment) error {
	d, err := s.of(bad.Target)
	if err != nil {
		return err
	}
	return d.Stop(ctx, bad)
}

// Restore implements Deployments.
func (s Set) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	d, err := s.of(r.Place.Target)
	if err != nil {
		return "", err
	}
	return d.Restore(ctx, r)
}

// Live implements Revisions.
func (s Set) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	d, err := s.of(p.Target)
	if err != nil {
		return deploy.Live{}, err
	}
	return d.Live(ctx, p)
}

// Heal implements Revisions.
func (s Set) Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error {
	d, err := s.of(was.Place.Target)
	if err != nil {
		return err
	}
	return d.Heal(ctx, was, to)
}

// Digest implements Revisions.
func (s Set) Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	d, err := s.of(p.Target)
	if err != nil {
		return "", err
	}
	return d.Digest(ctx, p, r)
}

// Ready implements Revisions.
func (s Set) Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error {
	d, err := s.of(p.Target)
	if err != nil {
		return err
	}
	return d.Ready(ctx, p, r)
}

// Group implements Groups.
func (s Set) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	d, err := s.of(t)
	if err != nil {
		return deploy.Group{}, err
	}
	return d.Group(ctx, t)
}

// History implements Groups.
func (s Set) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	d, err := s.of(p.Target)
	if err != nil {
		return nil, err
	}
	return d.History(ctx, p)
}
