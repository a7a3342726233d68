package detection

import "math"

// confidence is that of all bounds: one-sided.
const confidence = 0.95

// normal95 is the normal distribution's quantile at the confidence.
const normal95 = 1.6448536269514722

// Upper is the upper end of the one-sided 95 % confidence interval of a
// probability of which k of n were seen (Clopper and Pearson's): the
// probability under which so few are just believable.
func Upper(k, n int) float64 {
	if k >= n {
		return 1
	}
	low, high := float64(k)/float64(n), 1.0
	for range 60 {
		if p := (low + high) / 2; atMost(k, n, p) > 1-confidence {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// Lower is the lower end of the same.
func Lower(k, n int) float64 { return 1 - Upper(n-k, n) }

// atMost is the probability of k or fewer of n at p, for p above k/n, where
// terms only get smaller from k down.
func atMost(k, n int, p float64) float64 {
	if p >= 1 {
		return 0
	}
	term := math.Exp(lnChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := term
	for i := k; i > 0 && term > sum*1e-17; i-- {
		term *= float64(i) * (1 - p) / (float64(n-i+1) * p)
		sum += term
	}
	return sum
}

func lnChoose(n, k int) float64 {
	gamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return gamma(n) - gamma(k) - gamma(n-k)
}
