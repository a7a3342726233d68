package sim

// Mechanism is what makes requests depend on each other or on chance in a way
// that an expression of the time cannot say.
type Mechanism string

// The mechanisms.
const (
	// Plain: every request fails by a coin of its own.
	Plain Mechanism = ""
	// Retries: whoever was answered with a failure tries again a second later,
	// once or more: half of the retries fail. Each is routed like any request.
	Retries Mechanism = "retries"
	// Sticky: failures come in clusters of five on average, each of one client
	// within five seconds, and a client stays with one version.
	Sticky Mechanism = "sticky"
	// BadClient: one client sends fifty requests that fail, within ten seconds
	// at a random time, all to one version: the new one with the probability of
	// its weight.
	BadClient Mechanism = "badclient"
	// Bursts: in three random minutes the expressions see burst = true.
	Bursts Mechanism = "bursts"
)

// Mechanisms are all that a scenario may name.
func Mechanisms() []Mechanism { return []Mechanism{Retries, Sticky, BadClient, Bursts} }

const (
	again   = 0.5 // the probability that a retry fails
	cluster = 5   // failures of one client, on average
	spread  = 5   // seconds over which they are spread
	storms  = 3   // bursts in a deployment
	storm   = 60  // seconds of one
	angry   = 10  // seconds of the bad client
	anger   = 5   // requests it sends in each
)

func (p *Plan) drawBursts(d *Deployment, s *Source) {
	for range storms {
		from := int(s.Uniform() * (Canary - storm))
		for t := from; t < from+storm; t++ {
			d.Burst[t] = true
		}
	}
}

func (p *Plan) playRetries(d *Deployment, s *Source) {
	waiting := 0
	for t := range d.Seconds {
		c := p.calm[t].draw(s)
		fresh := s.Binomial(waiting, p.spec.Weight)
		old := waiting - fresh
		x0, x1 := s.Binomial(old, again), s.Binomial(fresh, again)
		c.add(Counts{N0: float64(old), X0: float64(x0), N1: float64(fresh), X1: float64(x1)})
		d.Seconds[t] = c
		waiting = int(c.X0 + c.X1)
	}
}

func (p *Plan) addClient(d *Deployment, s *Source) {
	from := int(s.Uniform() * (Canary - angry))
	hit := Counts{N0: anger, X0: anger}
	if s.Uniform() < p.spec.Weight {
		hit = Counts{N1: anger, X1: anger}
	}
	for t := from; t < from+angry; t++ {
		d.Seconds[t].add(hit)
	}
}

// clusters are how many clients begin to fail in each second, on both versions.
type clusters struct {
	old, fresh []*Poisson
	past       *Poisson // in a minute of history
}

func newClusters(s Spec, of func(mean float64) *Poisson) clusters {
	c := clusters{past: of(s.Rate * Minute * s.Base / cluster)}
	for t, rate := range s.Calm.Rate {
		c.old = append(c.old, of(rate*(1-s.Weight)*s.Calm.P0[t]/cluster))
		c.fresh = append(c.fresh, of(rate*s.Weight*s.Calm.P1[t]/cluster))
	}
	return c
}

func (p *Plan) playSticky(d *Deployment, s *Source) {
	clear(d.waiting)
	for t := range d.Seconds {
		for range int(p.clients.old[t].Draw(s)) {
			for range s.Geometric(1.0 / cluster) {
				d.waiting[t+int(s.Uniform()*spread)].add(Counts{N0: 1, X0: 1})
			}
		}
		for range int(p.clients.fresh[t].Draw(s)) {
			for range s.Geometric(1.0 / cluster) {
				d.waiting[t+int(s.Uniform()*spread)].add(Counts{N1: 1, X1: 1})
			}
		}
		c := d.waiting[t]
		c.N0 += p.calm[t].ok0.Draw(s)
		c.N1 += p.calm[t].ok1.Draw(s)
		d.Seconds[t] = c
	}
}
