package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Tick asks for the next look at a watched deployment. It says which one, and
// the how-manieth look is due, so that one that comes twice is taken once.
type Tick struct {
	Watch deploy.Incident `json:"watch"`
	Tick  int             `json:"tick"`
}

// MaxTicks guards the chain of ticks: the longest deployment (50 h) with the
// longest sensible bake has fewer, at one every ten seconds.
const MaxTicks = 40_000

// NewTick returns the text of a tick.
func NewTick(t Tick) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("tick for %s: %w", t.Watch, err)
	}
	return string(text), nil
}

// ParseTick reads a tick. The error is always a [MalformedError].
func ParseTick(payload []byte) (Tick, error) {
	var t Tick
	if err := json.Unmarshal(payload, &t); err != nil {
		return Tick{}, MalformedError{Why: err.Error()}
	}
	if t.Watch == "" || t.Tick < 1 || t.Tick > MaxTicks {
		return Tick{}, MalformedError{Why: fmt.Sprintf("a tick lacks its watch, or its number is not from 1 to %d", MaxTicks)}
	}
	return t, nil
}

// Verdict is pullback's own signal that a watch has found its deployment to be
// bad. What it found is in the ledger.
type Verdict struct {
	Head

	Target     deploy.Target
	Deployment deploy.ID
}

type verdict struct {
	Target     deploy.Target `json:"target"`
	Deployment deploy.ID     `json:"deployment"`
}

// NewVerdict returns the text of a verdict, in EventBridge's envelope.
func NewVerdict(t deploy.Target, d deploy.ID, now time.Time) (string, error) {
	detail, err := json.Marshal(verdict{Target: t, Deployment: d})
	if err != nil {
		return "", fmt.Errorf("verdict on %s: %w", d, err)
	}
	text, err := json.Marshal(envelope{
		ID: fmt.Sprintf("verdict-%s", d), Source: sourcePullback, DetailType: typeVerdict, Time: now.UTC(), Resources: []string{}, Detail: detail,
	})
	if err != nil {
		return "", fmt.Errorf("verdict on %s: %w", d, err)
	}
	return string(text), nil
}

func parseVerdict(h Head, detail []byte) (Event, error) {
	var d verdict
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Target.Application == "" || d.Target.Group == "" || d.Deployment == "" {
		return nil, MalformedError{Why: "a verdict lacks target or deployment"}
	}
	return Verdict{Head: h, Target: d.Target, Deployment: d.Deployment}, nil
}
