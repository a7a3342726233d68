package sim_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

const draws = 200_000

func source(seed uint64) *sim.Source {
	s := new(sim.Source)
	s.Seed(seed, "test", 1, 0.1, 0.01, 0)
	return s
}

// chiSquare compares how often each number came with its probability. Numbers
// that are too rare are taken together with their neighbors above. It returns
// how many standard deviations the statistic is above its mean
// (Wilson and Hilferty's approximation).
func chiSquare(seen map[int]int, pmf func(k int) float64, top int) float64 {
	const enough = 10
	statistic, cells, got, want := 0.0, -1.0, 0.0, 0.0
	add := func() {
		statistic += (got - want) * (got - want) / want
		cells++
		got, want = 0, 0
	}
	left, total := 0.0, 0.0
	for k := range top {
		got += float64(seen[k])
		want += draws * pmf(k)
		left += float64(seen[k])
		total += draws * pmf(k)
		if want >= enough && draws-total >= enough {
			add()
		}
	}
	got += draws - left
	want += draws - total
	add()
	return (math.Cbrt(statistic/cells) - 1 + 2/(9*cells)) / math.Sqrt(2/(9*cells))
}

func lnFactorial(k int) float64 {
	v, _ := math.Lgamma(float64(k) + 1)
	return v
}

func TestPoissonCountsHaveTheirDistributionExactly(t *testing.T) {
	for i, mean := range []float64{0.001, 0.3, 2, 15.9, 16.1, 40, 900} {
		t.Run(strconv.FormatFloat(mean, 'g', -1, 64), func(t *testing.T) {
			p, s := sim.NewPoisson(mean), source(uint64(i))
			seen := make(map[int]int)
			sum, squares := 0.0, 0.0
			for range draws {
				v := p.Draw(s)
				seen[int(v)]++
				sum += v
				squares += (v - mean) * (v - mean)
			}
			assert.InDelta(t, mean, sum/draws, 4*math.Sqrt(mean/draws), "mean")
			assert.InDelta(t, mean, squares/draws, 5*math.Sqrt((mean+2*mean*mean)/draws), "variance")
			z := chiSquare(seen, func(k int) float64 { return math.Exp(float64(k)*math.Log(mean) - mean - lnFactorial(k)) }, int(mean+12*math.Sqrt(mean)+12))
			assert.Less(t, z, 3.0, "the counts are not Poisson's")
		})
	}
}

func TestNothingComesOfAMeanOfNothing(t *testing.T) {
	assert.Zero(t, sim.NewPoisson(0).Draw(source(1)))
}

func TestBinomialCountsHaveTheirDistributionExactly(t *testing.T) {
	for i, tt := range []struct {
		n int
		p float64
	}{{1, 0.3}, {12, 0.1}, {40, 0.5}, {9, 0}, {9, 1}} {
		s := source(uint64(i))
		seen := make(map[int]int)
		for range draws {
			seen[s.Binomial(tt.n, tt.p)]++
		}
		if tt.p == 0 || tt.p == 1 {
			assert.Equal(t, map[int]int{tt.n * int(tt.p): draws}, seen)
			continue
		}
		pmf := func(k int) float64 {
			if k > tt.n {
				return 0
			}
			return math.Exp(lnFactorial(tt.n) - lnFactorial(k) - lnFactorial(tt.n-k) + float64(k)*math.Log(tt.p) + float64(tt.n-k)*math.Log1p(-tt.p))
		}
		assert.Less(t, chiSquare(seen, pmf, tt.n), 3.0, "%+v", tt)
	}
}

func TestClustersHaveTheirMeanSize(t *testing.T) {
	s := source(9)
	sum := 0.0
	for range draws {
		sum += float64(s.Geometric(0.2))
	}
	assert.InDelta(t, 5, sum/draws, 4*math.Sqrt(20.0/draws))
}
