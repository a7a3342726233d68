package alarmrouter

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

// hold keeps deployments off the target and calls a human, once for each
// deployment: what the human does then stands, so a hold that was released
// does not come back. The incident, which is closed at once, is what remembers
// that; it is opened last, so a crash or a call that did not go through costs
// a second call.
func (h *Handler) hold(ctx context.Context, g ward.Ward, f known, decision policy.Decision, s ledger.Signal) error {
	d := f.Deployment
	id := deploy.IncidentOf(d.Target, d.ID)
	switch {
	case f.opened != nil:
		return nil
	case g.Observe():
		_, err := h.decide(ctx, g, f, decision, s)
		return err
	}
	escalated := newIncident(g, f, decision, s, ledger.Escalated)
	if err := h.record(ctx, g, d, string(decision.Verb), decision, s, id); err != nil {
		return err
	}
	hold := ledger.Hold{Target: d.Target, Incident: id, Because: decision.Because, By: "alarmrouter", At: h.Now()}
	// A chat that is down must not let the next deployment through.
	if err := errors.Join(h.keep(ctx, hold), h.call(ctx, g, decision, hold)); err != nil {
		return fmt.Errorf("hold %s: %w", d.Target, err)
	}
	if _, _, err := h.Incidents.OpenIncident(ctx, escalated); err != nil {
		return fmt.Errorf("open %s: %w", id, err)
	}
	h.Vitals.Halted(h.Now())
	return nil
}

// call calls a human about a hold. When the line is stopped, one call is enough:
// the targets have a common cause, and each has its record.
func (h *Handler) call(ctx context.Context, g ward.Ward, decision policy.Decision, hold ledger.Hold) error {
	if decision.Rule != "line-stopped" {
		return h.Notices.Held(ctx, hold)
	}
	news, err := h.Words.Halt(ctx, h.Now(), g.Line.Window)
	if err != nil || !news {
		return err
	}
	return h.Notices.Said(ctx, hold.Target, "The line is stopped: no further target is taken back",
		fmt.Sprintf("%d targets were taken back within %s, and %s is another one: look for a common cause. Further targets are held, each with its record.", g.Line.Count, g.Line.Window, hold.Target),
		fmt.Sprintf("pullback explain %s", hold.Target))
}

// outside holds a target whose alarm is red while nothing is deployed or bakes:
// there is nothing to take back, and nothing should be put on top until it is OK
// again. A fix may pass: the gate tells it from what serves by its code.
func (h *Handler) outside(ctx context.Context, g ward.Ward, newest deploy.Deployment, s ledger.Signal) error {
	bakes := newest.ID != "" && (newest.Running() || h.Now().Sub(newest.Ended) <= g.Rules.Bake)
	if !g.Enabled || bakes {
		return nil
	}
	red, err := h.red(ctx, g)
	if err != nil || red.Name == "" {
		return err
	}
	if _, err := h.Holds.HoldOn(ctx, g.Target); err == nil || !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	because := fmt.Sprintf("alarm %s is red since %s, and nothing was deployed that could be taken back: held until it is OK", red.Name, red.Since.UTC().Format("15:04:05"))
	if g.Observe() {
		return h.wouldHold(ctx, g, because, s)
	}
	hold := ledger.Hold{Target: g.Target, Because: because, By: "alarmrouter", At: h.Now(), Alarm: red.Name}
	if hold.Digest, err = h.serving(ctx, g, newest); err != nil {
		return err
	}
	if err := h.note(ctx, g, "hold", "alarm-outside", because, s); err != nil {
		return err
	}
	return errors.Join(h.keep(ctx, hold), h.Notices.Held(ctx, hold))
}

// wouldHold records a hold that is not made. The sweep sees the same every minute, and
// no hold remembers that it is on record already, so only the alarm itself counts.
func (h *Handler) wouldHold(ctx context.Context, g ward.Ward, because string, s ledger.Signal) error {
	if s.Kind != "alarm" {
		return nil
	}
	return h.note(ctx, g, "would-hold", "alarm-outside", because, s)
}

// serving returns the code that serves a target, or "" if that is not one.
func (h *Handler) serving(ctx context.Context, g ward.Ward, newest deploy.Deployment) (deploy.Digest, error) {
	p := placed(g, newest)
	if p.Platform == deploy.OnLambda && p.Alias.Function == "" {
		return "", nil
	}
	live, err := h.Revisions.Live(ctx, p)
	if err != nil {
		return "", fmt.Errorf("what serves %s: %w", p, err)
	}
	if !live.Only(live.Version) || live.Version == "" {
		return "", nil
	}
	digest, err := h.Revisions.Digest(ctx, p, live.Version)
	if err != nil {
		return "", fmt.Errorf("digest of %s: %w", p.Name(live.Version), err)
	}
	return digest, nil
}

// relieve takes a hold off that was to last until the target's alarms are OK.
func (h *Handler) relieve(ctx context.Context, g ward.Ward, s ledger.Signal) error {
	hold, err := h.Holds.HoldOn(ctx, g.Target)
	if errors.Is(err, ledger.ErrNotFound) {
		return h.reopen(ctx, g, s)
	}
	if err != nil {
		return fmt.Errorf("hold on %s: %w", g.Target, err)
	}
	if hold.Alarm == "" {
		return nil
	}
	red, err := h.red(ctx, g)
	if err != nil || red.Name != "" {
		return err
	}
	because := fmt.Sprintf("alarm %s is OK again, and so are the others", hold.Alarm)
	if err := h.note(ctx, g, "release", "alarm-ok", because, s); err != nil {
		return err
	}
	if err := h.Holds.Release(ctx, g.Target); err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("release %s: %w", g.Target, err)
	}
	if g.Target.Kind == deploy.KindStage {
		if _, err := h.Gates.Open(ctx, g.Target); err != nil {
			return fmt.Errorf("open %s: %w", g.Target, err)
		}
	}
	return h.Notices.Said(ctx, g.Target, fmt.Sprintf("%s is not held any more", g.Target), because)
}

// reopen opens the way into a stage that a hold had closed and a human has released.
// Who holds it closes it afterwards, so what was held since it was looked at is closed
// again.
func (h *Handler) reopen(ctx context.Context, g ward.Ward, s ledger.Signal) error {
	t := g.Target
	if t.Kind != deploy.KindStage {
		return nil
	}
	opened, err := h.Gates.Open(ctx, t)
	if err != nil {
		return fmt.Errorf("open %s: %w", t, err)
	}
	if !opened {
		return nil
	}
	hold, err := h.Holds.HoldOn(ctx, t)
	if errors.Is(err, ledger.ErrNotFound) {
		return h.note(ctx, g, "open", "released", "nothing holds it any more", s)
	}
	if err != nil {
		return fmt.Errorf("hold on %s: %w", t, err)
	}
	if _, err := h.Gates.Close(ctx, t, hold.Because); err != nil {
		return fmt.Errorf("close %s: %w", t, err)
	}
	return nil
}

// red returns an alarm of a target that is red, or an empty one.
func (h *Handler) red(ctx context.Context, g ward.Ward) (policy.Alarm, error) {
	alarms, err := h.Alarms.Alarms(ctx, g.Alarms)
	if err != nil {
		return policy.Alarm{}, fmt.Errorf("alarms of %s: %w", g.Target, err)
	}
	for _, a := range alarms {
		if a.Red {
			return a, nil
		}
	}
	return policy.Alarm{}, nil
}

// note records something about a target and none of its deployments.
func (h *Handler) note(ctx context.Context, g ward.Ward, verb, rule, because string, s ledger.Signal) error {
	r := ledger.Record{Verb: verb, Rule: rule, Because: because}
	if s.ID != "" {
		r.Signal = &s
	}
	return h.write(ctx, g, r)
}

// placed returns where a target's revisions serve: its tag says so, or its newest
// deployment.
func placed(g ward.Ward, newest deploy.Deployment) deploy.Place {
	p := g.Place()
	if p.Alias.Function == "" {
		p.Alias = newest.Alias
	}
	return p
}
