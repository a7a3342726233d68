package outcome_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/outcome"
)

func TestTheLogsCountsAreHeldAgainstTheMetrics(t *testing.T) {
	minute := func(requests, failed float64) outcome.Settled {
		return outcome.Settled{Version: "2", From: nine, To: nine.Add(time.Minute), Requests: requests, Errors: failed}
	}
	for name, test := range map[string]struct {
		log     [2]int
		settled outcome.Settled
		want    outcome.Agreement
	}{
		"the same":                    {[2]int{100, 10}, minute(100, 10), outcome.Agreement{Compared: true, Trusted: true}},
		"a tenth less":                {[2]int{90, 9}, minute(100, 10), outcome.Agreement{Compared: true, Trusted: true}},
		"more than a tenth less":      {[2]int{89, 9}, minute(100, 10), outcome.Agreement{Compared: true, Because: "the log shows 89 of 100 requests to version 2"}},
		"a few at the edge":           {[2]int{7, 0}, minute(10, 1), outcome.Agreement{Compared: true, Trusted: true}},
		"another alias":               {[2]int{150, 10}, minute(100, 10), outcome.Agreement{Compared: true, Because: "the log shows 150 requests to version 2, 100 of which came through the alias"}},
		"errors that are not written": {[2]int{100, 0}, minute(100, 2), outcome.Agreement{Compared: true, Because: "the log shows none of 2 errors of version 2"}},
		"one error is no proof":       {[2]int{100, 0}, minute(100, 1), outcome.Agreement{Compared: true, Trusted: true}},
		"some errors are not written": {[2]int{100, 6}, minute(100, 10), outcome.Agreement{Compared: true, Because: "the log shows 6 errors of version 2, the metrics show 10"}},
		"errors that were none":       {[2]int{100, 14}, minute(100, 10), outcome.Agreement{Compared: true, Because: "the log shows 14 errors of version 2, the metrics show 10"}},
		"too few requests":            {[2]int{0, 0}, minute(3, 3), outcome.Agreement{Trusted: true}},
		"nothing at all":              {[2]int{0, 0}, minute(50, 0), outcome.Agreement{Compared: true, Because: "the log shows 0 of 50 requests to version 2"}},
		"the metrics show none":       {[2]int{50, 0}, minute(0, 0), outcome.Agreement{Trusted: true}},
	} {
		t.Run(name, func(t *testing.T) {
			counts := []outcome.Count{
				{Version: "2", Slot: nine.Add(-outcome.Width), Requests: 1000, Errors: 1000},
				{Version: "2", Slot: nine, Requests: test.log[0] / 2, Errors: test.log[1] / 2},
				{Version: "1", Slot: nine, Requests: 1000, Errors: 1000},
				{Version: "2", Slot: nine.Add(50 * time.Second), Requests: test.log[0] - test.log[0]/2, Errors: test.log[1] - test.log[1]/2},
				{Version: "2", Slot: nine.Add(time.Minute), Requests: 1000, Errors: 1000},
			}
			assert.Equal(t, test.want, outcome.Reconcile(counts, []outcome.Settled{test.settled}, outcome.DefaultTolerance()))
		})
	}
}

func TestOneVersionThatDiffersIsEnough(t *testing.T) {
	settled := []outcome.Settled{
		{Version: "1", From: nine, To: nine.Add(time.Minute), Requests: 10},
		{Version: "2", From: nine, To: nine.Add(time.Minute), Requests: 10, Errors: 5},
	}
	counts := []outcome.Count{{Version: "1", Slot: nine, Requests: 10}, {Version: "2", Slot: nine, Requests: 10}}
	assert.Equal(t, outcome.Agreement{Compared: true, Because: "the log shows none of 5 errors of version 2"},
		outcome.Reconcile(counts, settled, outcome.DefaultTolerance()))
	assert.Equal(t, outcome.Agreement{Trusted: true}, outcome.Reconcile(counts, nil, outcome.DefaultTolerance()))
}
