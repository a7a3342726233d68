package measure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

func TestAQueryKnowsItsPeriods(t *testing.T) {
	zone := time.FixedZone("Kathmandu", 5*3600+45*60)
	q := measure.Query{
		Old: measure.Lambda(alias, "7"), New: measure.Lambda(alias, "8"), Plane: measure.Minute(),
		From: noon.Add(time.Second).In(zone), To: noon.Add(time.Hour), Now: noon.Add(10 * time.Minute),
	}
	start, end, err := q.Periods()
	require.NoError(t, err)
	assert.Equal(t, []time.Time{noon.Add(time.Minute), noon.Add(9 * time.Minute)}, []time.Time{start, end})

	q.From = q.Now.Add(-q.Plane.Kept())
	_, _, err = q.Periods()
	require.NoError(t, err)
	q.From = q.From.Add(-time.Minute)
	_, _, err = q.Periods()
	require.ErrorContains(t, err, "CloudWatch keeps data of 1m0s for 360h0m0s, and 2026-02-14T12:09:00Z is longer ago")
	q.To = q.From
	_, _, err = q.Periods()
	require.NoError(t, err, "nothing is asked, so nothing is missed")
}

func TestAQueryCountsErrorsAndTheSlow(t *testing.T) {
	q := measure.Query{Thresholds: map[health.Metric]float64{health.P90: 120}}
	arm := measure.Lambda(alias, "8")
	assert.Equal(t, arm.Errors, q.Counting(health.Errors, arm))
	assert.Equal(t, []measure.Metric{arm.Latency.With("TC(120:)")}, q.Counting(health.P90, arm))
	assert.Empty(t, q.Counting(health.P90, measure.Arm{}), "an empty arm has none")
}
