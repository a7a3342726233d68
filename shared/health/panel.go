package health

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
)

// Panel judges a new version by several metrics under one budget.
type Panel struct {
	rule    Rule
	metrics []*tested // by name
}

type tested struct {
	name   Metric
	test   *evalue.Test
	points int       // periods so far
	first  time.Time // begin of the first one
	last   time.Time // end of the last one
}

// State is all that a panel remembers. Field names are stored, must not change.
type State struct {
	Metrics map[Metric]MetricState `json:"metrics"`
}

// MetricState is what is remembered of one metric.
type MetricState struct {
	Test   evalue.State `json:"test"`
	Points int          `json:"points"`
	First  time.Time    `json:"first,omitzero"`
	Last   time.Time    `json:"last,omitzero"`
}

// New returns a panel that has seen nothing. base is what the old version did
// before, by metric; it may be nil.
func New(r Rule, w Weights, base map[Metric]evalue.Base) (*Panel, error) {
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	p := &Panel{rule: r}
	for _, m := range slices.Sorted(maps.Keys(w)) {
		test, err := evalue.New(r.config(w[m], base[m]))
		if err != nil {
			return nil, fmt.Errorf("judge %s: %w", m, err)
		}
		p.metrics = append(p.metrics, &tested{name: m, test: test})
	}
	return p, nil
}

// Resume goes on where a state was taken; rule, weights and base must be those
// that it began with. A metric that the state does not know begins anew.
func Resume(r Rule, w Weights, base map[Metric]evalue.Base, s State) (*Panel, error) {
	p, err := New(r, w, base)
	if err != nil {
		return nil, err
	}
	for _, t := range p.metrics {
		kept, ok := s.Metrics[t.name]
		if !ok {
			continue
		}
		if t.test, err = evalue.Resume(r.config(w[t.name], base[t.name]), kept.Test); err != nil {
			return nil, fmt.Errorf("judge %s: %w", t.name, err)
		}
		t.points, t.first, t.last = kept.Points, kept.First, kept.Last
	}
	return p, nil
}

// State returns what the panel remembers. [Resume] makes the same panel of it.
func (p *Panel) State() State {
	s := State{Metrics: make(map[Metric]MetricState)}
	for _, t := range p.metrics {
		s.Metrics[t.name] = MetricState{Test: t.test.State(), Points: t.points, First: t.first, Last: t.last}
	}
	return s
}

// Add takes in one settled period of one metric. Periods come in order and do
// not overlap: one that was added already is an error, as are counts that are
// none. An error changes nothing.
func (p *Panel) Add(m Metric, pt Point) error {
	i := slices.IndexFunc(p.metrics, func(t *tested) bool { return t.name == m })
	if i < 0 {
		return fmt.Errorf("judge: metric %q is none that is judged", m)
	}
	t := p.metrics[i]
	if pt.At.Before(t.last) {
		return fmt.Errorf("judge %s: the period from %s begins before the end of the last one, %s", m, pt.At.UTC().Format(time.RFC3339), t.last.UTC().Format(time.RFC3339))
	}
	if err := t.test.Add(pt.Counts, pt.Period.Seconds()); err != nil {
		return fmt.Errorf("judge %s at %s: %w", m, pt.At.UTC().Format(time.RFC3339), err)
	}
	if t.first.IsZero() {
		t.first = pt.At
	}
	t.points++
	t.last = pt.End()
	return nil
}

// Failed reports whether any metric has failed. It stays true.
func (p *Panel) Failed() bool {
	return slices.ContainsFunc(p.metrics, func(t *tested) bool { return t.test.Failed() })
}

// Confirms reports whether there is enough evidence against the new version to
// believe an alarm: 20 to 1 on any metric.
func (p *Panel) Confirms() bool {
	return slices.ContainsFunc(p.metrics, func(t *tested) bool { return t.test.LnE() >= math.Log(evalue.VetoOdds) })
}

// Vetoes reports whether there is enough evidence that both versions suffer
// alike, now, not to believe an alarm: 20 to 1 on errors, and nothing that
// speaks against the new version. Without a concurrent old version it never
// does: an outage then looks like a bad version.
func (p *Panel) Vetoes() bool {
	if p.rule.History || p.Failed() || p.Confirms() {
		return false
	}
	return slices.ContainsFunc(p.metrics, func(t *tested) bool {
		return t.name == Errors && t.test.Shared()
	})
}
