package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
)

func TestEveryValueOfAPolicySaysWhereItIsFrom(t *testing.T) {
	c := parse(t, head+`defaults: {bake: 20m, verify: 5m, maxPerAccount: {count: 4}}
targets:
  - target: shop/prod
    policy: {bake: 15m, restorePoint: {resources: ["arn:aws:ec2:eu-west-1:123456789012:volume/vol-1"]}}
`)
	all, err := c.Explain(target(t, "shop/prod"), map[string]string{"pullback:judge.rho": "2", "pullback:verify": "6m"})
	require.NoError(t, err)
	assert.Equal(t, []config.Value{
		{Name: "mode", Text: "enforce", From: config.FromDefault},
		{Name: "bake", Text: "15m", From: config.FromFile, Line: 5},
		{Name: "grace", Text: "20m", From: config.FromDefault},
		{Name: "verify", Text: "6m", From: config.FromTag},
		{Name: "judge.alpha", Text: "0.01", From: config.FromDefault},
		{Name: "judge.rho", Text: "2", From: config.FromTag},
		{Name: "judge.routing", Text: "request", From: config.FromDefault},
		{Name: "judge.phi", Text: "1", From: config.FromDefault},
		{Name: "judge.guard", Text: "0", From: config.FromDefault},
		{Name: "judge.warmUp", Text: "0s", From: config.FromDefault},
		{Name: "judge.latency", Text: "false", From: config.FromDefault},
		{Name: "judge.logs", Text: "true", From: config.FromDefault},
		{Name: "judge.strict", Text: "false", From: config.FromDefault},
		{Name: "smoke", Text: `{"pullback":"smoke"}`, From: config.FromDefault},
		{Name: "maxPerTarget.count", Text: "2", From: config.FromDefault},
		{Name: "maxPerTarget.window", Text: "24h", From: config.FromDefault},
		{Name: "notReady", Text: "warn", From: config.FromDefault},
		{Name: "firstDeployment", Text: "hold", From: config.FromDefault},
		{Name: "hold.next", Text: "true", From: config.FromDefault},
		{Name: "restorePoint.kind", Text: "none", From: config.FromDefault},
		{Name: "restorePoint.volumesOf", Text: "instances", From: config.FromDefault},
		{Name: "restorePoint.resources", Text: "[arn:aws:ec2:eu-west-1:123456789012:volume/vol-1]", From: config.FromFile, Line: 5},
		{Name: "restorePoint.vault", Text: `""`, From: config.FromDefault},
		{Name: "restorePoint.role", Text: `""`, From: config.FromDefault},
		{Name: "restorePoint.wait", Text: "false", From: config.FromDefault},
		{Name: "hookTimeout", Text: "1m5s", From: config.FromDefault},
		{Name: "maxPerAccount.count", Text: "4", From: config.FromFile, Line: 2},
		{Name: "maxPerAccount.window", Text: "15m", From: config.FromDefault},
	}, all)
}

func TestWithAWrongTagNoValueIsFromATag(t *testing.T) {
	all, err := config.Default().Explain(target(t, "shop/prod"), map[string]string{"pullback:bake": "?", "pullback:verify": "6m"})
	require.Error(t, err)
	for _, v := range all {
		assert.Equal(t, config.FromDefault, v.From, v.Name)
	}
}
