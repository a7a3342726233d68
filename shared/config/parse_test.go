package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/settings"
)

const head = "apiVersion: pullback.dev/v1\n"

func parse(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text))
	require.NoError(t, err)
	return c
}

// full is testdata/full.yaml, which says everything that a file can say.
func full(t *testing.T) config.Config {
	t.Helper()
	text, err := os.ReadFile("testdata/full.yaml")
	require.NoError(t, err)
	return parse(t, string(text))
}

func TestEverythingThatAFileCanSayIsRead(t *testing.T) {
	c := full(t)
	assert.Equal(t, config.Defaults{
		Policy: config.Policy{
			Mode: settings.Observe, Bake: 45 * time.Minute, Grace: 0, Verify: 90 * time.Minute,
			Judge: config.Judge{
				Alpha: 0.001, Rho: 2, Routing: health.PerClient, Phi: 1.5, Guard: 3, WarmUp: time.Minute,
				Latency: true, Logs: false, Strict: true,
			},
			Smoke: `{"ping": true}`, MaxPerTarget: config.Cap{Count: 1, Window: 12 * time.Hour},
			NotReady: config.Refuse, FirstDeployment: config.ScaleToZero, Hold: config.Hold{Next: false},
			RestorePoint: config.RestorePoint{
				Kind: config.Backup, VolumesOf: config.OfNobody, Resources: []string{"arn:aws:dynamodb:eu-west-1:123456789012:table/orders"},
				Vault: "nightly", Role: "arn:aws:iam::123456789012:role/backup", Wait: false,
			},
			HookTimeout: 90 * time.Second,
		},
		MaxPerAccount: config.Cap{Count: 5, Window: 30 * time.Minute},
	}, c.Defaults())
	assert.Equal(t, []config.Entry{
		{
			Target: deploy.Target{Application: "shop", Group: "prod"},
			Alias:  deploy.Alias{Function: "checkout", Name: "live"},
			Alarms: []string{"checkout-errors", "checkout latency"},
			OneWay: []config.OneWay{{Revision: "12", BackTo: "11"}, {Revision: "15"}},
			Changes: config.Changes{
				{Path: "bake", Value: 10 * time.Minute, Line: 31},
				{Path: "judge.rho", Value: 1.25, Line: 33},
				{Path: "restorePoint.kind", Value: config.NoRestorePoint, Line: 34},
			},
		},
		{Target: deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}},
		{Target: deploy.Target{Kind: deploy.KindAlias, Application: "search", Group: "live"}},
		{
			Target: deploy.Target{Kind: deploy.KindScaling, Group: "web"},
			Changes: config.Changes{
				{Path: "restorePoint.kind", Value: config.Snapshots, Line: 38},
				{Path: "restorePoint.resources", Value: []string{"arn:aws:ec2:eu-west-1:123456789012:volume/vol-1"}, Line: 38},
				{Path: "restorePoint.wait", Value: true, Line: 38},
			},
		},
		{
			Target:  deploy.Target{Kind: deploy.KindStage, Application: "release", Group: "prod"},
			Changes: config.Changes{{Path: "smoke", Value: "off", Line: 40}},
		},
	}, c.Entries)
	shop := func(group string) deploy.Target { return deploy.Target{Application: "shop", Group: group} }
	assert.Equal(t, []config.Pipeline{{Name: "release", PullBack: true, Stages: []config.Stage{
		{Name: "test", Members: []config.Member{{Target: shop("test")}}},
		{Name: "eu", Members: []config.Member{{Target: shop("prod")}, {Target: c.Targets()[1]}}},
		{Name: "us", Members: []config.Member{
			{Home: config.Home{Account: "123456789012", Region: "us-east-1"}, Target: shop("prod")},
			{Home: config.Home{Region: "us-west-2"}, Target: shop("prod")},
		}},
	}}}, c.Pipelines)
	assert.Equal(t, []string{"arn:aws:events:us-east-1:123456789012:event-bus/default"}, c.Peers)
}

func TestAFileThatSaysNothingMoreThanItsVersionIsTheDefault(t *testing.T) {
	assert.Equal(t, config.Default(), parse(t, head))
}

// TestWhatIsWrongIsSaidWithItsPlace shows the words that people read.
func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	const shapes = "APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE"
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", `1:1: the file says nothing; the least it can say is apiVersion: pullback.dev/v1`},
		"comments only": {"# bake: 1m\n", `1:1: the file says nothing; the least it can say is apiVersion: pullback.dev/v1`},
		"no version":    {"{}", `1:1: apiVersion is missing: it is pullback.dev/v1`},
		"another version, of which nothing else is said": {
			"apiVersion: pullback.dev/v2\nfoo: 1\n",
			`1:13: apiVersion: "pullback.dev/v2" is not a version that this pullback reads: it reads pullback.dev/v1`,
		},
		"not a version":         {"apiVersion: 1\n", `1:13: apiVersion: "1" is not pullback.dev/v1`},
		"not keys":              {"- a\n", `1:1: this is a list, not keys with values (apiVersion, defaults, targets, pipelines, peers)`},
		"two documents":         {head + "---\na: 1\n", `3:1: a second document begins here; there may be only one`},
		"not UTF-8":             {head + "# \xff\n", `2:1: this line is not UTF-8`},
		"a letter that is none": {head + "a: é\x01\n", `2:5: the character U+0001 cannot be in YAML`},
		"a tab":                 {head + "defaults:\n\tbake: 1m\n", `3:1: a tab: YAML is indented with spaces`},
		"indented wrong":        {head + "defaults:\n  mode: observe\n bake: 1m\n", `4:2: not YAML: value is not allowed in this context`},
		"a bracket too few":     {head + "peers: [\n", `2:8: not YAML: sequence end token ']' not found`},
		"said twice":            {head + "defaults:\n  bake: 1m\n  bake: 2m\n", `4:3: defaults.bake: already said on line 3`},
		"no value":              {head + "defaults:\n", `2:11: defaults: there is no value: give it one, or leave the key out`},
		"an anchor":             {head + "defaults: &a {bake: 1m}\n", `2:11: defaults: anchors, aliases and YAML's own tags are not read: write the value itself`},
		"a merge":               {head + "<<: {a: 1}\n", `2:1: a key must be a plain word; anchors, merges and ? are not read`},
		"misspelt key":          {head + "default:\n  bake: 1m\n", `2:1: default: unknown key; did you mean defaults?`},
		"swapped letters":       {head + "defaults: {baek: 1m}\n", `2:12: defaults.baek: unknown key; did you mean bake?`},
		"wrong case":            {head + "defaults: {hooktimeout: 1m}\n", `2:12: defaults.hooktimeout: unknown key; did you mean hookTimeout?`},
		"key of another one":    {head + "defaults: {alpha: 0.1}\n", `2:12: defaults.alpha: unknown key; did you mean judge.alpha?`},
		"key of nothing":        {head + "defaults: {hold: {everything: true}}\n", `2:19: defaults.hold.everything: unknown key; known here: next`},
		"a limit for the account at a target": {
			head + "targets:\n  - target: a/b\n    policy: {maxPerAccount: {count: 1}}\n",
			`4:14: targets[0].policy.maxPerAccount: unknown key; it is one limit for all targets of the account, and belongs in defaults`,
		},
		"duration without unit": {head + "defaults: {bake: 30}\n", `2:18: defaults.bake: "30" is not a duration such as 30m`},
		"negative duration":     {head + "defaults: {grace: -1m}\n", `2:19: defaults.grace: "-1m" is not a duration such as 30m or 0s`},
		"duration of nothing":   {head + "defaults: {verify: 0s}\n", `2:20: defaults.verify: "0s" is not a duration such as 30m`},
		"endless duration":      {head + "defaults: {bake: 99999999h}\n", `2:18: defaults.bake: "99999999h" is not a duration such as 30m`},
		"longer than a hook may take": {
			head + "defaults: {hookTimeout: 1h}\n",
			`2:25: defaults.hookTimeout: "1h" is not a duration such as 2m, and less than 1h`,
		},
		"none of a few words": {head + "defaults: {mode: on}\n", `2:18: defaults.mode: "on" is not enforce or observe`},
		"out of range":        {head + "defaults: {judge: {alpha: 0.9}}\n", `2:27: defaults.judge.alpha: "0.9" is not a number from 0.000001 to 0.5`},
		"not whole":           {head + "defaults: {judge: {guard: 1.5}}\n", `2:27: defaults.judge.guard: "1.5" is not a whole number from 0 to 12`},
		"octal or not":        {head + "defaults: {judge: {guard: 010}}\n", `2:27: defaults.judge.guard: "010" is not a whole number from 0 to 12`},
		"infinite":            {head + "defaults: {judge: {phi: .inf}}\n", `2:25: defaults.judge.phi: ".inf" is not a number from 1 to 1000`},
		"quoted number":       {head + "defaults: {judge: {rho: \"2\"}}\n", `2:25: defaults.judge.rho: "2" is text, not a number from 1 to 100; leave the quotes out`},
		"old YAML's yes":      {head + "defaults: {judge: {logs: yes}}\n", `2:26: defaults.judge.logs: "yes" is not true or false`},
		"list for keys":       {head + "defaults: {hold: [next]}\n", `2:18: defaults.hold: this is a list, not keys with values (next)`},
		"word for keys":       {head + "defaults: {hold: next}\n", `2:18: defaults.hold: "next" is text, not keys with values (next)`},
		"keys for a word":     {head + "defaults: {smoke: {ping: 1}}\n", `2:19: defaults.smoke: these are keys with values, not JSON or off`},
		"not JSON":            {head + "defaults: {smoke: hello}\n", `2:19: defaults.smoke: "hello" is not JSON or off`},
		"word for a list":     {head + "targets: shop/prod\n", `2:10: targets: "shop/prod" is text, not a list: begin each entry with a dash`},
		"target in short":     {head + "targets:\n  - shop/prod\n", `3:5: targets[0]: "shop/prod" is text, not keys with values (target, alias, alarms, oneWay, policy)`},
		"no target":           {head + "targets:\n  - alarms: [a]\n", `3:5: targets[0]: target is missing: it is ` + shapes},
		"not a target":        {head + "targets:\n  - target: k8s:a/b\n", `3:13: targets[0].target: "k8s:a/b" is not ` + shapes},
		"target twice":        {head + "targets:\n  - target: a/b\n  - target: a/b\n", `4:13: targets[1].target: a/b is already on line 3`},
		"alias of another kind": {
			head + "targets:\n  - target: asg:web\n    alias: a:b\n",
			`4:12: targets[0].alias: only a deployment group (APPLICATION/GROUP) needs to be told its alias; asg:web is none`,
		},
		"alias without function": {head + "targets: [{target: a/b, alias: live}]\n", `2:32: targets[0].alias: "live" is not FUNCTION:ALIAS`},
		"alarm twice":            {head + "targets: [{target: a/b, alarms: [x, x]}]\n", `2:37: targets[0].alarms[1]: already said on line 2`},
		"revision as a number": {
			head + "targets: [{target: a/b, oneWay: [{revision: 12}]}]\n",
			`2:45: targets[0].oneWay[0].revision: 12 is a number, not text; put it in quotes, if it is a revision, such as the version "12" of a function or web:12 of a task definition`,
		},
		"revision twice": {
			head + "targets: [{target: a/b, oneWay: [{revision: a}, {revision: a}]}]\n",
			`2:60: targets[0].oneWay[1].revision: a is already on line 2`,
		},
		"pipeline twice": {
			head + "pipelines:\n  - {name: r, stages: [{name: a, targets: [a/b]}]}\n  - {name: r, stages: [{name: a, targets: [a/b]}]}\n",
			`4:12: pipelines[1].name: r is already on line 3`,
		},
		"stage twice": {
			head + "pipelines: [{name: r, stages: [{name: a, targets: [a/b]}, {name: a, targets: [a/c]}]}]\n",
			`2:66: pipelines[0].stages[1].name: a is already on line 2`,
		},
		"target in two stages": {
			head + "pipelines: [{name: r, stages: [{name: a, targets: [a/b]}, {name: b, targets: [a/b]}]}]\n",
			`2:79: pipelines[0].stages[1].targets[0]: a/b is already on line 2`,
		},
		"target elsewhere in two stages": {
			head + "pipelines: [{name: r, stages: [{name: a, targets: [{region: eu-west-1, target: a/b}, {region: eu-west-1, target: a/b}]}]}]\n",
			`2:86: pipelines[0].stages[0].targets[1]: a/b in eu-west-1 is already on line 2`,
		},
		"stage of nothing": {head + "pipelines: [{name: r, stages: [{name: a, targets: []}]}]\n", `2:51: pipelines[0].stages[0].targets: the list is empty`},
		"account as a number": {
			head + "pipelines: [{name: r, stages: [{name: a, targets: [{account: 123456789012, target: a/b}]}]}]\n",
			`2:62: pipelines[0].stages[0].targets[0].account: 123456789012 is a number, not text; put it in quotes, if it is an account of 12 digits`,
		},
		"not a region": {
			head + "pipelines: [{name: r, stages: [{name: a, targets: [{region: Ireland, target: a/b}]}]}]\n",
			`2:61: pipelines[0].stages[0].targets[0].region: "Ireland" is not a region such as eu-west-1`,
		},
		"not a bus": {head + "peers: [other]\n", `2:9: peers[0]: "other" is not the ARN of an event bus`},
		"backup to nowhere": {
			head + "defaults:\n  restorePoint: {kind: backup}\n",
			`3:24: defaults.restorePoint.kind: a backup needs restorePoint.vault and restorePoint.role`,
		},
		"backup that is waited for": {
			head + "defaults:\n  restorePoint: {kind: backup, vault: v, role: 'arn:aws:iam::123456789012:role/backup', wait: true}\n",
			`3:24: defaults.restorePoint.kind: restorePoint.wait is for snapshots: a backup job may wait for hours before it begins`,
		},
		"snapshots of a table": {
			head + "defaults:\n  restorePoint: {kind: snapshots, resources: ['arn:aws:dynamodb:eu-west-1:123456789012:table/orders']}\n",
			`3:24: defaults.restorePoint.kind: snapshots are of EBS volumes, which arn:aws:dynamodb:eu-west-1:123456789012:table/orders is not: take kind backup`,
		},
		"snapshots of nothing": {
			head + "defaults: {restorePoint: {volumesOf: none}}\ntargets: [{target: a/b, policy: {restorePoint: {kind: snapshots}}}]\n",
			`3:55: targets[0].policy.restorePoint.kind: there is nothing to keep: set restorePoint.volumesOf to instances, or name restorePoint.resources`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(c.text))
			assert.EqualError(t, err, "pullback.yaml:"+c.want)
		})
	}
}

func TestEverythingThatIsWrongIsReportedTogetherInTheOrderOfTheFile(t *testing.T) {
	_, err := config.Parse([]byte(head + "targets:\n  - target: shop\n    policy:\n      bake: 1\n      mode: enforce\n      mode: observe\npeers: x\ndefaults: {modes: 1}\n"))
	wrong := &config.Error{}
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, []config.Problem{
		{Line: 3, Column: 13, Path: "targets[0].target", Message: `"shop" is not APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE`},
		{Line: 5, Column: 13, Path: "targets[0].policy.bake", Message: `"1" is not a duration such as 30m`},
		{Line: 7, Column: 7, Path: "targets[0].policy.mode", Message: "already said on line 6"},
		{Line: 8, Column: 8, Path: "peers", Message: `"x" is text, not a list: begin each entry with a dash`},
		{Line: 9, Column: 12, Path: "defaults.modes", Message: "unknown key; did you mean mode?"},
	}, wrong.Problems)
}

func TestAnErrorNamesTheFileThatItWasToldOf(t *testing.T) {
	err := config.Error{File: "infra/prod.yaml", Problems: []config.Problem{{Line: 2, Column: 3, Message: "no"}}}
	assert.Equal(t, "infra/prod.yaml:2:3: no", err.Error())
}

func TestAFileThatNoParameterCanHoldIsRefused(t *testing.T) {
	most := head + "#" + strings.Repeat("x", config.Most-len(head)-1)
	require.Len(t, most, config.Most)
	parse(t, most)
	_, err := config.Parse([]byte(most + "x"))
	assert.EqualError(t, err, "pullback.yaml:1:1: the file has 8193 bytes; a parameter holds 8192 at most: give many targets one policy in defaults, or configure them by tags")
}

func TestLinesMayEndAsOnWindows(t *testing.T) {
	text, err := os.ReadFile("testdata/full.yaml")
	require.NoError(t, err)
	assert.Equal(t, full(t), parse(t, strings.ReplaceAll(string(text), "\n", "\r\n")))
}
