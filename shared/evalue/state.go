package evalue

import (
	"errors"
	"fmt"
	"slices"
)

// State is all that a test remembers, however long it runs. It survives JSON
// unchanged. Field names are stored, must not change.
type State struct {
	Format int       `json:"format"` // of the state; another one is refused
	Plain  Progress  `json:"plain"`
	Guards *Guarding `json:"guards,omitempty"`
	Veto   veto      `json:"veto"`
	Total  Counts    `json:"total"`
	Failed bool      `json:"failed,omitempty"`
}

// Progress is what one run of bets remembers.
type Progress struct {
	Money  capital  `json:"money"`
	Guided *capital `json:"guided,omitempty"` // the part of the money that the past moves
	Open   Counts   `json:"open"`
	Spans  int      `json:"spans,omitempty"`
	Quiet  Counts   `json:"quiet,omitzero"`
	Passed float64  `json:"passed"`
	Waited float64  `json:"waited"`
	Failed bool     `json:"failed,omitempty"`
}

// Guarding is what the guard remembers.
type Guarding struct {
	Earlier []Progress `json:"earlier"`
	Later   []Progress `json:"later"`
	Recent  []point    `json:"recent"`
}

// format counts the meanings that a State has had.
const format = 1

// State returns what the test remembers. [Resume] makes the same test of it.
func (t *Test) State() State {
	s := State{Format: format, Plain: t.plain.progress(), Veto: t.veto, Total: t.total, Failed: t.failed}
	if t.guards != nil {
		s.Guards = t.guards.state()
	}
	return s
}

// Resume goes on with a test where its state was taken. The configuration must
// be the one that the test began with: money that was bet by other rules means
// nothing. What does not fit is an error; the test can be made again from its
// points.
func Resume(c Config, s State) (*Test, error) {
	t, err := New(c)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Format != format:
		return nil, fmt.Errorf("resume a test: its state has format %d, not %d; judge its points again", s.Format, format)
	case (s.Plain.Guided != nil) != (t.plain.money.guided != nil):
		return nil, errors.New("resume a test: its state is that of a test with another past; judge its points again")
	case !s.Guards.fit(c.Guard):
		return nil, fmt.Errorf("resume a test: its state is that of another guard than %d points; judge its points again", c.Guard)
	}
	t.plain.resume(s.Plain)
	if s.Guards != nil {
		t.guards.resume(*s.Guards)
	}
	t.veto, t.total, t.failed = s.Veto, s.Total, s.Failed
	return t, nil
}

func (p *process) progress() Progress {
	s := Progress{Money: p.money.plain, Open: p.open, Spans: p.spans, Quiet: p.quiet, Passed: p.passed, Waited: p.waited, Failed: p.failed}
	if p.money.guided != nil {
		guided := *p.money.guided
		s.Guided = &guided
	}
	return s
}

func (p *process) resume(s Progress) {
	p.money.plain, p.open, p.spans, p.quiet, p.passed, p.waited, p.failed = s.Money, s.Open, s.Spans, s.Quiet, s.Passed, s.Waited, s.Failed
	if s.Guided != nil {
		*p.money.guided = *s.Guided
	}
	p.ln = p.money.ln()
}

func (g *guards) state() *Guarding {
	s := &Guarding{Recent: slices.Clone(g.recent)}
	for i := range g.earlier {
		s.Earlier = append(s.Earlier, g.earlier[i].progress())
		s.Later = append(s.Later, g.later[i].progress())
	}
	return s
}

// fit reports whether a guard of so many points can have left this state.
func (s *Guarding) fit(points int) bool {
	if s == nil {
		return points == 0
	}
	return len(s.Earlier) == points && len(s.Later) == points && len(s.Recent) <= points && points > 0
}

func (g *guards) resume(s Guarding) {
	for i := range g.earlier {
		g.earlier[i].resume(s.Earlier[i])
		g.later[i].resume(s.Later[i])
	}
	g.recent = slices.Clone(s.Recent)
}
