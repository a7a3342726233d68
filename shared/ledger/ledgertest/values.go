package ledgertest

import (
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// The world of the contract: two targets whose names are made to confuse keys.
//
//nolint:gochecknoglobals // values that nobody writes to
var (
	target = deploy.Target{Application: "shop", Group: "prod"}
	other  = deploy.Target{Application: "shop", Group: "prod#2"}
	// A nanosecond count that neither milliseconds nor float64 seconds hold.
	start = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)
)

// incident returns an incident in which every field has a value.
func incident(d deploy.ID, changes ...func(*ledger.Incident)) ledger.Incident {
	i := ledger.Incident{
		ID: deploy.IncidentOf(target, d), Target: target, Deployment: d,
		Alias: deploy.Alias{Function: "checkout", Name: "live"},
		Bad:   "8", BadDigest: "sha-8", Good: "7",
		Signal: ledger.Signal{Kind: "alarm", ID: "e-1", Text: "alarm checkout-errors: \"ALARM\" <é>", At: start.Add(-time.Second)},
		Rule:   "error-rate", Because: "5.00 % of 100 requests failed",
		Phase: ledger.Open, NextLook: start.Add(time.Minute), Opened: start,
	}
	for _, change := range changes {
		change(&i)
	}
	return i
}

func at(after time.Duration) func(*ledger.Incident) {
	return func(i *ledger.Incident) { i.Opened = start.Add(after) }
}

// record returns a record in which every field has a value that callers set.
func record(changes ...func(*ledger.Record)) ledger.Record {
	r := ledger.Record{
		Target: target, At: start, Function: "rollbacker",
		Incident: deploy.IncidentOf(target, "d-1"), Deployment: "d-1",
		Verb: "rollback", Rule: "error-rate", Because: "5.00 % of 100 requests failed",
		Signal: &ledger.Signal{Kind: "alarm", ID: "e-1", Text: "<b>&", At: start},
		Finding: &health.Finding{
			Verdict: health.Fail, Because: "5.00 %",
			New:  health.Tally{Requests: 100, Errors: 5, Points: 2},
			Old:  health.Tally{Requests: 900, Errors: 0.1, Points: 2},
			From: start.Add(-time.Minute), To: start, Metric: health.Errors, LnE: 12.5, LnVeto: -3.25, Sees: "a doubling",
		},
		Calls: []ledger.Call{{API: "codedeploy:StopDeployment", Args: `{"deploymentId":"d-1"}`, Answer: "Pending"}},
	}
	for _, change := range changes {
		change(&r)
	}
	return r
}
