package detection_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/bench/detection"
)

// TestBoundsAreClopperAndPearsons has values that can be had in closed form:
// with none of n seen the upper bound is where (1-p)^n = 0.05, with one of two
// where 1-p^2 = 0.05.
func TestBoundsAreClopperAndPearsons(t *testing.T) {
	assert.InDelta(t, 1-math.Pow(0.05, 1.0/2000), detection.Upper(0, 2000), 1e-12)
	assert.InDelta(t, 1-math.Pow(0.05, 1.0/7), detection.Upper(0, 7), 1e-12)
	assert.InDelta(t, math.Sqrt(0.95), detection.Upper(1, 2), 1e-12)
	assert.InDelta(t, 1, detection.Upper(5, 5), 0)
	assert.InDelta(t, 0, detection.Lower(0, 5), 0)
	assert.InDelta(t, math.Pow(0.05, 1.0/5), detection.Lower(5, 5), 1e-12)
	// With many, they are near the normal approximation's.
	assert.InDelta(t, 0.5+1.645*math.Sqrt(0.25/20000), detection.Upper(10000, 20000), 1e-4)
}
