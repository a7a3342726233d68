// Package sim plays deployments: a canary of thirty minutes, second by second,
// with requests that arrive by Poisson's law and fail by a coin of known bias.
//
// One seed gives one deployment, on every machine and whoever asks. It knows
// nothing of the rules that are judged by it.
package sim

// Canary is how long a deployment shifts traffic, in seconds: CodeDeploy's
// Canary10Percent30Minutes.
const Canary = 1800

// The periods, in seconds, into which a deployment's counts are added up.
const (
	Second = 1
	Ten    = 10
	Minute = 60
)

// Past is how many minutes of the old version are known before a deployment.
const Past = 60

// Counts is what both versions did in one period: N requests, X of them
// failed; 0 is the old version, 1 the new one.
type Counts struct{ N0, X0, N1, X1 float64 }

func (c *Counts) add(d Counts) {
	c.N0 += d.N0
	c.X0 += d.X0
	c.N1 += d.N1
	c.X1 += d.X1
}

// Course is what is true of a deployment in each second: requests a second,
// and the probabilities that the old and the new version fail one.
type Course struct{ Rate, P0, P1 []float64 }

// Deployment is one deployment. Play overwrites it, so that none is allocated
// in a loop.
type Deployment struct {
	Weight  float64
	Seconds []Counts  // the counts of each second
	Tens    []Counts  // the same in periods of ten seconds
	Minutes []Counts  // and of a minute
	Failed  []float64 // the new version's failures before each second, and at the end
	History []Counts  // minutes of the old version alone, before
	Burst   []bool    // seconds inside a burst, if the mechanism is Bursts
	Calm    Course    // what is true outside bursts
	Storm   Course    // and inside them
	waiting []Counts  // what the mechanisms bring in later seconds
}

// NewDeployment returns room for one.
func NewDeployment() *Deployment {
	return &Deployment{
		Seconds: make([]Counts, Canary), Tens: make([]Counts, Canary/Ten), Minutes: make([]Counts, Canary/Minute),
		Failed: make([]float64, Canary+1), History: make([]Counts, Past), Burst: make([]bool, Canary), waiting: make([]Counts, Canary+spread),
	}
}

// Points returns the counts in periods of that many seconds.
func (d *Deployment) Points(period int) []Counts {
	switch period {
	case Second:
		return d.Seconds
	case Ten:
		return d.Tens
	default:
		return d.Minutes
	}
}

// Truth returns the probabilities of failure in a second.
func (d *Deployment) Truth(second int) (p0, p1 float64) {
	if d.Burst[second] {
		return d.Storm.P0[second], d.Storm.P1[second]
	}
	return d.Calm.P0[second], d.Calm.P1[second]
}

// addUp fills everything that follows from the seconds.
func (d *Deployment) addUp() {
	clear(d.Tens)
	clear(d.Minutes)
	failed := 0.0
	for t := range d.Seconds {
		c := &d.Seconds[t]
		d.Tens[t/Ten].add(*c)
		d.Failed[t] = failed
		failed += c.X1
	}
	d.Failed[Canary] = failed
	for i, c := range d.Tens {
		d.Minutes[i*Ten/Minute].add(c)
	}
}
