package health

// maxDispersion is more than any estimate from some ten points can be relied on
// to say.
const maxDispersion = 20

// Dispersion is phi: how much more a version's events scatter between periods
// than those of independent requests would, at least 1 (Pearson's statistic
// over its degrees of freedom). Clients that stick to a version and fail
// together make it large; so does trouble that came and went, which makes the
// test slower and never wrong. It is not known of fewer than two periods with
// requests, and not where nothing or everything failed.
//
// It reads the old version's counts, and is of use only if they are of the time
// before the new one came.
func Dispersion(points []Point) (phi float64, known bool) {
	var n, x, periods float64
	for _, p := range points {
		if p.Counts.N0 > 0 {
			n, x, periods = n+p.Counts.N0, x+p.Counts.X0, periods+1
		}
	}
	rate := x / n
	if !(rate > 0 && rate < 1) || periods < 2 { // also NaN
		return 1, false
	}
	sum := 0.0
	for _, p := range points {
		if p.Counts.N0 > 0 {
			d := p.Counts.X0 - p.Counts.N0*rate
			sum += d * d / (p.Counts.N0 * rate * (1 - rate))
		}
	}
	return min(max(1, sum/(periods-1)), maxDispersion), true
}
