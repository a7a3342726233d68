package evalue

import "math"

// PriorCost is about what the capital pays, in nats, for not knowing the odds
// ratio beforehand, nor when the trouble begins.
const PriorCost = 2

// Growth is the rate, in nats per request to either version, at which no test
// can do better: the least Kullback-Leibler divergence between what is, rates
// p0 and p1, and anything that is tolerated, whatever the old version's rate
// may be. share is the new version's part of the requests. It is 0 if p1 is
// tolerated beside p0. At rho 1 it is the Jensen-Shannon divergence.
// Source: Turner, Ly, Grünwald, arXiv 2106.02693; docs/judging.md.
func Growth(p0, p1, share, rho float64) float64 {
	if !(share > 0 && share < 1) || !(p0 >= 0 && p1 <= 1 && p1 > worse(p0, rho)) {
		return 0
	}
	cost := func(q float64) float64 { return share*divergence(p1, worse(q, rho)) + (1-share)*divergence(p0, q) }
	// The cost is convex in the log odds of q: narrow it down from both sides.
	low, high := logit(max(p0, 1e-15)), logit(min(p1, 1-1e-15))
	for range 200 {
		third := (high - low) / 3
		if cost(expit(low+third)) < cost(expit(high-third)) {
			high -= third
		} else {
			low += third
		}
	}
	return cost(expit((low + high) / 2))
}

// worse is the rate whose odds are rho times those of q.
func worse(q, rho float64) float64 { return rho * q / (1 + (rho-1)*q) }

func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

func expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// divergence is the Kullback-Leibler divergence of two coins.
func divergence(p, q float64) float64 {
	d := 0.0
	if p > 0 {
		d += p * math.Log(p/q)
	}
	if p < 1 {
		d += (1 - p) * (math.Log1p(-p) - math.Log1p(-q))
	}
	return d
}
