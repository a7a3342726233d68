package ward_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

const file = `apiVersion: pullback.dev/v1
defaults: {bake: 20m, mode: observe}
targets:
  - target: checkout/live
    alias: checkout:live
    alarms: [slow, errors]
    oneWay: [{revision: "12", backTo: "11"}]
    policy: {bake: 1h}
`

var (
	checkout = deploy.Target{Application: "checkout", Group: "live"}
	search   = deploy.Target{Application: "search", Group: "live"}
)

func parsed(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Parse([]byte(file))
	require.NoError(t, err)
	return c
}

func TestWhatTheFileNamesIsLookedAfterAndItsAlarmsCount(t *testing.T) {
	c := parsed(t)
	group := deploy.Group{Target: checkout, Alarms: []string{"errors", "own"}, Tags: map[string]string{"pullback:mode": "enforce"}}
	rules, err := c.For(checkout, group.Tags)
	require.NoError(t, err)
	want := ward.Ward{
		Group: deploy.Group{
			Target: checkout, Enabled: true, Alarms: []string{"errors", "own", "slow"}, Tags: group.Tags,
			Alias: deploy.Alias{Function: "checkout", Name: "live"},
		},
		Rules: rules, Line: config.Cap{Count: 3, Window: 15 * time.Minute}, Hash: c.Hash(),
		OneWay: []config.OneWay{{Revision: "12", BackTo: "11"}},
	}
	got := ward.Of(c, group)
	assert.Equal(t, want, got)
	assert.False(t, got.Observe(), "the tag is stronger than the file")
	assert.Equal(t, policy.Policy{Bake: time.Hour, Grace: 20 * time.Minute, Max: 2, Window: 24 * time.Hour}, got.Policy())
}

func TestWhatTheFileDoesNotNameIsAsItsTagsAndTheDefaultsSay(t *testing.T) {
	c := parsed(t)
	group := deploy.Group{Target: search, Alarms: []string{"b", "a"}}
	rules, err := c.For(search, nil)
	require.NoError(t, err)
	got := ward.Of(c, group)
	assert.Equal(t, ward.Ward{Group: group, Rules: rules, Line: config.Cap{Count: 3, Window: 15 * time.Minute}, Hash: c.Hash()}, got)
	assert.True(t, got.Observe())
}

func TestATagThatIsWrongIsSaidAndLeftOut(t *testing.T) {
	c := parsed(t)
	rules, err := c.For(checkout, nil)
	require.NoError(t, err)
	got := ward.Of(c, deploy.Group{Target: checkout, Tags: map[string]string{"pullback:bake": "long"}})
	require.ErrorContains(t, got.Wrong, "pullback:bake")
	assert.Equal(t, rules, got.Rules)
}

type aws struct{ err error }

func (a aws) Group(_ context.Context, t deploy.Target) (deploy.Group, error) {
	return deploy.Group{Target: t}, a.err
}

type source struct {
	config.Config

	err error
}

func (s source) Current(context.Context) (config.Config, error) { return s.Config, s.err }

func TestATargetIsNotConfiguredByWhatCannotBeRead(t *testing.T) {
	down := errors.New("throttled")
	_, err := ward.Wards{Groups: aws{err: deploy.ErrUnknown}, Config: source{Config: parsed(t)}}.Ward(t.Context(), checkout)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = ward.Wards{Groups: aws{}, Config: source{err: down}}.Ward(t.Context(), checkout)
	require.ErrorIs(t, err, down)
	require.ErrorContains(t, err, "configuration of checkout/live")
}
