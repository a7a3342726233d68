package health_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/health"
)

func counts(requests, errors float64) health.Counts {
	return health.Counts{Requests: requests, Errors: errors, Points: 1}
}

func TestARateIsKnownOnlyOfRequests(t *testing.T) {
	tests := map[string]struct {
		counts health.Counts
		rate   float64
		known  bool
	}{
		"some failed":       {counts(200, 5), 0.025, true},
		"none failed":       {counts(200, 0), 0, true},
		"all failed":        {counts(3, 3), 1, true},
		"no requests":       {counts(0, 0), 0, false},
		"no datapoints":     {health.Counts{}, 0, false},
		"counts of nowhere": {health.Counts{Requests: 5, Errors: 5}, 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rate, known := test.counts.Rate()
			assert.InDelta(t, test.rate, rate, 1e-12)
			assert.Equal(t, test.known, known)
		})
	}
}

// usual is what the settings have by default.
var usual = health.Comparison{MinRequests: 50, Ratio: 2, Slack: 0.01}

func TestJudge(t *testing.T) {
	unknown := health.Counts{}
	tests := map[string]struct {
		fresh, old health.Counts
		want       health.Verdict
	}{
		"no datapoint":                          {unknown, counts(900, 9), health.NoData},
		"no request":                            {counts(0, 0), counts(900, 9), health.NoTraffic},
		"no request anywhere":                   {counts(0, 0), unknown, health.NoTraffic},
		"too few requests, all failed":          {counts(49, 49), counts(900, 0), health.Inconclusive},
		"too few requests, none failed":         {counts(49, 0), counts(900, 0), health.Inconclusive},
		"just enough requests":                  {counts(50, 0), counts(900, 0), health.Pass},
		"as bad as before":                      {counts(100, 10), counts(900, 90), health.Pass},
		"worse, within the limit":               {counts(100, 3), counts(100, 1), health.Pass},
		"worse, beyond the limit":               {counts(100, 4), counts(100, 1), health.Fail},
		"a first error, within the slack":       {counts(100, 1), counts(900, 0), health.Pass},
		"first errors, beyond the slack":        {counts(100, 2), counts(900, 0), health.Fail},
		"nothing to compare with, within slack": {counts(100, 1), unknown, health.Pass},
		"nothing to compare with, beyond slack": {counts(100, 2), unknown, health.Fail},
		"the old version was idle":              {counts(100, 2), counts(0, 0), health.Fail},
		"better than before":                    {counts(100, 0), counts(100, 50), health.Pass},
		"all fail, as half of them did before":  {counts(100, 100), counts(100, 50), health.Pass},
		"all fail, where few did before":        {counts(100, 100), counts(100, 5), health.Fail},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := usual.Judge(test.fresh, test.old)
			assert.Equal(t, test.want, got.Verdict)
			assert.NotEmpty(t, got.Because)
			assert.Equal(t, health.Tally(test.fresh), got.New)
			assert.Equal(t, health.Tally(test.old), got.Old)
			assert.Equal(t, got, usual.Judge(test.fresh, test.old), "the same counts give the same verdict")
		})
	}
}

func TestAFindingSaysWhy(t *testing.T) {
	assert.Equal(t, "4.00 % of 100 requests failed, 1.00 % of 200 on the old version, limit 3.00 %",
		usual.Judge(counts(100, 4), counts(200, 2)).Because)
	assert.Equal(t, "50.00 % of 4 requests failed, 0.00 % of 0 on the old version, limit 1.00 %; 50 requests are needed",
		usual.Judge(counts(4, 2), health.Counts{}).Because)
}

func TestMoreErrorsNeverMakeAVersionBetter(t *testing.T) {
	for old := range 20 {
		failed := false
		for errors := range 101 {
			verdict := usual.Judge(counts(100, float64(errors)), counts(100, float64(old))).Verdict
			if failed {
				assert.Equal(t, health.Fail, verdict, "%d errors, %d on the old version", errors, old)
			}
			failed = failed || verdict == health.Fail
		}
		assert.True(t, failed, "no version is so bad that everything passes beside it")
	}
}
