package sim

// Spec is a case of which deployments are played.
type Spec struct {
	Name      string  // of the scenario
	Rate      float64 // requests a second, before the deployment
	Weight    float64 // the new version's share of the requests
	Base      float64 // the probability that the old version fails a request, before the deployment
	Calm      Course
	Storm     Course // inside bursts; read only if the mechanism is Bursts
	Mechanism Mechanism

	Silent     bool // nothing is heard of the new version, from a second on
	SilentFrom int
}

// Plan is a Spec, ready to be played. Nothing changes it: workers share it.
type Plan struct {
	spec        Spec
	calm, storm [Canary]draws
	past        draws // of a minute of history
	clients     clusters
}

// draws are the distributions of one second: requests that succeed and fail,
// of both versions.
//
// That of Poisson requests each fails by a coin gives two independent Poisson
// counts, those that succeed and those that fail. It is the same law as Poisson
// requests and binomial failures, and cheaper to draw.
type draws struct{ ok0, bad0, ok1, bad1 *Poisson }

// NewPlan prepares a case. It takes rates and probabilities as they are:
// scenario has checked them.
func NewPlan(s Spec) *Plan {
	p := &Plan{spec: s}
	known := make(map[float64]*Poisson)
	of := func(mean float64) *Poisson {
		if known[mean] == nil {
			known[mean] = NewPoisson(mean)
		}
		return known[mean]
	}
	second := func(rate, p0, p1 float64) draws {
		old, fresh := rate*(1-s.Weight), rate*s.Weight
		return draws{of(old * (1 - p0)), of(old * p0), of(fresh * (1 - p1)), of(fresh * p1)}
	}
	for t := range p.calm {
		p.calm[t] = second(s.Calm.Rate[t], s.Calm.P0[t], s.Calm.P1[t])
		if s.Mechanism == Bursts {
			p.storm[t] = second(s.Storm.Rate[t], s.Storm.P0[t], s.Storm.P1[t])
		}
	}
	p.past = draws{ok0: of(s.Rate * Minute * (1 - s.Base)), bad0: of(s.Rate * Minute * s.Base)}
	if s.Mechanism == Sticky {
		p.clients = newClusters(s, of)
	}
	return p
}

// Play overwrites d with the deployment that the seed and the repetition give.
func (p *Plan) Play(d *Deployment, s *Source, seed uint64, repetition int) {
	s.Seed(seed, p.spec.Name, p.spec.Rate, p.spec.Weight, p.spec.Base, repetition)
	d.Weight, d.Calm, d.Storm = p.spec.Weight, p.spec.Calm, p.spec.Storm
	clear(d.Burst)
	switch p.spec.Mechanism {
	case Sticky:
		p.playSticky(d, s)
	case Retries:
		p.playRetries(d, s)
	case BadClient:
		p.playPlain(d, s)
		p.addClient(d, s)
	case Bursts:
		p.drawBursts(d, s)
		p.playPlain(d, s)
	case Plain:
		p.playPlain(d, s)
	}
	if p.spec.Silent {
		for t := p.spec.SilentFrom; t < Canary; t++ {
			d.Seconds[t].N1, d.Seconds[t].X1 = 0, 0
		}
	}
	p.playPast(d, s)
	d.addUp()
}

func (p *Plan) playPlain(d *Deployment, s *Source) {
	for t := range d.Seconds {
		w := &p.calm[t]
		if d.Burst[t] {
			w = &p.storm[t]
		}
		d.Seconds[t] = w.draw(s)
	}
}

func (w *draws) draw(s *Source) Counts {
	x0, x1 := w.bad0.Draw(s), w.bad1.Draw(s)
	return Counts{N0: w.ok0.Draw(s) + x0, X0: x0, N1: w.ok1.Draw(s) + x1, X1: x1}
}

// playPast draws the old version's hour before the deployment.
func (p *Plan) playPast(d *Deployment, s *Source) {
	for i := range d.History {
		x := 0.0
		if p.spec.Mechanism == Sticky {
			for range int(p.clients.past.Draw(s)) {
				x += float64(s.Geometric(1.0 / cluster))
			}
		} else {
			x = p.past.bad0.Draw(s)
		}
		d.History[i] = Counts{N0: p.past.ok0.Draw(s) + x, X0: x}
	}
}
