package evalue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trouble is a run of points of ten seconds in which a share of the requests
// fails for a while, in the old version and in the new one.
type trouble struct {
	n0, n1, share float64
	old, fresh    [2]int // first point with trouble, and the first without it again
}

func (x trouble) points(n int) []Counts {
	all := make([]Counts, n)
	for i := range all {
		all[i] = Counts{N0: x.n0, N1: x.n1}
		if i >= x.old[0] && i < x.old[1] {
			all[i].X0 = x.n0 * x.share
		}
		if i >= x.fresh[0] && i < x.fresh[1] {
			all[i].X1 = x.n1 * x.share
		}
	}
	return all
}

// failsAt is the point at which a test with a guard fails; -1 if it does not.
func failsAt(t *testing.T, guard int, points []Counts) int {
	t.Helper()
	c := Default()
	c.Guard = guard
	test, err := New(c)
	require.NoError(t, err)
	for i, p := range points {
		require.NoError(t, test.Add(p, 10))
		if test.Failed() {
			return i
		}
	}
	return -1
}

func TestACommonOutageThatReachesOneVersionLaterIsNoFailureWithinTheGuard(t *testing.T) {
	const begin = 10
	for _, guard := range []int{1, 3, 6} {
		for _, length := range []int{1, 4, 30} {
			for _, share := range []float64{0.1, 1} {
				for apart := -guard; apart <= guard; apart++ {
					oldLater, newLater := max(0, -apart), max(0, apart)
					x := trouble{
						n0: 450, n1: 50, share: share, old: [2]int{begin + oldLater, begin + oldLater + length}, fresh: [2]int{begin + newLater, begin + newLater + length},
					}
					assert.Equal(t, -1, failsAt(t, guard, x.points(80)), "guard %d, %d points apart, lasts %d, share %v", guard, apart, length, share)
				}
			}
		}
	}
}

func TestWithoutAGuardItLooksLikeABadVersion(t *testing.T) {
	newFirst := trouble{n0: 450, n1: 50, share: 0.5, old: [2]int{12, 42}, fresh: [2]int{10, 40}}
	oldFirst := trouble{n0: 450, n1: 50, share: 0.5, old: [2]int{10, 40}, fresh: [2]int{12, 42}}
	assert.Equal(t, 10, failsAt(t, 0, newFirst.points(80)), "the new version is alone when it begins")
	assert.Equal(t, 40, failsAt(t, 0, oldFirst.points(80)), "the new version is alone when it ends")
	assert.Equal(t, 11, failsAt(t, 1, newFirst.points(80)), "one point is too few for two")
}

// TestABadVersionIsSeenAsManyPointsLaterAsTheGuardHas says what a guard costs.
func TestABadVersionIsSeenAsManyPointsLaterAsTheGuardHas(t *testing.T) {
	for _, x := range []trouble{
		{n0: 450, n1: 50, share: 1, fresh: [2]int{10, 80}},
		{n0: 450, n1: 50, share: 0.1, fresh: [2]int{10, 80}},
		{n0: 450, n1: 50, share: 1, fresh: [2]int{0, 80}},
	} {
		plain := failsAt(t, 0, x.points(80))
		require.GreaterOrEqual(t, plain, x.fresh[0])
		for guard := range maxGuard + 1 {
			assert.Equal(t, plain+guard, failsAt(t, guard, x.points(80)), "guard %d: %+v", guard, x)
		}
	}
}

func TestAFaultThatComesAndGoesCostsNoMore(t *testing.T) {
	points := trouble{n0: 450, n1: 50}.points(200)
	for i := 10; i < len(points); i += 5 { // one point of five
		points[i].X1 = 25
	}
	assert.Equal(t, 10, failsAt(t, 0, points))
	assert.Equal(t, 13, failsAt(t, 3, points))
}
