package sim

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Source is where randomness comes from. It is a struct, not an interface: the
// simulation draws from it a few thousand times a deployment.
type Source struct{ pcg rand.PCG }

// Seed starts the source again, at a place that depends on all that is given
// and on nothing else.
func (s *Source) Seed(seed uint64, scenario string, rate, weight, base float64, repetition int) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(scenario)) // a hash never fails
	z := mix(seed) ^ h.Sum64()
	for _, v := range []float64{rate, weight, base} {
		z = mix(z ^ math.Float64bits(v))
	}
	z = mix(z ^ uint64(repetition)) //nolint:gosec // a repetition is never negative
	s.pcg.Seed(z, mix(z+1))
}

// mix spreads every bit of z over all of them (the finalizer of SplitMix64,
// Steele, Lea and Flood 2014), so that neighboring seeds have nothing in common.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uniform is a number between 0 and 1, without either.
func (s *Source) Uniform() float64 {
	return (float64(s.pcg.Uint64()>>11) + 0.5) / (1 << 53)
}

// Binomial is how many of n coins of bias p fall on heads. It throws every one
// of them: only the mechanisms ask, and for few.
func (s *Source) Binomial(n int, p float64) int {
	if p >= 1 {
		return n
	}
	heads := 0
	for range n {
		if s.Uniform() < p {
			heads++
		}
	}
	return heads
}

// Geometric is how often a coin of bias p is thrown until it falls on heads.
func (s *Source) Geometric(p float64) int {
	throws := 1
	for s.Uniform() >= p {
		throws++
	}
	return throws
}
