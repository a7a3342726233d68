package sim_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

func flat(v float64) []float64 { return slices.Repeat([]float64{v}, sim.Canary) }

// spec is a case in which nothing changes.
func spec(m sim.Mechanism, rate, weight, p0, p1 float64) sim.Spec {
	return sim.Spec{
		Name: "flat", Rate: rate, Weight: weight, Base: p0, Mechanism: m,
		Calm: sim.Course{Rate: flat(rate), P0: flat(p0), P1: flat(p1)}, Storm: sim.Course{Rate: flat(rate), P0: flat(0.5), P1: flat(0.5)},
	}
}

// sums plays some deployments and adds everything up.
func sums(s sim.Spec, deployments int) (sum sim.Counts, history sim.Counts) {
	p, d := sim.NewPlan(s), sim.NewDeployment()
	var source sim.Source
	for n := range deployments {
		p.Play(d, &source, 1, n)
		for _, c := range d.Seconds {
			sum = sim.Counts{N0: sum.N0 + c.N0, X0: sum.X0 + c.X0, N1: sum.N1 + c.N1, X1: sum.X1 + c.X1}
		}
		for _, c := range d.History {
			history = sim.Counts{N0: history.N0 + c.N0, X0: history.X0 + c.X0}
		}
	}
	return sum, history
}

func near(t *testing.T, want, got float64, what string) {
	t.Helper()
	assert.InDelta(t, want, got, 5*math.Sqrt(want), what)
}

func TestADeploymentHasTheTrafficAndTheFailuresThatWereAskedFor(t *testing.T) {
	sum, history := sums(spec(sim.Plain, 10, 0.1, 0.01, 0.05), 10)
	near(t, 162000, sum.N0, "old version's requests")
	near(t, 1620, sum.X0, "old version's failures")
	near(t, 18000, sum.N1, "new version's requests")
	near(t, 900, sum.X1, "new version's failures")
	near(t, 360000, history.N0, "requests before")
	near(t, 3600, history.X0, "failures before")
}

func TestMechanismsAddWhatTheySay(t *testing.T) {
	// Every failure is tried again once or more, half of the retries fail: one
	// retry and one failure more on average for each failure.
	sum, _ := sums(spec(sim.Retries, 10, 0.1, 0.01, 0.01), 10)
	assert.InDelta(t, 3600, sum.X0+sum.X1, 5*math.Sqrt(3600*3), "failures with retries")
	assert.InDelta(t, 183600, sum.N0+sum.N1, 5*math.Sqrt(183600), "requests with retries")
	// Clusters keep the rates; a count of clusters of mean 5 scatters nine times as much.
	sum, history := sums(spec(sim.Sticky, 10, 0.1, 0.01, 0.01), 40)
	assert.InDelta(t, 6480, sum.X0, 5*math.Sqrt(9*6480), "sticky failures of the old version")
	assert.InDelta(t, 720, sum.X1, 5*math.Sqrt(9*720), "sticky failures of the new version")
	assert.InDelta(t, 14400, history.X0, 5*math.Sqrt(9*14400), "sticky failures before")
	// Fifty failures of one client, to one version.
	sum, _ = sums(spec(sim.BadClient, 0.0001, 0.3, 0, 0), 100)
	assert.InDelta(t, 5000, sum.X0+sum.X1, 0)
	assert.InDelta(t, 1500, sum.X1, 4*50*math.Sqrt(100*0.3*0.7))
	// Three minutes of thirty at one half; bursts may overlap.
	sum, _ = sums(spec(sim.Bursts, 100, 0.5, 0, 0), 40)
	assert.InDelta(t, 40*180*100*0.5*0.97, sum.X0+sum.X1, 40*180*100*0.5*0.03)
}

func TestNothingIsHeardOfASilentVersion(t *testing.T) {
	s := spec(sim.Plain, 100, 0.5, 0.1, 0.1)
	s.Silent, s.SilentFrom = true, 300
	p, d := sim.NewPlan(s), sim.NewDeployment()
	p.Play(d, new(sim.Source), 1, 0)
	for second, c := range d.Seconds {
		assert.Equal(t, second < 300, c.N1 > 0, "second %d", second)
		assert.Positive(t, c.N0)
	}
}

func TestPeriodsAreTheSumsOfTheirSeconds(t *testing.T) {
	p, d := sim.NewPlan(spec(sim.Plain, 30, 0.2, 0.1, 0.3)), sim.NewDeployment()
	p.Play(d, new(sim.Source), 7, 3)
	for _, period := range []int{sim.Ten, sim.Minute} {
		require.Len(t, d.Points(period), sim.Canary/period)
		for i, got := range d.Points(period) {
			var want sim.Counts
			for _, c := range d.Seconds[i*period : (i+1)*period] {
				want = sim.Counts{N0: want.N0 + c.N0, X0: want.X0 + c.X0, N1: want.N1 + c.N1, X1: want.X1 + c.X1}
			}
			require.Equal(t, want, got)
		}
	}
	failed := 0.0
	for second, c := range d.Seconds {
		require.InDelta(t, failed, d.Failed[second], 0)
		failed += c.X1
	}
	assert.InDelta(t, failed, d.Failed[sim.Canary], 0)
}

func TestADeploymentDependsOnItsSeedAndNothingElse(t *testing.T) {
	for _, m := range append(sim.Mechanisms(), sim.Plain) {
		p, fresh, used := sim.NewPlan(spec(m, 5, 0.1, 0.05, 0.05)), sim.NewDeployment(), sim.NewDeployment()
		p.Play(used, new(sim.Source), 1, 41) // leaves something behind
		p.Play(used, new(sim.Source), 1, 42)
		p.Play(fresh, new(sim.Source), 1, 42)
		assert.Equal(t, fresh.Seconds, used.Seconds, "mechanism %q", m)
		assert.Equal(t, fresh.History, used.History, "mechanism %q", m)
		p.Play(used, new(sim.Source), 2, 42)
		assert.NotEqual(t, fresh.Seconds, used.Seconds, "another seed, mechanism %q", m)
	}
}

func TestPlayingAllocatesNothing(t *testing.T) {
	p, d, s := sim.NewPlan(spec(sim.Plain, 100, 0.1, 0.01, 0.01)), sim.NewDeployment(), new(sim.Source)
	n := 0
	assert.Zero(t, testing.AllocsPerRun(5, func() {
		p.Play(d, s, 1, n)
		n++
	}))
}
