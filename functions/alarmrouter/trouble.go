package alarmrouter

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Gates close and open the way into a stage of a pipeline.
type Gates interface {
	Close(ctx context.Context, t deploy.Target, reason string) (changed bool, err error)
	Open(ctx context.Context, t deploy.Target) (changed bool, err error)
}

// Peers are the control planes of other accounts and regions.
type Peers interface {
	Tell(ctx context.Context, buses []string, t events.Trouble) error
}

// trouble keeps code off that was taken back elsewhere, holds the stages that come
// next, and, where a pipeline says so, takes back what later stages run of it. Every
// control plane does so for its own targets; the one where it happened then tells the
// others. Whoever cannot be reached keeps nothing from happening here: the signal comes
// back as often as the queue says, and everybody is told once more.
func (h *Handler) trouble(ctx context.Context, e events.Trouble) error {
	c, err := h.Wards.Config.Current(ctx)
	if err != nil {
		return fmt.Errorf("trouble %s: configuration: %w", e.Incident, err)
	}
	from := config.Member{Home: config.Home{Account: e.Account, Region: e.Region}, Target: e.Target}
	here := c.IsHere(from)
	places := c.Positions(from)
	if !here && len(places) == 0 {
		return fmt.Errorf("trouble %s is of %s, which is in no pipeline of this configuration", e.Incident, from)
	}
	if !here {
		if err := h.keepOff(ctx, e, from); err != nil {
			return err
		}
	}
	var errs []error // trouble with one target does not keep it from the others
	for _, p := range places {
		for i, stage := range p.After() {
			for _, m := range stage.Members {
				if c.IsHere(m) {
					errs = append(errs, h.downstream(ctx, e, from, m.Target, i == 0, p.Pipeline.PullBack))
				}
			}
		}
	}
	if here {
		if err := h.Peers.Tell(ctx, c.Elsewhere(), e); err != nil {
			errs = append(errs, fmt.Errorf("tell others of %s: %w", e.Incident, err))
		}
	}
	return errors.Join(errs...)
}

// keepOff quarantines code that was taken back elsewhere.
func (h *Handler) keepOff(ctx context.Context, e events.Trouble, from config.Member) error {
	if e.Digest == "" {
		return nil
	}
	q := ledger.Quarantine{Digest: e.Digest, Target: e.Target, Revision: e.Revision, Incident: e.Incident, Because: fmt.Sprintf("in %s: %s", from, e.Because), At: e.Time}
	if err := h.Holds.PutQuarantine(ctx, q); err != nil {
		return fmt.Errorf("quarantine of %s: %w", e.Incident, err)
	}
	return nil
}

// downstream holds a target whose turn would be next, and takes back what it runs of
// the bad code already.
func (h *Handler) downstream(ctx context.Context, e events.Trouble, from config.Member, t deploy.Target, next, pullBack bool) error {
	g, err := h.Wards.Ward(ctx, t)
	if err != nil {
		return fmt.Errorf("look up %s: %w", t, err)
	}
	s := ledger.Signal{Kind: "trouble", ID: e.ID, Text: fmt.Sprintf("%s was taken back from %s", e.Revision, from), At: e.Time}
	if next && g.Rules.Hold.Next {
		because := fmt.Sprintf("%s was taken back from %s, the stage before: %s", e.Revision, from, e.Because)
		if err := h.holdNext(ctx, g, e, because, s); err != nil {
			return err
		}
	}
	if !pullBack || e.Digest == "" {
		return nil
	}
	d, err := h.newestOf(ctx, g)
	if err != nil || d.ID == "" {
		return err
	}
	digest, err := h.digest(ctx, d)
	if err != nil || digest != e.Digest {
		return err
	}
	return h.judge(ctx, g, d, d.ID, s, fmt.Sprintf("it runs what was taken back from %s, an earlier stage: %s", from, e.Because))
}

func (h *Handler) holdNext(ctx context.Context, g ward.Ward, e events.Trouble, because string, s ledger.Signal) error {
	if _, err := h.Holds.HoldOn(ctx, g.Target); err == nil || !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	if g.Observe() {
		return h.note(ctx, g, "would-hold", "stage-before", because, s)
	}
	if err := h.note(ctx, g, "hold", "stage-before", because, s); err != nil {
		return err
	}
	hold := ledger.Hold{Target: g.Target, Incident: e.Incident, Because: because, By: "alarmrouter", At: h.Now()}
	return errors.Join(h.keep(ctx, hold), h.Notices.Held(ctx, hold))
}

// keep holds a target, and closes the way into it where it is a stage of a pipeline.
func (h *Handler) keep(ctx context.Context, hold ledger.Hold) error {
	if err := h.Holds.PutHold(ctx, hold); err != nil {
		return fmt.Errorf("hold %s: %w", hold.Target, err)
	}
	if hold.Target.Kind != deploy.KindStage {
		return nil
	}
	if _, err := h.Gates.Close(ctx, hold.Target, hold.Because); err != nil {
		return fmt.Errorf("close %s: %w", hold.Target, err)
	}
	return nil
}
