package ward

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Ledger is what is remembered of revisions.
type Ledger interface {
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)
	OneWayOf(ctx context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error)
}

// Marked is a ledger that also knows which revisions the file says cannot be taken
// back. What a human has said of a revision is stronger: it was said later, or of
// this one revision on purpose.
type Marked struct {
	Ledger

	Config Config
}

// OneWayOf returns how far a revision may be taken back: ledger.ErrNotFound.
func (m Marked) OneWayOf(ctx context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error) {
	said, none := m.Ledger.OneWayOf(ctx, t, r)
	if !errors.Is(none, ledger.ErrNotFound) {
		return said, none //nolint:wrapcheck // it names the target and the revision
	}
	c, err := m.Config.Current(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		return said, none // where no configuration was ever good the file says nothing
	}
	if err != nil {
		return said, fmt.Errorf("mark of %s of %s: %w", r, t, err)
	}
	e, _ := c.Entry(t)
	for _, w := range e.OneWay {
		if deploy.Revision(w.Revision) == r {
			return ledger.OneWay{
				Target: t, Revision: r, To: deploy.Revision(w.BackTo), Because: "oneWay says so", By: config.FileName,
			}, nil
		}
	}
	return said, none
}
