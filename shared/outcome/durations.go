package outcome

import (
	"math"
	"time"
)

// Durations counts requests by how long they took, in classes whose bounds grow
// by a fifth. Thresholds can be chosen afterwards; they are rounded up to the next
// bound, for both versions alike, so that nothing is compared that was rounded
// differently.
type Durations map[int]int

// perDoubling is how many classes a doubling has.
const perDoubling = 4

// class returns the class of a duration: 0 below a millisecond.
func class(d time.Duration) int {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 1 {
		return 0
	}
	return 1 + int(perDoubling*math.Log2(ms))
}

// Bound returns the threshold that a duration is rounded up to.
func Bound(d time.Duration) time.Duration {
	return time.Duration(math.Exp2(float64(class(d))/perDoubling) * float64(time.Millisecond))
}

// Over returns how many requests took longer than [Bound] of a duration.
func (d Durations) Over(threshold time.Duration) int {
	n, limit := 0, class(threshold)
	for c, count := range d {
		if c > limit {
			n += count
		}
	}
	return n
}

func (d *Durations) add(took time.Duration) {
	if *d == nil {
		*d = make(Durations)
	}
	(*d)[class(took)]++
}

// plus returns the sum. It changes d if d is not nil.
func (d Durations) plus(o Durations) Durations {
	if d == nil && len(o) > 0 {
		d = make(Durations, len(o))
	}
	for c, n := range o {
		d[c] += n
	}
	return d
}
