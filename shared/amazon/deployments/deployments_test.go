package deployments_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// shop is the local AWS with one group.
func shop(t *testing.T) *local {
	t.Helper()
	l := serve(t)
	l.application("shop")
	l.group(target, nil, nil)
	return l
}

func TestADeploymentIsKnownMoreWhenItHasStarted(t *testing.T) {
	l := shop(t)
	id := l.deploy("7", "8", "")
	got, err := l.adapter().Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Deployment{
		ID: id, Target: target, Platform: deploy.OnLambda, Status: deploy.Created, Creator: "user", Description: "release 8", Created: noon,
	}, got)

	l.pass(time.Minute)
	got, err = l.adapter().Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.InProgress, got.Status)
	assert.Equal(t, alias, got.Alias)
	assert.Equal(t, deploy.Revision("7"), got.From)
	assert.Equal(t, deploy.Revision("8"), got.To)
	assert.False(t, got.Started.IsZero())
	assert.False(t, got.Shifted.Before(got.Started), "traffic moves after the start")
	assert.True(t, got.Ended.IsZero())

	l.pass(time.Hour)
	got, err = l.adapter().Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Succeeded, got.Status)
	assert.Equal(t, deploy.Revision("8"), got.To)
	assert.True(t, got.Ended.After(got.Started))
}

func TestAStoppedDeploymentAndItsRollbackKnowEachOther(t *testing.T) {
	l := shop(t)
	id := l.deploy("7", "8", "")
	l.pass(time.Minute)
	require.NoError(t, l.adapter().Stop(t.Context(), deploy.Deployment{ID: id}))
	l.pass(10 * time.Minute)

	stopped, err := l.adapter().Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Stopped, stopped.Status)
	assert.Equal(t, "MANUAL_STOP", stopped.Cause)
	require.NotEmpty(t, stopped.RolledBack)

	rollback, err := l.adapter().Get(t.Context(), target, stopped.RolledBack)
	require.NoError(t, err)
	assert.Equal(t, id, rollback.RollsBack)
	assert.True(t, rollback.IsRollback())
	assert.Equal(t, "7", l.version)

	require.ErrorIs(t, l.adapter().Stop(t.Context(), deploy.Deployment{ID: id}), deploy.ErrEnded)
}

func TestWhatCodeDeployDoesNotKnowIsUnknown(t *testing.T) {
	l := shop(t)
	nobody := deploy.Target{Application: "shop", Group: "staging"}
	_, err := l.adapter().Get(t.Context(), target, "d-NOBODY123")
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorIs(t, l.adapter().Stop(t.Context(), deploy.Deployment{ID: "d-NOBODY123"}), deploy.ErrUnknown)
	_, err = l.adapter().Recent(t.Context(), nobody, noon)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = l.adapter().Group(t.Context(), nobody)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = l.adapter().Restore(t.Context(), deploy.Restore{Place: deploy.Place{Target: nobody, Platform: deploy.OnLambda, Alias: alias}, From: "8", To: "7"})
	require.ErrorIs(t, err, deploy.ErrUnknown)
}

func TestDeploymentsAreListedNewestFirst(t *testing.T) {
	l := shop(t)
	var ids []deploy.ID
	for range 30 { // more than one batch
		ids = append(ids, l.deploy(l.version, l.version+"1", ""))
		l.pass(time.Hour)
	}
	running := l.deploy(l.version, "8", "")
	l.pass(time.Minute)

	all, err := l.adapter().Recent(t.Context(), target, noon.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, all, 30, "the first one is older")
	assert.Equal(t, running, all[0].ID)
	for i, d := range all[1:] {
		assert.Equal(t, ids[len(ids)-1-i], d.ID)
		assert.Equal(t, deploy.Succeeded, d.Status)
		assert.Empty(t, d.Alias, "the cheap form does not know")
	}
	assert.True(t, all[0].Running())
}

func TestRestorePutsARevisionBack(t *testing.T) {
	l := shop(t)
	l.deploy("7", "8", "")
	l.pass(time.Hour)
	require.Equal(t, "8", l.version)

	marker := deploy.Marker("i-1", 1)
	id, err := l.adapter().Restore(t.Context(), deploy.Restore{Place: place, From: "8", To: "7", Marker: marker})
	require.NoError(t, err)
	l.pass(time.Minute)
	got, err := l.adapter().Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Succeeded, got.Status)
	assert.Equal(t, marker, got.Description)
	assert.True(t, got.IsRollback())
	assert.Equal(t, "7", l.version)
	assert.Empty(t, l.hooks)

	out, err := l.client.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: aws.String(string(id))})
	require.NoError(t, err)
	assert.Equal(t, "CodeDeployDefault.LambdaAllAtOnce", *out.DeploymentInfo.DeploymentConfigName)
	assert.False(t, out.DeploymentInfo.AutoRollbackConfiguration.Enabled)
	require.NotNil(t, out.DeploymentInfo.OverrideAlarmConfiguration)
	assert.False(t, out.DeploymentInfo.OverrideAlarmConfiguration.Enabled)
}

func TestRestoreWaitsForNobody(t *testing.T) {
	l := shop(t)
	l.deploy("7", "8", "")
	_, err := l.adapter().Restore(t.Context(), deploy.Restore{Place: place, From: "7", To: "6", Marker: "pullback:i-1:1"})
	require.ErrorIs(t, err, deploy.ErrBusy)
}

func TestAHookIsReportedOnceAndMayBeReportedAgain(t *testing.T) {
	for passed, want := range map[bool]deploy.Status{true: deploy.Succeeded, false: deploy.Failed} {
		l := shop(t)
		id := l.deploy("7", "8", `,"Hooks":[{"BeforeAllowTraffic":"CodeDeployHook_pullback_pretraffic"}]`)
		l.pass(time.Minute)
		require.Len(t, l.hooks, 1)
		execution := executionOf(t, l.hooks[0])
		require.NoError(t, l.adapter().Report(t.Context(), id, execution, passed))
		l.pass(time.Hour)
		require.NoError(t, l.adapter().Report(t.Context(), id, execution, passed))
		got, err := l.adapter().Get(t.Context(), target, id)
		require.NoError(t, err)
		assert.Equal(t, want, got.Status)
		assert.Equal(t, passed, !got.Shifted.IsZero(), "a deployment that was refused before has moved no traffic")
	}
	err := shop(t).adapter().Report(t.Context(), "d-NOBODY123", "execution", true)
	require.ErrorIs(t, err, deploy.ErrUnknown)
}

func TestGroupsAreEnabledByTheirTags(t *testing.T) {
	l := serve(t)
	l.application("shop")
	l.application("billing")
	on := map[string]string{"pullback:enabled": "true"}
	own := &cdtypes.AlarmConfiguration{Enabled: true, Alarms: []cdtypes.Alarm{{Name: aws.String("errors")}, {Name: aws.String("5xx")}}}
	ignored := &cdtypes.AlarmConfiguration{Enabled: false, Alarms: []cdtypes.Alarm{{Name: aws.String("latency")}}}
	l.group(target, map[string]string{
		"pullback:enabled": "true", "pullback:alarms": "errors  saturation,queue", "pullback:alias": "shop:live",
	}, own)
	l.group(deploy.Target{Application: "billing", Group: "prod"}, on, ignored)
	l.group(deploy.Target{Application: "billing", Group: "old"}, map[string]string{"pullback:enabled": "false"}, nil)
	l.group(deploy.Target{Application: "shop", Group: "staging"}, nil, own)

	want := []deploy.Group{
		{Target: deploy.Target{Application: "billing", Group: "prod"}, Platform: deploy.OnLambda, Enabled: true, Alarms: []string{"latency"}, Tags: on},
		{Target: target, Platform: deploy.OnLambda, Enabled: true, Alarms: []string{"5xx", "errors", "queue", "saturation"}, Alias: deploy.Alias{Function: "shop", Name: "live"}, Tags: map[string]string{
			"pullback:enabled": "true", "pullback:alarms": "errors  saturation,queue", "pullback:alias": "shop:live",
		}},
	}
	got, next, err := l.adapter().Survey(t.Context(), "", 100)
	require.NoError(t, err)
	assert.Empty(t, next)
	assert.Equal(t, want, got)

	var parts []deploy.Group
	from, rounds := "", 0
	for ; rounds == 0 || from != ""; rounds++ { // a part at a time, and no call for nothing
		var some []deploy.Group
		some, from, err = l.adapter().Survey(t.Context(), from, 4)
		require.NoError(t, err)
		parts = append(parts, some...)
	}
	assert.Equal(t, want, parts)
	assert.Equal(t, 4, rounds)

	one, err := l.adapter().Group(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, want[1], one)
	off, err := l.adapter().Group(t.Context(), deploy.Target{Application: "shop", Group: "staging"})
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{Target: off.Target, Platform: deploy.OnLambda, Tags: map[string]string{}, Alarms: []string{"5xx", "errors"}}, off)
}
