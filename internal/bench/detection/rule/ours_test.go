package rule

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// TestDispersionIsPearsons: 2 and 6 failures in 100 requests each have the mean
// rate 4 %, squared deviations of 4, variances of 3.84: (4+4)/3.84/(2-1) = 2.083.
func TestDispersionIsPearsons(t *testing.T) {
	assert.InDelta(t, 8/3.84, dispersion([]sim.Counts{{N0: 100, X0: 2}, {N0: 100, X0: 6}}), 1e-12)
	assert.InDelta(t, 1, dispersion([]sim.Counts{{N0: 100, X0: 4}, {N0: 100, X0: 4}}), 0, "never less than independent requests")
	assert.InDelta(t, 1, dispersion(slices.Repeat([]sim.Counts{{N0: 100}}, 60)), 0, "nothing failed")
	assert.InDelta(t, 1, dispersion(make([]sim.Counts, 60)), 0, "nothing came")
	assert.InDelta(t, maxSpread, dispersion([]sim.Counts{{N0: 1000, X0: 0}, {N0: 1000, X0: 500}}), 0)
}
