package sim

import "math"

// few is the mean up to which Poisson draws by walking along the distribution
// function. Above it the walk is longer than a rejection.
const few = 16

// Poisson draws counts of one mean. All that depends on the mean is computed once.
type Poisson struct {
	mean, log         float64
	below             []float64 // the distribution function, for small means
	a, b, alpha, fast float64   // of the rejection, for the others
}

// NewPoisson returns the distribution of a mean that is 0 or more.
func NewPoisson(mean float64) *Poisson {
	p := &Poisson{mean: mean, log: math.Log(mean)}
	if mean > few {
		// W. Hörmann, "The transformed rejection method for generating Poisson
		// random variables", Insurance: Mathematics and Economics 12 (1993),
		// algorithm PTRS, good from a mean of 10.
		p.b = 0.931 + 2.53*math.Sqrt(mean)
		p.a = -0.059 + 0.02483*p.b
		p.alpha = math.Log(1.1239 + 1.1328/(p.b-3.4))
		p.fast = 0.9277 - 3.6224/(p.b-2)
		return p
	}
	term, sum := math.Exp(-mean), 0.0
	for k := 1; ; k++ {
		sum += term
		p.below = append(p.below, sum)
		term *= mean / float64(k)
		if term < 1e-18 && float64(k) > mean {
			return p
		}
	}
}

// Draw is one count.
func (p *Poisson) Draw(s *Source) float64 {
	if p.below == nil {
		return p.reject(s)
	}
	u := s.Uniform()
	for k, sum := range p.below {
		if u < sum {
			return float64(k)
		}
	}
	return float64(len(p.below))
}

func (p *Poisson) reject(s *Source) float64 {
	for {
		u, v := s.Uniform()-0.5, s.Uniform()
		edge := 0.5 - math.Abs(u)
		k := math.Floor((2*p.a/edge+p.b)*u + p.mean + 0.43)
		if edge >= 0.07 && v <= p.fast {
			return k
		}
		if k < 0 || edge < 0.013 && v > edge {
			continue
		}
		gamma, _ := math.Lgamma(k + 1)
		if math.Log(v)+p.alpha-math.Log(p.a/(edge*edge)+p.b) <= k*p.log-p.mean-gamma {
			return k
		}
	}
}
