package evalue

// maxGuard keeps the state small.
const maxGuard = 12

// guards run the same bets on the new version against what the old one did
// 1, 2, … points earlier, and later. What hits both versions, but one of them
// some points later, looks like a bad version to most of these pairings and not
// to the one with just that shift. So all of them are needed, not the outermost
// alone.
type guards struct {
	earlier, later []*process // by how many points, less 1
	recent         []point    // the last points, oldest first; as many as the guard has
}

type point struct {
	Counts  Counts  `json:"counts"`
	Seconds float64 `json:"seconds"`
}

func newGuards(c Config) *guards {
	g := new(guards)
	for range c.Guard {
		g.earlier = append(g.earlier, newProcess(c))
		g.later = append(g.later, newProcess(c))
	}
	return g
}

func (g *guards) add(c Config, counts Counts, seconds float64) {
	for i := range g.recent {
		then := g.recent[len(g.recent)-1-i]
		g.earlier[i].add(c, Counts{N0: then.Counts.N0, X0: then.Counts.X0, N1: counts.N1, X1: counts.X1}, seconds)
		g.later[i].add(c, Counts{N0: counts.N0, X0: counts.X0, N1: then.Counts.N1, X1: then.Counts.X1}, then.Seconds)
	}
	if len(g.recent) == c.Guard {
		g.recent = append(g.recent[:0], g.recent[1:]...)
	}
	g.recent = append(g.recent, point{counts, seconds})
}

// ln is the least that any pairing makes of it.
func (g *guards) ln() float64 {
	ln := g.earlier[0].ln
	for i := range g.earlier {
		ln = min(ln, g.earlier[i].ln, g.later[i].ln)
	}
	return ln
}
