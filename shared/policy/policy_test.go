package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/policy"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// facts returns a canary that is 3 minutes into its shift and whose alarm has
// been red for a minute, with the given change.
func facts(changes ...func(*policy.Facts)) policy.Facts {
	f := policy.Facts{
		Now: noon, Enabled: true, Newest: "d-2", Good: "1",
		Deployment: deploy.Deployment{
			ID: "d-2", Target: deploy.Target{Application: "shop", Group: "live"}, Status: deploy.InProgress, Creator: "user",
			From: "1", To: "2", Created: noon.Add(-4 * time.Minute), Shifted: noon.Add(-3 * time.Minute),
		},
		Alarms: []policy.Alarm{{Name: "latency", Since: noon.Add(-time.Hour)}, {Name: "errors", Red: true, Since: noon.Add(-time.Minute)}},
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func ended(s deploy.Status, ago time.Duration) func(*policy.Facts) {
	return func(f *policy.Facts) {
		f.Deployment.Status, f.Deployment.Ended, f.Deployment.Cause = s, noon.Add(-ago), "MANUAL_STOP"
	}
}

func shifted(ago time.Duration) func(*policy.Facts) {
	return func(f *policy.Facts) {
		f.Deployment.Created, f.Deployment.Shifted = noon.Add(-ago-time.Minute), noon.Add(-ago)
	}
}

func green(f *policy.Facts) { f.Alarms = nil }

func TestDecide(t *testing.T) {
	p := policy.Policy{Bake: 30 * time.Minute, Grace: 20 * time.Minute, MaxPerDay: 2}
	for name, tt := range map[string]struct {
		facts policy.Facts
		want  policy.Decision
	}{
		"a red alarm rolls back": {facts(), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm", Because: "alarm errors is red since 11:59:00, after traffic began to shift at 11:57:00",
		}},
		"a red alarm in the bake rolls back": {facts(shifted(40*time.Minute), ended(deploy.Succeeded, 10*time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm", Because: "alarm errors is red since 11:59:00, after traffic began to shift at 11:20:00",
		}},
		"a stopped deployment is taken back": {facts(green, ended(deploy.Stopped, time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "ended-badly", Because: "the deployment ended Stopped (MANUAL_STOP) after traffic began to shift",
		}},
		"a failed deployment is taken back": {facts(green, ended(deploy.Failed, time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "ended-badly", Because: "the deployment ended Failed (MANUAL_STOP) after traffic began to shift",
		}},
		"not opted in": {facts(func(f *policy.Facts) { f.Enabled = false }), policy.Decision{
			Verb: policy.Nothing, Rule: "not-enabled", Because: "the target is not opted in",
		}},
		"CodeDeploy's own rollback": {facts(func(f *policy.Facts) { f.Deployment.Creator = "codeDeployRollback" }), policy.Decision{
			Verb: policy.Nothing, Rule: "is-a-rollback", Because: "a rollback is never rolled back",
		}},
		"our own rollback": {facts(func(f *policy.Facts) { f.Deployment.Description = deploy.Marker("i-1", 1) }), policy.Decision{
			Verb: policy.Nothing, Rule: "is-a-rollback", Because: "a rollback is never rolled back",
		}},
		"a newer deployment has begun": {facts(func(f *policy.Facts) { f.Newest = "d-3" }), policy.Decision{
			Verb: policy.Nothing, Rule: "superseded", Because: "d-3 is newer",
		}},
		"refused before traffic": {facts(ended(deploy.Failed, time.Minute), func(f *policy.Facts) { f.Deployment.Shifted = time.Time{} }), policy.Decision{
			Verb: policy.Nothing, Rule: "nothing-shifted", Because: "no traffic has reached the new revision",
		}},
		"too long ago": {facts(shifted(2*time.Hour), ended(deploy.Failed, 51*time.Minute)), policy.Decision{
			Verb: policy.Nothing, Rule: "too-old", Because: "ended more than 50m0s ago",
		}},
		"red before traffic shifted": {facts(shifted(30 * time.Second)), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet",
			Because: "alarm errors is red since 11:59:00, before traffic began to shift or after the bake: no evidence against this deployment",
		}},
		"red after the bake": {facts(shifted(2*time.Hour), ended(deploy.Succeeded, 40*time.Minute)), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet",
			Because: "alarm errors is red since 11:59:00, before traffic began to shift or after the bake: no evidence against this deployment",
		}},
		"nothing wrong": {facts(green), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet", Because: "nothing speaks against the deployment",
		}},
		"nothing wrong, and no way back either": {facts(green, func(f *policy.Facts) { f.Good = "" }), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet", Because: "nothing speaks against the deployment",
		}},
		"no way back": {facts(func(f *policy.Facts) { f.Good = "" }), policy.Decision{
			Verb: policy.Hold, Rule: "no-way-back", Because: "no other revision is known to be good and ready",
		}},
		"rolled back too often": {facts(func(f *policy.Facts) { f.Rollbacks = 2 }), policy.Decision{
			Verb: policy.Hold, Rule: "halted", Because: "rolled back 2 times in 24 h already",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, p.Decide(tt.facts))
		})
	}
}

func TestAnAlarmTurningRedTheMomentTrafficShiftsIsEvidence(t *testing.T) {
	p := policy.Policy{Bake: 30 * time.Minute, Grace: 20 * time.Minute, MaxPerDay: 2}
	assert.Equal(t, policy.Rollback, p.Decide(facts(shifted(time.Minute))).Verb)
	assert.Equal(t, policy.Nothing, p.Decide(facts(shifted(time.Minute-time.Nanosecond))).Verb)
}
