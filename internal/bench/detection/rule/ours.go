package rule

import (
	"fmt"
	"math"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

// engine is pullback's own test.
type engine struct {
	config evalue.Config
	adapt  func(c evalue.Config, d *sim.Deployment) evalue.Config // to what is known before a deployment
	period float64
	test   *evalue.Test
}

func (e *engine) Begin(d *sim.Deployment) error {
	var err error
	if e.test, err = evalue.New(e.adapt(e.config, d)); err != nil {
		return fmt.Errorf("configure the engine: %w", err)
	}
	return nil
}

func (e *engine) Add(c sim.Counts, _ int) (bool, error) {
	if err := e.test.Add(evalue.Counts(c), e.period); err != nil {
		return false, fmt.Errorf("the engine refuses %+v: %w", c, err)
	}
	return e.test.Failed(), nil
}

// guardedEngine is the engine with a guard. The guard tries every pairing of
// the versions in time, and the engine fails when all of them do, the plain one
// among them: so as long as the plain one has not failed, the others need not be
// tried.
type guardedEngine struct {
	engine

	plain  engine
	failed bool         // the plain one has
	seen   []sim.Counts // until then
}

func (g *guardedEngine) Begin(d *sim.Deployment) error {
	g.failed, g.seen = false, g.seen[:0]
	if err := g.plain.Begin(d); err != nil {
		return err
	}
	return g.engine.Begin(d)
}

func (g *guardedEngine) Add(c sim.Counts, end int) (bool, error) {
	if g.failed {
		return g.engine.Add(c, end)
	}
	g.seen = append(g.seen, c)
	var err error
	if g.failed, err = g.plain.Add(c, end); err != nil || !g.failed {
		return false, err
	}
	fired := false
	for _, c := range g.seen {
		if fired, err = g.engine.Add(c, end); err != nil {
			return false, err
		}
	}
	return fired, nil
}

// strict is the error level of the strict mode.
const strict = 0.001

// base is what the old version did in the hour before the deployment. The
// product looks there, too.
func base(d *sim.Deployment) (b evalue.Base) {
	for _, c := range d.History {
		b.Requests += c.N0
		b.Events += c.X0
	}
	return b
}

// informed is for routing by request.
func informed(c evalue.Config, d *sim.Deployment) evalue.Config {
	c.Base = base(d)
	return c
}

// blank is for a version without a past.
func blank(c evalue.Config, _ *sim.Deployment) evalue.Config { return c }

// sticky is for routing by client.
func sticky(alpha float64) func(evalue.Config, *sim.Deployment) evalue.Config {
	return func(_ evalue.Config, d *sim.Deployment) evalue.Config {
		points := make([]health.Point, len(d.History))
		for i, c := range d.History {
			points[i].Counts = evalue.Counts(c)
		}
		phi, _ := health.Dispersion(points) // 1 if it is not known
		c := evalue.Sticky(alpha, phi)
		c.Base = base(d)
		return c
	}
}

// guarded is the default with a guard of so many points.
func guarded(points int, p Plane) Rule {
	c := evalue.Default()
	c.Guard = points
	return Rule{
		Name:   fmt.Sprintf("pullback guard %d s @%ds", points*p.Period, p.Period),
		About:  "the default, and the evidence must hold if trouble reaches one version up to that much later",
		Family: Ours, Plane: p, guard: true, Extra: p == minutes(),
		New: func(Setting) (Judge, error) {
			period := float64(p.Period)
			return &guardedEngine{engine: engine{config: c, adapt: informed, period: period}, plain: engine{config: evalue.Default(), adapt: informed, period: period}}, nil
		},
	}
}

// ours are the engine's modes, on both planes.
func ours() []Rule {
	loose, exact, tight := evalue.Default(), evalue.Default(), evalue.Default()
	exact.Rho = 1
	tight.Alpha = strict
	var all []Rule
	add := func(name, about string, p Plane, c evalue.Config, adapt func(evalue.Config, *sim.Deployment) evalue.Config) {
		all = append(all, Rule{Name: name, About: about, Family: Ours, Plane: p, New: func(Setting) (Judge, error) {
			return &engine{config: c, adapt: adapt, period: float64(p.Period)}, nil
		}})
	}
	for _, on := range []struct {
		suffix string
		plane  Plane
		guards []int // in points
	}{{" @60s", minutes(), []int{1}}, {" @10s", tens(), []int{3, 6}}} {
		add("pullback"+on.suffix, "the default: odds up to 1.25 times the old version's are tolerated, error level 1 %", on.plane, loose, informed)
		add("pullback rho 1"+on.suffix, "nothing is tolerated", on.plane, exact, informed)
		add("pullback no past"+on.suffix, "the default, where nothing is known of the hour before", on.plane, loose, blank)
		all[len(all)-1].Extra = true
		add("pullback strict"+on.suffix, "error level 0.1 %", on.plane, tight, informed)
		add("pullback sticky"+on.suffix, "for clients that stay with a version: dispersion of the hour before, capped groups", on.plane, loose, sticky(errorLevel))
		add("pullback sticky strict"+on.suffix, "the same with error level 0.1 %", on.plane, loose, sticky(strict))
		for _, points := range on.guards {
			all = append(all, guarded(points, on.plane))
		}
	}
	return all
}

// veto fires when the engine has refuted that the new version is at least twice
// as bad.
type veto struct {
	engine

	from    int // the second from which points are taken in
	asked   int // the second from which the veto is asked for
	refuted func(*evalue.Test) bool
}

func (v *veto) Add(c sim.Counts, end int) (bool, error) {
	if end <= v.from {
		return false, nil
	}
	if _, err := v.engine.Add(c, end); err != nil {
		return false, err
	}
	return end >= v.asked && v.refuted(v.test), nil
}

// alarming is how long after the onset an alarm is red at the earliest: nobody
// asks for a veto before.
const alarming = 60

func whole(t *evalue.Test) bool { return t.LnVeto() >= math.Log(evalue.VetoOdds) }

func vetoes() []Rule {
	fresh := engine{config: evalue.Default(), adapt: informed, period: sim.Ten}
	return []Rule{
		{
			Name: "veto from onset @10s", About: "refuted that the new version is twice as bad, by what came after the trouble began", Family: Veto, Plane: tens(),
			New: func(s Setting) (Judge, error) {
				return &veto{engine: fresh, from: s.Onset, refuted: whole}, nil
			},
		},
		{
			Name: "veto shared @10s", About: "the same for trouble that may have begun at any time, by all points of the deployment; asked from a minute after the onset", Family: Veto, Plane: tens(),
			New: func(s Setting) (Judge, error) {
				return &veto{engine: fresh, asked: s.Onset + alarming, refuted: (*evalue.Test).Shared}, nil
			},
		},
	}
}
