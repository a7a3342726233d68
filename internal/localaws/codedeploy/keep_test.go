package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// restarted is the bench after a restart: the same AWS, and a CodeDeploy that
// knows what was written down of the old one.
func (b *bench) restarted() *bench {
	b.t.Helper()
	root, members := b.svc.Kept()
	d, err := state.Encode(root, members)
	require.NoError(b.t, err)
	n := newBench(b.t)
	n.version, n.weights, n.alarms, n.hooks = b.version, b.weights, b.alarms, b.hooks
	require.NoError(b.t, n.w.Return(b.w.Moment()))
	root, members = n.svc.Kept()
	require.NoError(b.t, state.Decode(d, root, members))
	n.w.Lock()
	defer n.w.Unlock()
	require.NoError(b.t, n.svc.Resume(b.t.Context()))
	return n
}

func TestWhatWasDeployedIsKnownAfterARestart(t *testing.T) {
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	b.advance(10 * time.Minute)
	before, target := b.get(id), b.target(id)
	n := b.restarted()
	assert.Equal(t, before, n.get(id))
	assert.Equal(t, target, n.target(id))
	second := n.deploy(input(bare("2", "3")))
	n.advance(10 * time.Minute)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, n.get(second).Status)
	assert.Equal(t, "3", n.version)
}

func TestADeploymentThatARestartInterruptsFailsAndIsRolledBack(t *testing.T) {
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	assert.Equal(t, map[string]float64{"2": 0.1}, b.weights)
	n := b.restarted()
	n.advance(time.Minute)
	got := n.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusFailed, got.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code: cdtypes.ErrorCodeInternalError, Message: aws.String("The local AWS was stopped while the deployment was in progress."),
	}, got.ErrorInformation)
	require.NotNil(t, got.RollbackInfo)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, n.get(*got.RollbackInfo.RollbackDeploymentId).Status)
	assert.Equal(t, "1", n.version)
	assert.Empty(t, n.weights)
}

func TestADeploymentThatWasAboutToStopStopsAfterARestart(t *testing.T) {
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	do[sdk.StopDeploymentOutput](b, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)})
	n := b.restarted()
	n.advance(time.Minute)
	got := n.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, got.Status)
	require.NotNil(t, got.RollbackInfo)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, n.get(*got.RollbackInfo.RollbackDeploymentId).Status)
}

func TestARollbackThatWasAboutToBeginBeginsAfterARestart(t *testing.T) {
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	do[sdk.StopDeploymentOutput](b, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)})
	b.advance(1100 * time.Millisecond) // stopped, and not yet rolled back
	require.Nil(t, b.get(id).RollbackInfo)
	n := b.restarted()
	n.advance(time.Minute)
	require.NotNil(t, n.get(id).RollbackInfo)
	assert.Equal(t, "1", n.version)
	assert.Empty(t, n.weights)
}
