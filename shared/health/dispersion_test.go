package health_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

func olds(counts ...[2]float64) []health.Point {
	var all []health.Point
	for _, c := range counts {
		all = append(all, health.Point{Counts: evalue.Counts{N0: c[0], X0: c[1]}})
	}
	return all
}

func TestDispersion(t *testing.T) {
	tests := map[string]struct {
		points []health.Point
		phi    float64
		known  bool
	}{
		"no periods":                          {nil, 1, false},
		"one period":                          {olds([2]float64{100, 5}), 1, false},
		"one with requests":                   {olds([2]float64{100, 5}, [2]float64{}), 1, false},
		"nothing failed":                      {olds([2]float64{100, 0}, [2]float64{100, 0}), 1, false},
		"everything failed":                   {olds([2]float64{100, 100}, [2]float64{100, 100}), 1, false},
		"no scatter at all":                   {olds([2]float64{100, 10}, [2]float64{200, 20}), 1, true},
		"0 and 20 of 100, where 10 are usual": {olds([2]float64{100, 0}, [2]float64{100, 20}), 20, true}, // 2*100/9 = 22.2
		"8 and 16 of 100, where 12 are usual": {olds([2]float64{100, 8}, [2]float64{100, 16}, [2]float64{}), 32 / 10.56, true},
		"one client after the other":          {olds([2]float64{100, 0}, [2]float64{100, 90}, [2]float64{100, 0}), 20, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			phi, known := health.Dispersion(test.points)
			assert.InDelta(t, test.phi, phi, 1e-9)
			assert.Equal(t, test.known, known)
		})
	}
}

func TestRequestsThatFailInBunchesHaveTheBunchsSizeAsDispersion(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	scatter := func(bunch float64) float64 {
		var all []health.Point
		for range 4000 {
			x := 0.0
			for range int(1000 / bunch) {
				if r.Float64() < 0.02 {
					x += bunch
				}
			}
			all = append(all, olds([2]float64{1000, x})...)
		}
		phi, _ := health.Dispersion(all)
		return phi
	}
	assert.InDelta(t, 1, scatter(1), 0.1)
	assert.InDelta(t, 5, scatter(5), 0.5)
}
