// Package incident finds the revision that a target can go back to. Whoever
// needs to know asks here: the router before it decides, the rollbacker before
// it acts.
//
// It never goes by number: only what the ledger calls known good is chosen.
package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/together"
)

// Ledger is what is remembered of revisions.
type Ledger interface {
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)
	OneWayOf(ctx context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error)
}

// Revisions is what AWS says of revisions now.
type Revisions interface {
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
	// Ready says whether a revision could serve now: deploy.ErrUnknown,
	// deploy.ErrNotReady.
	Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error
}

// Finder finds known-good revisions.
type Finder struct {
	Ledger    Ledger
	Revisions Revisions
}

// Good returns a known-good revision that is not the bad deployment's, was good
// before that deployment was created, is not quarantined, and could be put back
// now: the one that served before, if it is such a one, else the newest. (A
// mark is as old as its first proof, so after a human has gone back to an older
// revision the newest mark is not the one to trust.) It returns "" and the
// reason if there is none. A bad revision that may only be taken back to a certain
// one is taken back to none else. An error means that it could not find out.
func (f Finder) Good(ctx context.Context, bad deploy.Deployment) (deploy.Revision, string, error) {
	var marks []ledger.KnownGood
	var only deploy.Revision
	err := together.Do(
		func() (err error) {
			if marks, err = f.Ledger.KnownGood(ctx, bad.Target); err != nil {
				return fmt.Errorf("known-good revisions of %s: %w", bad.Target, err)
			}
			return nil
		},
		func() (err error) { only, err = f.only(ctx, bad); return err },
	)
	if err != nil {
		return "", "", err
	}
	if i := slices.IndexFunc(marks, func(g ledger.KnownGood) bool { return g.Revision == bad.From }); i > 0 {
		marks = slices.Concat(marks[i:i+1], marks[:i], marks[i+1:])
	}
	why := "no revision has been marked known good"
	for _, g := range marks {
		if g.Revision == bad.To || !g.At.Before(bad.Created) {
			continue
		}
		if only != "" && g.Revision != only {
			why = fmt.Sprintf("%s may only be taken back to %s", bad.Place().Name(bad.To), only)
			continue
		}
		obstacle, err := f.obstacle(ctx, bad.Place(), g)
		if err != nil {
			return "", "", err
		}
		if obstacle == "" {
			return g.Revision, "", nil
		}
		why = fmt.Sprintf("%s: %s", bad.Place().Name(g.Revision), obstacle)
	}
	return "", why, nil
}

// only returns the one revision that the bad one may be taken back to, or "" if any.
func (f Finder) only(ctx context.Context, bad deploy.Deployment) (deploy.Revision, error) {
	mark, err := f.Ledger.OneWayOf(ctx, bad.Target, bad.To)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return "", fmt.Errorf("mark of %s: %w", bad.To, err)
	}
	return mark.To, nil
}

// obstacle says why g cannot be put back, or "".
func (f Finder) obstacle(ctx context.Context, p deploy.Place, g ledger.KnownGood) (string, error) {
	var quarantined, unready string
	err := together.Do(
		func() error {
			q, err := f.Ledger.QuarantineOf(ctx, g.Digest)
			switch {
			case err == nil:
				quarantined = "quarantined: " + q.Because
			case !errors.Is(err, ledger.ErrNotFound):
				return fmt.Errorf("quarantine of %s: %w", p.Name(g.Revision), err)
			}
			return nil
		},
		func() error {
			err := f.Revisions.Ready(ctx, p, g.Revision)
			switch {
			case errors.Is(err, deploy.ErrNotReady), errors.Is(err, deploy.ErrUnknown):
				unready = err.Error()
			case err != nil:
				return fmt.Errorf("readiness of %s: %w", p.Name(g.Revision), err)
			}
			return nil
		},
	)
	if quarantined != "" {
		return quarantined, nil // whether it is ready, too, does not matter
	}
	return unready, err
}
