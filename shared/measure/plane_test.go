package measure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/measure"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestOnlyWholePeriodsThatAreSettledAreRead(t *testing.T) {
	minute, fast := measure.Minute(), measure.HighResolution()
	for name, test := range map[string]struct {
		plane        measure.Plane
		from, to     time.Duration // after noon
		now          time.Duration
		begin, until time.Duration
	}{
		"all of them":                     {minute, 0, 5 * time.Minute, time.Hour, 0, 5 * time.Minute},
		"a begun minute is none":          {minute, time.Second, 5 * time.Minute, time.Hour, time.Minute, 5 * time.Minute},
		"nor is one that is not over":     {minute, 0, 5*time.Minute - 1, time.Hour, 0, 4 * time.Minute},
		"a minute settles in another one": {minute, 0, 5 * time.Minute, 5*time.Minute + 59*time.Second, 0, 4 * time.Minute},
		"and then is there at once":       {minute, 0, 5 * time.Minute, 6 * time.Minute, 0, 5 * time.Minute},
		"ten seconds settle in five":      {fast, 0, time.Minute, 24 * time.Second, 0, 10 * time.Second},
		"and then are there at once":      {fast, 0, time.Minute, 25 * time.Second, 0, 20 * time.Second},
		"from the middle of ten seconds":  {fast, 13 * time.Second, time.Minute, time.Hour, 20 * time.Second, time.Minute},
		"nothing is settled":              {minute, 0, 5 * time.Minute, 30 * time.Second, 0, 0},
		"the wrong way round":             {minute, 5 * time.Minute, 0, time.Hour, 5 * time.Minute, 5 * time.Minute},
		"less than a period":              {minute, time.Second, time.Minute + time.Second, time.Hour, time.Minute, time.Minute},
		"what is to come":                 {minute, time.Hour, 2 * time.Hour, time.Hour, time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			begin, until := test.plane.Settled(noon.Add(test.from), noon.Add(test.to), noon.Add(test.now))
			assert.Equal(t, []time.Time{noon.Add(test.begin), noon.Add(test.until)}, []time.Time{begin, until})
		})
	}
}

func TestSettledPeriodsNeverOverlapFromTickToTick(t *testing.T) {
	for _, plane := range []measure.Plane{measure.Minute(), measure.HighResolution()} {
		last, newest := noon, noon.Add(10*time.Minute)
		for tick := noon; !tick.After(newest); tick = tick.Add(7 * time.Second) {
			begin, until := plane.Settled(last, tick, tick)
			require.Equal(t, last, begin, "nothing is left out or read twice")
			last = until
		}
		begin, until := plane.Settled(last, newest, newest)
		assert.Equal(t, last, begin)
		assert.Equal(t, newest.Add(-plane.Lag).Truncate(plane.Period), until, "and all that is settled has been read")
	}
}

func TestPeriodsAreThoseOfCloudWatch(t *testing.T) {
	for period, kept := range map[time.Duration]time.Duration{
		time.Second: 3 * time.Hour, 10 * time.Second: 3 * time.Hour, 30 * time.Second: 3 * time.Hour,
		time.Minute: 15 * 24 * time.Hour, 5 * time.Minute: 63 * 24 * time.Hour, 2 * time.Hour: 455 * 24 * time.Hour,
	} {
		p := measure.Plane{Period: period}
		require.NoError(t, p.Check())
		assert.Equal(t, kept, p.Kept())
	}
	for _, period := range []time.Duration{0, -time.Minute, 2 * time.Second, 90 * time.Second, time.Millisecond, 48 * time.Hour} {
		require.Error(t, measure.Plane{Period: period}.Check())
	}
}
