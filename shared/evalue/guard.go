package evalue

// maxGuard keeps the state small.
const maxGuard = 12

// guards run the same bets on the new version against what the old one did
// some points earlier and some points later. What hits both versions, but one
// of them later, looks like a bad version to one pairing and not to all.
type guards struct {
	earlier, later *process
	recent         []point // the last points, oldest first; as many as the guard has
}

type point struct {
	Counts  Counts  `json:"counts"`
	Seconds float64 `json:"seconds"`
}

func newGuards(c Config) *guards {
	return &guards{earlier: newProcess(c), later: newProcess(c)}
}

func (g *guards) add(c Config, counts Counts, seconds float64) {
	if len(g.recent) == c.Guard {
		then := g.recent[0]
		g.earlier.add(c, Counts{N0: then.Counts.N0, X0: then.Counts.X0, N1: counts.N1, X1: counts.X1}, seconds)
		g.later.add(c, Counts{N0: counts.N0, X0: counts.X0, N1: then.Counts.N1, X1: then.Counts.X1}, then.Seconds)
		g.recent = append(g.recent[:0], g.recent[1:]...)
	}
	g.recent = append(g.recent, point{counts, seconds})
}

func (g *guards) ln() float64 { return min(g.earlier.money.ln(), g.later.money.ln()) }
