package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/settings"
)

func target(t *testing.T, s string) deploy.Target {
	t.Helper()
	made, err := deploy.ParseTarget(s)
	require.NoError(t, err)
	return made
}

// changed returns the default policy with a change.
func changed(change func(*config.Policy)) config.Policy {
	p := config.Default().Base.Policy
	change(&p)
	return p
}

func TestATagIsStrongerThanTheTargetThanTheDefaultsThanTheSettings(t *testing.T) {
	s := settings.Default()
	s.Bake, s.Verify, s.MaxPerDay, s.Mode = 11*time.Minute, 12*time.Minute, 7, settings.Observe
	c := parse(t, head+`
defaults: {bake: 21m, verify: 22m, grace: 23m}
targets:
  - target: shop/prod
    policy: {bake: 31m, grace: 33m}
`).On(config.Base(s))
	p, err := c.For(target(t, "shop/prod"), map[string]string{"pullback:bake": "41m", "pullback:enabled": "true", "team": "checkout"})
	require.NoError(t, err)
	assert.Equal(t, changed(func(p *config.Policy) {
		p.Bake, p.Grace, p.Verify, p.MaxPerTarget.Count, p.Mode = 41*time.Minute, 33*time.Minute, 22*time.Minute, 7, settings.Observe
	}), p)

	p, err = c.For(target(t, "shop/test"), nil)
	require.NoError(t, err)
	assert.Equal(t, changed(func(p *config.Policy) {
		p.Bake, p.Grace, p.Verify, p.MaxPerTarget.Count, p.Mode = 21*time.Minute, 23*time.Minute, 22*time.Minute, 7, settings.Observe
	}), p)
}

func TestTheSettingsSayTheDefaults(t *testing.T) {
	s := settings.Default()
	b := config.Default().Base
	assert.Equal(t, settings.Settings{
		Mode: b.Mode, Bake: b.Bake, Verify: b.Verify, HookReserve: s.HookReserve, MaxPerDay: b.MaxPerTarget.Count,
		Strict: b.Judge.Strict, SmokePayload: b.Smoke, Alpha: b.Judge.Alpha, Rho: b.Judge.Rho, Routing: b.Judge.Routing,
		Phi: b.Judge.Phi, Guard: b.Judge.Guard, WarmUp: b.Judge.WarmUp, Latency: b.Judge.Latency, Logs: b.Judge.Logs,
	}, s)
	assert.Equal(t, 24*time.Hour, b.MaxPerTarget.Window)
}

// TestSettingsAndTagsHaveTheSameLimits reads each value both ways.
func TestSettingsAndTagsHaveTheSameLimits(t *testing.T) {
	for _, c := range []struct {
		variable, tag string
		values        []string
	}{
		{"PULLBACK_MODE", "mode", []string{"enforce", "observe", "on"}},
		{"PULLBACK_BAKE", "bake", []string{"1ms", "30m", "1h30m", "0s", "-1m", "30"}},
		{"PULLBACK_VERIFY", "verify", []string{"10m", "0s", "x"}},
		{"PULLBACK_MAX_PER_DAY", "maxPerTarget.count", []string{"1", "1000", "0", "-1", "1.5", "x"}},
		{"PULLBACK_STRICT", "judge.strict", []string{"true", "false", "yes"}},
		{"PULLBACK_ALPHA", "judge.alpha", []string{"0.000001", "1e-6", "0.5", "0.51", "0.0000001", "NaN", "x"}},
		{"PULLBACK_RHO", "judge.rho", []string{"1", "100", "0.99", "100.1", "Inf"}},
		{"PULLBACK_ROUTING", "judge.routing", []string{"request", "sticky", "client"}},
		{"PULLBACK_PHI", "judge.phi", []string{"1", "1000", "0.9", "1001"}},
		{"PULLBACK_GUARD", "judge.guard", []string{"0", "12", "-1", "13", "1.5"}},
		{"PULLBACK_WARM_UP", "judge.warmUp", []string{"0s", "1m", "-1s"}},
		{"PULLBACK_LATENCY", "judge.latency", []string{"true", "2"}},
		{"PULLBACK_LOGS", "judge.logs", []string{"false", "off"}},
		{"PULLBACK_SMOKE_PAYLOAD", "smoke", []string{"off", "{}", `{"a":1}`, "7", "hello", "{"}},
	} {
		for _, v := range c.values {
			env := settings.Default()
			env.Account, env.Table, env.Signals, env.Rollbacks, env.Watch = "1", "t", "s", "r", "w"
			vars := env.Env()
			vars[c.variable] = v
			loaded, bySetting := settings.Load(func(name string) string { return vars[name] })
			p, byTag := config.Default().For(deploy.Target{Application: "a", Group: "b"}, map[string]string{"pullback:" + c.tag: v})
			if bySetting != nil {
				require.Error(t, byTag, "%s=%s", c.tag, v)
				continue
			}
			require.NoError(t, byTag, "%s=%s", c.tag, v)
			assert.Equal(t, config.Base(loaded).Policy, p, "%s=%s", c.tag, v)
		}
	}
}

func TestEveryTagMaySayTheDefault(t *testing.T) {
	tags := map[string]string{}
	for _, tag := range config.Tags() {
		if strings.HasPrefix(tag.Name, "pullback:restorePoint.") && tag.Default == `""` {
			continue // a vault and a role have none
		}
		tags[tag.Name] = tag.Default
	}
	assert.Len(t, tags, 23)
	p, err := config.Default().For(deploy.Target{Application: "a", Group: "b"}, tags)
	require.NoError(t, err)
	assert.Equal(t, config.Default().Base.Policy, p)
}

func TestAWrongTagLeavesThePolicyWithoutTagsAndSaysWhatMendsIt(t *testing.T) {
	c := parse(t, head+"defaults: {bake: 20m}\n").At(config.Home{Account: "123456789012", Region: "eu-west-1"})
	p, err := c.For(target(t, "shop/prod"), map[string]string{
		"pullback:bake": "1", "pullback:smoke": "{", "pullback:verfiy": "5m", "pullback:grace": "1m", "pullback:alarms": "a b",
	})
	assert.Equal(t, changed(func(p *config.Policy) { p.Bake = 20 * time.Minute }), p)
	const arn = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:shop/prod"
	require.EqualError(t, err, `tag pullback:bake="1" of shop/prod: "1" is not a duration such as 30m; mend it with: aws deploy tag-resource --resource-arn `+arn+` --tags Key=pullback:bake,Value=20m
tag pullback:smoke="{" of shop/prod: "{" is not JSON or off; mend it with: aws deploy tag-resource --resource-arn `+arn+` --tags Key=pullback:smoke,Value=off
tag pullback:verfiy="5m" of shop/prod: there is no such tag; did you mean verify?; mend it with: aws deploy untag-resource --resource-arn `+arn+` --tag-keys pullback:verfiy`)
	wrong := &config.TagError{}
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "pullback:bake", wrong.Tag)
}

func TestATagOfAFunctionOrAPipelineMayBeForOneAliasOrStage(t *testing.T) {
	tags := map[string]string{
		"pullback:bake": "10m", "pullback:bake:live": "20m", "pullback:verify:test": "?", "pullback:aliases": "live test", "pullback:alarms:live": "a",
	}
	for name, want := range map[string]time.Duration{"alias:search/live": 20 * time.Minute, "pipeline:search/live": 20 * time.Minute, "alias:search/beta": 10 * time.Minute} {
		p, err := config.Default().For(target(t, name), tags)
		require.NoError(t, err, name)
		assert.Equal(t, changed(func(p *config.Policy) { p.Bake = want }), p, name)
	}
	_, err := config.Default().For(target(t, "alias:search/test"), tags)
	require.ErrorContains(t, err, `tag pullback:verify:test="?" of alias:search/test: "?" is not a duration such as 30m`)
	for _, name := range []string{"judge", "judge.alpha.x", "restorePoint.resources", ""} {
		_, err = config.Default().For(target(t, "ecs:main/live"), map[string]string{"pullback:" + name: "x"})
		require.ErrorContains(t, err, "there is no such tag", name)
	}
	_, err = config.Default().For(target(t, "ecs:main/live"), map[string]string{"pullback:bake:live": "20m"})
	assert.ErrorContains(t, err, `tag pullback:bake:live="20m" of ecs:main/live: there is no such tag;`)
}

func TestATagCannotAskForABackupToNowhere(t *testing.T) {
	_, err := config.Default().For(target(t, "asg:web"), map[string]string{"pullback:restorePoint.kind": "backup"})
	assert.EqualError(t, err, `tag pullback:restorePoint.kind="backup" of asg:web: a backup needs restorePoint.vault and restorePoint.role; mend it with: `+
		`aws autoscaling delete-tags --tags ResourceId=web,ResourceType=auto-scaling-group,Key=pullback:restorePoint.kind`)
}

func TestTheCommandThatMendsATagIsThatOfItsService(t *testing.T) {
	for name, want := range map[string][2]string{
		"shop/prod": {
			"aws deploy tag-resource --resource-arn arn:aws-cn:codedeploy:cn-north-1:1:deploymentgroup:shop/prod --tags Key=pullback:mode,Value=enforce",
			"aws deploy untag-resource --resource-arn arn:aws-cn:codedeploy:cn-north-1:1:deploymentgroup:shop/prod --tag-keys pullback:x",
		},
		"alias:search/live": {
			"aws lambda tag-resource --resource arn:aws-cn:lambda:cn-north-1:1:function:search --tags pullback:mode=enforce",
			"aws lambda untag-resource --resource arn:aws-cn:lambda:cn-north-1:1:function:search --tag-keys pullback:x",
		},
		"ecs:main/web": {
			"aws ecs tag-resource --resource-arn arn:aws-cn:ecs:cn-north-1:1:service/main/web --tags key=pullback:mode,value=enforce",
			"aws ecs untag-resource --resource-arn arn:aws-cn:ecs:cn-north-1:1:service/main/web --tag-keys pullback:x",
		},
		"asg:web": {
			"aws autoscaling create-or-update-tags --tags ResourceId=web,ResourceType=auto-scaling-group,Key=pullback:mode,Value=enforce,PropagateAtLaunch=false",
			"aws autoscaling delete-tags --tags ResourceId=web,ResourceType=auto-scaling-group,Key=pullback:x",
		},
		"pipeline:release/prod": {
			"aws codepipeline tag-resource --resource-arn arn:aws-cn:codepipeline:cn-north-1:1:release --tags key=pullback:mode,value=enforce",
			"aws codepipeline untag-resource --resource-arn arn:aws-cn:codepipeline:cn-north-1:1:release --tag-keys pullback:x",
		},
	} {
		c := config.Default().At(config.Home{Account: "1", Region: "cn-north-1"})
		var got [2]string
		for i, tag := range []string{"pullback:mode", "pullback:x"} {
			_, err := c.For(target(t, name), map[string]string{tag: "?"})
			wrong := &config.TagError{}
			require.ErrorAs(t, err, &wrong)
			got[i] = wrong.Mend
		}
		assert.Equal(t, want, got, name)
	}
}

func TestTheHashIsOfWhatTheFileMeans(t *testing.T) {
	a := parse(t, head+`
# a comment
defaults: {bake: 30m, mode: observe}
targets:
  - {target: a/b, alarms: [x, y], policy: {verify: 5m}}
  - {target: a/c}
pipelines: [{name: r, stages: [{name: one, targets: [a/b]}, {name: two, targets: [a/c]}]}]
`)
	same := parse(t, `
pipelines:
- stages:
  - targets: [a/b]
    name: one
  - {name: two, targets: [{target: a/c}]}
  name: r
targets:
- target: "a/c"
- policy: {verify: 300s, mode: observe}
  alarms: [y, x]
  target: a/b
defaults:
  mode: "observe"
apiVersion: pullback.dev/v1
`)
	assert.Equal(t, a.Hash(), same.Hash())
	for name, other := range map[string]string{
		"another default":   "defaults: {mode: observe, bake: 31m}\ntargets: [{target: a/b}]\n",
		"another policy":    "defaults: {mode: observe}\ntargets: [{target: a/b, policy: {bake: 31m}}]\n",
		"another alarm":     "defaults: {mode: observe}\ntargets: [{target: a/b, alarms: [x]}]\n",
		"another peer":      "defaults: {mode: observe}\ntargets: [{target: a/b}]\npeers: [arn:aws:events:us-east-1:123456789012:event-bus/default]\n",
		"another stage":     "defaults: {mode: observe}\ntargets: [{target: a/b}]\npipelines: [{name: r, stages: [{name: one, targets: [a/b]}]}]\n",
		"a one-way door":    "defaults: {mode: observe}\ntargets: [{target: a/b, oneWay: [{revision: x}]}]\n",
		"the account's cap": "defaults: {mode: observe, maxPerAccount: {count: 4}}\ntargets: [{target: a/b}]\n",
	} {
		assert.NotEqual(t, parse(t, head+"defaults: {mode: observe}\ntargets: [{target: a/b}]\n").Hash(), parse(t, head+other).Hash(), name)
	}
}

// TestTheHashOfTheDefaultIsStored would fail if what is stored with decisions
// were made of something else than before.
func TestTheHashOfTheDefaultIsStored(t *testing.T) {
	assert.Equal(t, "3a3a6ef4420dcd06e036d3772c4b40f9fee3bbc15e829db5bbacbdb7b359aa65", config.Default().Hash())
}

func TestStagesBeforeAndAfterATarget(t *testing.T) {
	c := full(t).At(config.Home{Account: "210987654321", Region: "us-west-2"})
	prod := target(t, "shop/prod")
	at := func(account, region string) config.Member {
		return config.Member{Home: config.Home{Account: account, Region: region}, Target: prod}
	}
	us := config.Stage{Name: "us", Members: []config.Member{at("123456789012", "us-east-1"), at("210987654321", "us-west-2")}}

	// Here, us-west-2, is also what the stage eu means: the file was written in Europe.
	positions := c.Positions(c.Here(prod))
	require.Len(t, positions, 2)
	assert.Equal(t, []int{1, 2}, []int{positions[0].Stage, positions[1].Stage})
	assert.Equal(t, []config.Stage{us}, positions[0].After())
	assert.Equal(t, []string{"test", "eu"}, []string{positions[1].Before()[0].Name, positions[1].Before()[1].Name})
	assert.Empty(t, positions[1].After())

	other := c.Positions(at("123456789012", "us-east-1"))
	require.Len(t, other, 1)
	assert.Equal(t, 2, other[0].Stage)
	assert.False(t, c.IsHere(at("123456789012", "us-east-1")))
	assert.True(t, c.IsHere(us.Members[1]))
	assert.True(t, c.IsHere(config.Member{Target: prod}))
	assert.Equal(t, []config.Stage{us}, c.Next(target(t, "ecs:main/web")))
	assert.Empty(t, c.Next(target(t, "asg:web")))
}

func TestATargetInTwoPipelinesHasTwoNextStages(t *testing.T) {
	c := parse(t, head+`
pipelines:
  - {name: one, stages: [{name: a, targets: [s/a]}, {name: b, targets: [s/b]}, {name: c, targets: [s/c]}]}
  - {name: two, stages: [{name: a, targets: [s/a]}, {name: d, targets: [s/d]}]}
`)
	var names []string
	for _, s := range c.Next(target(t, "s/a")) {
		names = append(names, s.Name)
	}
	assert.Equal(t, []string{"b", "d"}, names)
}

// crowd is a configuration with as many targets as fit.
func crowd(b *testing.B) config.Config {
	b.Helper()
	text := head + "defaults: {bake: 20m, verify: 5m}\ntargets:\n"
	for i := 0; ; i++ {
		line := fmt.Sprintf("- {target: application/group%d, policy: {mode: observe}}\n", i)
		if len(text)+len(line) > config.Most {
			break
		}
		text += line
	}
	c, err := config.Parse([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkFor(b *testing.B) {
	c := crowd(b)
	for b.Loop() {
		if _, err := c.For(c.Entries[50].Target, map[string]string{"pullback:enabled": "true", "pullback:verify": "5m"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	c := crowd(b)
	for b.Loop() {
		c.Hash()
	}
}

func TestOneListOfPeersServesTheWholeFleetBecauseEachLeavesItselfOut(t *testing.T) {
	bus := func(region string) string { return "arn:aws:events:" + region + ":123456789012:event-bus/pullback" }
	c := config.Config{Peers: []string{bus("eu-west-1"), bus("us-east-1")}}
	assert.Equal(t, []string{bus("us-east-1")}, c.At(config.Home{Account: "123456789012", Region: "eu-west-1"}).Elsewhere())
	assert.Equal(t, c.Peers, c.At(config.Home{Account: "210987654321", Region: "eu-west-1"}).Elsewhere())
	assert.Equal(t, []string{bus("eu-west-1"), bus("us-east-1")}, c.Peers, "what the file says is as it was")
}
