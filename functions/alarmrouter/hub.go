package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Outbox is the records that are to be sent to the hub.
type Outbox interface {
	Waiting(ctx context.Context, after ledger.Letter, n int) ([]ledger.Letter, error)
	Sent(ctx context.Context, all []ledger.Letter) error
}

// Hub is the control plane that collects the records of all.
type Hub interface {
	// Records sends records and reports which of them were taken; the error says why
	// the others were not.
	Records(ctx context.Context, all []events.Recorded) (taken []bool, err error)
}

// Fleet is what a hub has collected.
type Fleet interface {
	PutCopy(ctx context.Context, c ledger.Copy) (news bool, err error)
}

const (
	// page is how many records are read and sent together: as many as one call of
	// PutEvents takes.
	page = 10
	// pages is how many of them one sweep sends. Each is four calls, so that what was
	// kept back for an hour goes out in minutes.
	pages = 20
	// patience is how long a sweep tries: it has other things to do.
	patience = 10 * time.Second
	// behind is the age of a record that was not sent after which people are told.
	behind = 15 * time.Minute
)

// send sends the hub what is on record since the last sweep. Nothing waits for it, and
// nothing that goes wrong with it is more than logged, but that people are told once if
// records do not get through for long.
func (h *Handler) send(ctx context.Context, home config.Home, round *ledger.Round) {
	if h.Hub == nil {
		return
	}
	oldest, err := h.drain(ctx, home)
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "records not sent to the hub", slog.Any("error", err))
	}
	switch {
	case oldest.IsZero() && err != nil: // nobody knows
	case oldest.IsZero() || h.Now().Sub(oldest) <= behind:
		round.Behind = time.Time{}
	case round.Behind.IsZero():
		why := "there are more than can be sent"
		if err != nil {
			why = err.Error()
		}
		if err := h.Notices.Behind(ctx, oldest, why); err != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "notice not sent", slog.Any("error", err))
			return
		}
		round.Behind = oldest
	}
}

// drain sends what waits, oldest first, as far as the budget goes, and forgets what
// was taken: what is sent and not forgotten is sent again, and the hub keeps it once.
// It returns the time of the oldest record that still waits, if it knows one.
func (h *Handler) drain(ctx context.Context, home config.Home) (oldest time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var after ledger.Letter
	var errs []error
	for range pages {
		some, err := h.Outbox.Waiting(ctx, after, page)
		if err != nil || len(some) == 0 {
			return oldest, errors.Join(append(errs, err)...)
		}
		kept, err := h.post(ctx, home, some)
		errs = append(errs, err)
		if len(kept) > 0 && oldest.IsZero() {
			oldest = kept[0].At
		}
		if len(kept) == len(some) {
			return oldest, errors.Join(errs...) // the hub takes nothing now
		}
		after = some[len(some)-1]
	}
	if oldest.IsZero() {
		oldest = after.At
	}
	return oldest, errors.Join(errs...)
}

// post sends records, forgets those that were taken, and returns the others.
func (h *Handler) post(ctx context.Context, home config.Home, some []ledger.Letter) ([]ledger.Letter, error) {
	all := make([]events.Recorded, 0, len(some))
	for _, l := range some {
		all = append(all, events.Recorded{Head: events.Head{Region: home.Region}, From: home.Account, Record: l.Text})
	}
	taken, err := h.Hub.Records(ctx, all)
	var sent, kept []ledger.Letter
	for i, l := range some {
		if i < len(taken) && taken[i] {
			sent = append(sent, l)
		} else {
			kept = append(kept, l)
		}
	}
	if len(sent) == 0 {
		return kept, err
	}
	return kept, errors.Join(err, h.Outbox.Sent(ctx, sent))
}

// recorded keeps a record of another control plane. Nothing that it says is acted on.
// Whose it is EventBridge says: an account speaks for itself alone.
func (h *Handler) recorded(ctx context.Context, e events.Recorded) error {
	if e.From != e.Account {
		return fmt.Errorf("record %s says that it is of account %q, and EventBridge that account %s has sent it", e.ID, e.From, e.Account)
	}
	c, err := ledger.NewCopy(ledger.Home{Account: e.Account, Region: e.Region}, e.Record)
	if err != nil {
		return err
	}
	news, err := h.Fleet.PutCopy(ctx, c)
	if !errors.Is(err, ledger.ErrForked) {
		return err
	}
	h.Log.LogAttrs(ctx, slog.LevelError, "record refused", slog.Any("error", err))
	if !news {
		return nil // it is kept beside the other one, and people were told
	}
	t := c.Record.Target
	return h.Notices.Said(ctx, t, fmt.Sprintf("%s in %s has two records with the number %d", t, c.Home, c.Record.Seq),
		"The one that came first stands; the other one is kept beside it. Somebody forged one of them, or the ledger there was put back to an earlier time.",
		fmt.Sprintf("pullback explain --from %s %s", c.Home, t))
}
