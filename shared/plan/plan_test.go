package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	limits = plan.Limits{Verify: 10 * time.Minute, Patience: time.Hour, Notice: 30 * time.Second}
	place  = deploy.Place{Platform: deploy.OnLambda, Alias: deploy.Alias{Function: "shop", Name: "live"}}
)

// situation returns a canary of version 2 under way, just decided against,
// with the given changes.
func situation(changes ...func(*plan.Situation)) plan.Situation {
	s := plan.Situation{
		Now: noon,
		Incident: ledger.Incident{
			ID: "i-0a1b2c3d4e5f", Deployment: "d-2", Alias: deploy.Alias{Function: "shop", Name: "live"}, Bad: "2", Good: "1",
			Phase: ledger.Open, Opened: noon,
		},
		Bad:  deploy.Deployment{ID: "d-2", Status: deploy.InProgress, From: "1", To: "2", Created: noon.Add(-3 * time.Minute)},
		Live: deploy.Live{Place: place, Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func phase(p ledger.Phase) func(*plan.Situation) {
	return func(s *plan.Situation) { s.Incident.Phase = p }
}

func bad(status deploy.Status, ago time.Duration) func(*plan.Situation) {
	return func(s *plan.Situation) { s.Bad.Status, s.Bad.Ended = status, noon.Add(-ago) }
}

func automatic() func(*plan.Situation) {
	return func(s *plan.Situation) { s.Bad.Automatic = true }
}

func rollback(status deploy.Status, description string) func(*plan.Situation) {
	return func(s *plan.Situation) {
		s.Rollback = &deploy.Deployment{ID: "d-3", Status: status, Description: description, RollsBack: "d-2"}
	}
}

func behind(s *plan.Situation) {
	s.Behind = &deploy.Deployment{ID: "d-5", Target: deploy.Target{Application: "shop", Group: "live"}, Status: deploy.InProgress}
}

func stuck(s *plan.Situation) { s.Live.Stuck = "shop:live serves two versions" }

// server makes the target one of servers, whose rollback deployments have failed.
func server(failures int) func(*plan.Situation) {
	return func(s *plan.Situation) {
		s.Incident.Alias, s.Incident.Platform, s.Incident.Target = deploy.Alias{}, deploy.OnServer, deploy.Target{Application: "shop", Group: "live"}
		s.Live = deploy.Live{Place: s.Incident.Place(), Version: "s3://b/2"}
		s.Failures = failures
	}
}

func terminating(s *plan.Situation) { s.Rollback.Terminating = true }

func red(settled time.Duration) func(*plan.Situation) {
	return func(s *plan.Situation) {
		s.Red = "errors"
		if settled > 0 {
			s.Incident.Settled = noon.Add(-settled)
		}
	}
}

func serves(r deploy.Revision) func(*plan.Situation) {
	return func(s *plan.Situation) { s.Live = deploy.Live{Place: place, Version: r} }
}

func TestNextTakesTheOneStepThatIsRightNow(t *testing.T) {
	const ours = "pullback:i-0a1b2c3d4e5f:1"
	for name, tt := range map[string]struct {
		s    plan.Situation
		want plan.Step
	}{
		"a running deployment is stopped":                                 {situation(), plan.Step{Verb: plan.Stop, Because: "d-2 is still running", Phase: ledger.Stopping}},
		"a stop that seems lost is repeated":                              {situation(phase(ledger.Stopping)), plan.Step{Verb: plan.Stop, Because: "d-2 is still running", Phase: ledger.Stopping}},
		"CodeDeploy's own rollback is adopted":                            {situation(func(s *plan.Situation) { s.Bad.RolledBack = "d-3" }), plan.Step{Verb: plan.Wait, Because: "CodeDeploy rolls back by itself with d-3", Phase: ledger.Restoring}},
		"CodeDeploy may take a while to name it":                          {situation(phase(ledger.Stopping), bad(deploy.Stopped, time.Second)), plan.Step{Verb: plan.Wait, Because: "CodeDeploy has not named its rollback deployment yet", Phase: ledger.Stopping}},
		"what CodeDeploy rolls back by itself is not healed in between":   {situation(bad(deploy.Stopped, time.Second), automatic()), plan.Step{Verb: plan.Wait, Because: "CodeDeploy has not named its rollback deployment yet", Phase: ledger.Stopping}},
		"nor deployed a second time":                                      {situation(bad(deploy.Failed, time.Second), automatic(), serves("2")), plan.Step{Verb: plan.Wait, Because: "CodeDeploy has not named its rollback deployment yet", Phase: ledger.Stopping}},
		"but it is not waited for forever":                                {situation(bad(deploy.Failed, time.Minute), automatic(), serves("2")), plan.Step{Verb: plan.Restore, Because: "version 2 serves and version 1 is known good", Phase: ledger.Restoring, Attempt: 1}},
		"a rollback under way is waited for":                              {situation(phase(ledger.Stopping), bad(deploy.Stopped, time.Second), rollback(deploy.InProgress, "")), plan.Step{Verb: plan.Wait, Because: "d-3 is putting the target back", Phase: ledger.Restoring}},
		"the good revision serves alone":                                  {situation(phase(ledger.Restoring), bad(deploy.Stopped, time.Second), rollback(deploy.Succeeded, ""), serves("1")), plan.Step{Verb: plan.Done, Because: "version 1 alone serves shop:live", Phase: ledger.Restored}},
		"but not while a rollback is still under way":                     {situation(phase(ledger.Restoring), bad(deploy.Stopped, time.Second), rollback(deploy.InProgress, ""), serves("1")), plan.Step{Verb: plan.Wait, Because: "d-3 is putting the target back", Phase: ledger.Restoring}},
		"unless that only waits until the bad one's tasks are terminated": {situation(phase(ledger.Restoring), bad(deploy.Stopped, time.Second), rollback(deploy.InProgress, ""), terminating, serves("1")), plan.Step{Verb: plan.Done, Because: "version 1 alone serves shop:live", Phase: ledger.Restored}},
		"which counts only once the good one serves":                      {situation(phase(ledger.Restoring), bad(deploy.Stopped, time.Second), rollback(deploy.InProgress, ""), terminating, serves("2")), plan.Step{Verb: plan.Wait, Because: "d-3 is putting the target back", Phase: ledger.Restoring}},
		"stopped by somebody without rollback":                            {situation(bad(deploy.Stopped, time.Minute), stuck), plan.Step{Verb: plan.Heal, Because: "shop:live serves two versions and no deployment is under way", Phase: ledger.Restoring}},
		"CodeDeploy went back to the wrong one": {situation(phase(ledger.Restoring), bad(deploy.Stopped, time.Minute), rollback(deploy.Succeeded, ""), serves("7")), plan.Step{
			Verb: plan.Restore, Because: "version 7 serves and version 1 is known good", Phase: ledger.Restoring, Attempt: 1,
		}},
		"a finished deployment is redeployed": {situation(bad(deploy.Succeeded, time.Minute), serves("2")), plan.Step{Verb: plan.Restore, Because: "version 2 serves and version 1 is known good", Phase: ledger.Restoring, Attempt: 1}},
		"our redeployment failed":             {situation(phase(ledger.Restoring), bad(deploy.Succeeded, time.Minute), rollback(deploy.Failed, ours), serves("2")), plan.Step{Verb: plan.Heal, Because: "d-3 ended Failed and version 2 serves", Phase: ledger.Restoring}},
		"somebody deployed something newer": {situation(func(s *plan.Situation) {
			s.Newer = &deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Shifted: noon}
		}), plan.Step{
			Verb: plan.Supersede, Because: "d-9 was begun after d-2", Phase: ledger.Superseded,
		}},
		"something newer may yet be refused": {situation(func(s *plan.Situation) { s.Newer = &deploy.Deployment{ID: "d-9", Status: deploy.InProgress} }), plan.Step{
			Verb: plan.Wait, Because: "d-9 was begun after d-2 and has no traffic yet", Phase: ledger.Open,
		}},
		"it has taken too long": {situation(phase(ledger.Restoring), func(s *plan.Situation) { s.Incident.Opened = noon.Add(-11 * time.Minute) }), plan.Step{
			Verb: plan.Escalate, Because: "version 1 does not serve shop:live alone 10m0s after the decision", Phase: ledger.Escalated,
		}},
		"it has taken long and is done": {situation(bad(deploy.Stopped, time.Minute), serves("1"), func(s *plan.Situation) { s.Incident.Opened = noon.Add(-11 * time.Minute) }), plan.Step{
			Verb: plan.Done, Because: "version 1 alone serves shop:live", Phase: ledger.Restored,
		}},
		"a deployment that takes its time is given it": {situation(bad(deploy.Stopped, time.Minute), rollback(deploy.InProgress, ours), func(s *plan.Situation) { s.Incident.Opened = noon.Add(-59 * time.Minute) }), plan.Step{
			Verb: plan.Wait, Because: "d-3 is putting the target back", Phase: ledger.Restoring,
		}},
		"but not for ever": {situation(bad(deploy.Stopped, time.Minute), rollback(deploy.InProgress, ours), func(s *plan.Situation) { s.Incident.Opened = noon.Add(-61 * time.Minute) }), plan.Step{
			Verb: plan.Escalate, Because: "version 1 does not serve shop:live alone 1h0m0s after the decision", Phase: ledger.Escalated,
		}},
		"what only keeps the old tasks a while longer calls nobody": {situation(bad(deploy.Stopped, time.Minute), rollback(deploy.InProgress, ours), serves("1"), func(s *plan.Situation) { s.Incident.Opened = noon.Add(-61 * time.Minute) }), plan.Step{
			Verb: plan.Done, Because: "version 1 alone serves shop:live", Phase: ledger.Restored,
		}},
		"what was red still is": {situation(bad(deploy.Stopped, time.Minute), serves("1"), red(0)), plan.Step{
			Verb: plan.Verify, Because: "version 1 alone serves shop:live, and alarm errors is still red", Phase: ledger.Verifying,
		}},
		"and for a while it may": {situation(bad(deploy.Stopped, time.Minute), serves("1"), red(10*time.Minute)), plan.Step{
			Verb: plan.Verify, Because: "version 1 alone serves shop:live, and alarm errors is still red", Phase: ledger.Verifying,
		}},
		"it does not recover": {situation(bad(deploy.Stopped, time.Minute), serves("1"), red(11*time.Minute)), plan.Step{
			Verb: plan.Escalate, Because: "version 1 alone serves shop:live since 10m0s, and alarm errors is still red: the cause is elsewhere", Phase: ledger.Escalated,
		}},
		"a deployment on servers failed to put it back": {situation(bad(deploy.Failed, time.Minute), rollback(deploy.Failed, ours), server(1)), plan.Step{
			Verb: plan.Restore, Because: "s3://b/2 serves and 1 is known good", Phase: ledger.Restoring, Attempt: 2,
		}},
		"a script of what is to be replaced has blocked one": {situation(bad(deploy.Failed, time.Minute), server(0), func(s *plan.Situation) { s.Bad.FailedIn = "ApplicationStop" }), plan.Step{
			Verb: plan.Restore, Because: "s3://b/2 serves and 1 is known good", Phase: ledger.Restoring, Attempt: 2,
		}},
		"and so did the next": {situation(bad(deploy.Failed, time.Minute), rollback(deploy.Failed, ours), server(2)), plan.Step{
			Verb: plan.Escalate, Because: "2 deployments have failed to put 1 back, the last was d-3", Phase: ledger.Escalated,
		}},
		"what a stage deploys to is being put back by another deployment": {situation(bad(deploy.Stopped, time.Minute), behind), plan.Step{
			Verb: plan.Wait, Because: "d-5 is not over in shop/live, which the stage deploys to", Phase: ledger.Stopping,
		}},
		"which is given its time": {situation(bad(deploy.Stopped, time.Minute), behind, func(s *plan.Situation) { s.Incident.Opened = noon.Add(-59 * time.Minute) }), plan.Step{
			Verb: plan.Wait, Because: "d-5 is not over in shop/live, which the stage deploys to", Phase: ledger.Stopping,
		}},
		"AWS takes it back within the same deployment": {situation(func(s *plan.Situation) { s.Bad.RolledBack = s.Bad.ID }), plan.Step{
			Verb: plan.Wait, Because: "AWS takes d-2 back by itself", Phase: ledger.Restoring,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, limits.Next(tt.s))
		})
	}
}

// Whatever the world looks like, a plan never ends with traffic on the bad
// revision without saying so: only Done claims success, and Done needs the
// good revision alone.
func TestDoneIsClaimedOnlyWhenTheGoodRevisionServesAlone(t *testing.T) {
	statuses := []deploy.Status{deploy.Created, deploy.Queued, deploy.InProgress, deploy.Succeeded, deploy.Failed, deploy.Stopped, "Unheard"}
	lives := []deploy.Live{{Version: "1"}, {Version: "2"}, {Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}}, {Version: "2", Weights: map[deploy.Revision]float64{"1": 0.5}}}
	rollbacks := []*deploy.Deployment{nil, {ID: "d-3", Status: deploy.InProgress}, {ID: "d-3", Status: deploy.Succeeded}, {ID: "d-3", Status: deploy.Failed, Description: "pullback:i-0a1b2c3d4e5f:1"}}
	for _, status := range statuses {
		for _, live := range lives {
			for _, r := range rollbacks {
				s := situation(bad(status, time.Minute))
				s.Live, s.Rollback = live, r
				step := limits.Next(s)
				settled := live.Only("1") && status.Ended() && (r == nil || r.Status.Ended())
				assert.Equal(t, settled, step.Verb == plan.Done, "%s, %+v, %+v: %+v", status, live, r, step)
			}
		}
	}
}
