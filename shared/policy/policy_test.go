package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
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

// judged says what the watch found, and how long ago it last spoke against the
// new version, and for a common cause; 0 is never.
func judged(v health.Verdict, doubted, shared time.Duration) func(*policy.Facts) {
	return func(f *policy.Facts) {
		f.Judged = policy.Judged{Verdict: v, Because: "9 of 10 requests failed"}
		if doubted > 0 {
			f.Judged.Doubted = noon.Add(-doubted)
		}
		if shared > 0 {
			f.Judged.Shared = noon.Add(-shared)
		}
	}
}

// red is what the red alarm of the facts says.
const red = "alarm errors is red since 11:59:00, after traffic began to shift at 11:57:00"

func kept(quarantine, held string) func(*policy.Facts) {
	return func(f *policy.Facts) { f.Quarantine, f.Held = quarantine, held }
}

func green(f *policy.Facts) { f.Alarms = nil }

func TestDecide(t *testing.T) {
	p := policy.Policy{Bake: 30 * time.Minute, Grace: 20 * time.Minute, Max: 2, Window: 24 * time.Hour}
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
		"what a deployment without traffic left behind is mended": {facts(func(f *policy.Facts) {
			f.Deployment.Shifted, f.Left = time.Time{}, "a listener is on the wrong target group"
		}), policy.Decision{
			Verb: policy.Mend, Rule: "left-behind", Because: "no traffic has reached the new revision, but a listener is on the wrong target group",
		}},
		"too long ago": {facts(shifted(2*time.Hour), ended(deploy.Failed, 51*time.Minute)), policy.Decision{
			Verb: policy.Nothing, Rule: "too-old", Because: "ended more than 50m ago",
		}},
		"red before traffic shifted": {facts(shifted(30 * time.Second)), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet",
			Because: "alarm errors is red since 11:59:00, by what was before traffic began to shift or after the bake: no evidence against this deployment",
		}},
		"red after the bake": {facts(shifted(2*time.Hour), ended(deploy.Succeeded, 40*time.Minute)), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet",
			Because: "alarm errors is red since 11:59:00, by what was before traffic began to shift or after the bake: no evidence against this deployment",
		}},
		"nothing wrong": {facts(green), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet", Because: "nothing speaks against the deployment",
		}},
		"nothing wrong, and no way back either": {facts(green, func(f *policy.Facts) { f.Good = "" }), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet", Because: "nothing speaks against the deployment",
		}},
		"no way back": {facts(func(f *policy.Facts) { f.Good = "" }), policy.Decision{
			Verb: policy.Hold, Rule: "no-way-back", Because: red + ", and no other revision is known to be good and ready",
		}},
		"the error rates are enough": {facts(green, judged(health.Fail, 0, 0)), policy.Decision{
			Verb: policy.Rollback, Rule: "verdict", Because: "9 of 10 requests failed",
		}},
		"the error rates in the bake": {facts(green, judged(health.Fail, 0, 0), shifted(40*time.Minute), ended(deploy.Succeeded, 10*time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "verdict", Because: "9 of 10 requests failed",
		}},
		"what could not be judged is no reason": {facts(green, judged(health.NoData, 0, 0)), policy.Decision{
			Verb: policy.Nothing, Rule: "quiet", Because: "nothing speaks against the deployment",
		}},
		"the error rates agree with an alarm": {facts(judged(health.Inconclusive, 30*time.Second, 0)), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm-confirmed", Because: "alarm errors is red since 11:59:00, and the error rates agree: 9 of 10 requests failed",
		}},
		"they did long before the alarm": {facts(judged(health.Inconclusive, 3*time.Minute, 0)), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm", Because: "alarm errors is red since 11:59:00, after traffic began to shift at 11:57:00",
		}},
		"both versions suffer alike": {facts(judged(health.Inconclusive, 0, 30*time.Second)), policy.Decision{
			Verb: policy.Nothing, Rule: "vetoed", Because: "alarm errors is red since 11:59:00, but both versions suffer alike: 9 of 10 requests failed",
		}},
		"both did when the alarm turned red, and it still is": {
			facts(shifted(40*time.Minute), ended(deploy.Succeeded, 2*time.Minute), judged(health.Inconclusive, 0, 100*time.Second)), policy.Decision{
				Verb: policy.Nothing, Rule: "vetoed", Because: "alarm errors is red since 11:59:00, but both versions suffer alike: 9 of 10 requests failed",
			},
		},
		"both did long before the alarm": {facts(judged(health.Inconclusive, 0, 3*time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm", Because: "alarm errors is red since 11:59:00, after traffic began to shift at 11:57:00",
		}},
		"both did, and now the new one is worse": {facts(judged(health.Inconclusive, 10*time.Second, 30*time.Second)), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm-confirmed", Because: "alarm errors is red since 11:59:00, and the error rates agree: 9 of 10 requests failed",
		}},
		"another alarm is not vetoed": {facts(judged(health.Inconclusive, 0, 160*time.Second), func(f *policy.Facts) {
			f.Alarms[0].Red, f.Alarms[0].Since = true, noon.Add(-2*time.Minute)
		}), policy.Decision{
			Verb: policy.Rollback, Rule: "alarm", Because: "alarm errors is red since 11:59:00, after traffic began to shift at 11:57:00",
		}},
		"a veto is no pardon for a failed deployment": {facts(judged(health.Inconclusive, 0, 30*time.Second), ended(deploy.Failed, time.Minute)), policy.Decision{
			Verb: policy.Rollback, Rule: "ended-badly", Because: "the deployment ended Failed (MANUAL_STOP) after traffic began to shift",
		}},
		"rolled back too often": {facts(func(f *policy.Facts) { f.Rollbacks = 2 }), policy.Decision{
			Verb: policy.Hold, Rule: "halted", Because: red + ", and the target was rolled back 2 times in 24h already",
		}},
		"a human has let it through": {facts(func(f *policy.Facts) { f.Overridden = "it is right" }), policy.Decision{
			Verb: policy.Nothing, Rule: "overridden", Because: "a human has let it through: it is right",
		}},
		"a one-way door": {facts(func(f *policy.Facts) { f.OneWay = "drops a column" }), policy.Decision{
			Verb: policy.Hold, Rule: "one-way-door", Because: red + ", and it may not be rolled back: drops a column",
		}},
		"the first deployment ever": {facts(func(f *policy.Facts) { f.Good, f.First = "", true }), policy.Decision{
			Verb: policy.Hold, Rule: "first-deployment", Because: red + ", and there is nothing to go back to: nothing was deployed here before",
		}},
		"code that was quarantined before, though nothing is red": {facts(green, kept("bad in the other region", "")), policy.Decision{
			Verb: policy.Rollback, Rule: "quarantined", Because: "its code is quarantined: bad in the other region",
		}},
		"a deployment in spite of a hold": {facts(green, kept("", "freeze"), func(f *policy.Facts) { f.Rollbacks = 9 }), policy.Decision{
			Verb: policy.Rollback, Rule: "held", Because: "the target takes no deployments: freeze",
		}},
		"a deployment in spite of a hold, with no way back": {facts(green, kept("", "freeze"), func(f *policy.Facts) { f.Good = "" }), policy.Decision{
			Verb: policy.Hold, Rule: "no-way-back", Because: "the target takes no deployments: freeze, and no other revision is known to be good and ready",
		}},
		"too many targets at once": {facts(func(f *policy.Facts) { f.Halted = "3 others are being taken back" }), policy.Decision{
			Verb: policy.Hold, Rule: "line-stopped", Because: red + ", and 3 others are being taken back",
		}},
		"trouble in an earlier stage": {facts(green, func(f *policy.Facts) { f.Downstream = "shop/eu took it back" }), policy.Decision{
			Verb: policy.Rollback, Rule: "downstream", Because: "shop/eu took it back",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, p.Decide(tt.facts))
		})
	}
}

func TestAnAlarmTurningRedTheMomentTrafficShiftsIsEvidence(t *testing.T) {
	p := policy.Policy{Bake: 30 * time.Minute, Grace: 20 * time.Minute, Max: 2, Window: 24 * time.Hour}
	assert.Equal(t, policy.Rollback, p.Decide(facts(shifted(time.Minute))).Verb)
	assert.Equal(t, policy.Nothing, p.Decide(facts(shifted(time.Minute-time.Nanosecond))).Verb)
}

func TestAnAlarmSpeaksOfTheTimeOfItsDatapoints(t *testing.T) {
	p := policy.Policy{Bake: 30 * time.Minute, Grace: 20 * time.Minute, Max: 2, Window: 24 * time.Hour}
	tests := map[string]struct {
		since time.Duration // before noon
		data  time.Time
		want  policy.Verb
	}{
		"they ended before the shift, and it is late": {15 * time.Second, noon.Add(-30 * time.Second), policy.Nothing},
		"the newest ended after the shift":            {15 * time.Second, noon.Add(-20 * time.Second), policy.Rollback},
		"nobody knows":                                {15 * time.Second, time.Time{}, policy.Rollback},
		"it has been red since before":                {31 * time.Second, noon.Add(-20 * time.Second), policy.Nothing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts(shifted(30 * time.Second))
			f.Alarms[1].Since, f.Alarms[1].Data = noon.Add(-test.since), test.data
			assert.Equal(t, test.want, p.Decide(f).Verb)
		})
	}
}
