package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// waiting is a fleet whose deployments wait ten minutes for ContinueDeployment.
func waiting(t *testing.T) *fleet {
	t.Helper()
	f := newFleet(t, layout{})
	f.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = &cdtypes.DeploymentReadyOption{
			ActionOnTimeout: cdtypes.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 10,
		}
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
		in.TriggerConfigurations = []cdtypes.TriggerConfig{{
			TriggerName: aws.String("t"), TriggerTargetArn: aws.String(topic), TriggerEvents: []cdtypes.TriggerEventType{"DeploymentReady"},
		}}
	})
	return f
}

func (f *fleet) goOn(id string, wait cdtypes.DeploymentWaitType) error {
	_, err := f.deployments.ContinueDeployment(f.t.Context(), &sdk.ContinueDeploymentInput{DeploymentId: &id, DeploymentWaitType: wait})
	return err
}

func TestADeploymentWaitsForSomebodyToRerouteTheTraffic(t *testing.T) {
	t.Parallel()
	f := waiting(t)
	id := f.deploy(f.file(2))
	f.advance(10 * time.Second)
	require.ErrorContains(t, f.goOn(id, "READY_WAIT"), "DeploymentIsNotInReadyStateException")
	f.advance(50 * time.Second)
	assert.Equal(t, cdtypes.DeploymentStatusReady, f.get(id).Status)
	assert.Equal(t, cdtypes.TargetStatusReady, f.target(id).Status)
	assert.Equal(t, "SSSSSPPP", f.life(id))
	assert.Equal(t, "blue 100, green 0", f.weights(f.prod))
	assert.Equal(t, "blue 0, green 100", f.weights(f.test), "test traffic goes to the replacement")
	require.Len(t, f.messages, 1)
	assert.Contains(t, f.messages[0], "Ready: AWS CodeDeploy "+id)
	require.ErrorContains(t, f.goOn(id, "TERMINATION_WAIT"), "InvalidDeploymentStatusException")
	require.ErrorContains(t, f.goOn(id, "LONG_WAIT"), "InvalidDeploymentWaitTypeException")
	require.NoError(t, f.goOn(id, "READY_WAIT"))
	assert.Equal(t, cdtypes.DeploymentStatusInProgress, f.get(id).Status)
	f.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "1.5 prod blue 100, green 0", "1.5 create web:2 in green, 100%", "22.5 test blue 0, green 100", "23.5 first READY",
		"61.0 prod blue 90, green 10", "361.0 prod blue 0, green 100", "361.0 primary web:2", "662.0 delete web:1", "662.0 first SUCCESS",
	}, f.told())
	require.ErrorContains(t, f.goOn(id, "READY_WAIT"), "DeploymentAlreadyCompletedException")
}

func TestADeploymentThatNobodyContinuesIsStopped(t *testing.T) {
	t.Parallel()
	f := waiting(t)
	id := f.deploy(f.file(2))
	f.advance(time.Hour)
	d := f.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, d.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code: cdtypes.ErrorCodeTimeout, Message: aws.String("The deployment timed out while waiting for a notification to continue. This time out period is 10 minutes."),
	}, d.ErrorInformation)
	assert.Equal(t, "SSSSSsss", f.life(id))
	assert.Equal(t, []string{"623.5 first STOP", "624.5 second QUEUED", "625.0 second START", "625.0 prod blue 100, green 0", "625.0 test blue 100, green 0", "626.0 delete web:2", "626.0 second SUCCESS"}, f.told()[6:])
}

func TestTheTerminationWaitCanBeEnded(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	require.ErrorContains(t, f.goOn(id, "TERMINATION_WAIT"), "InvalidDeploymentStatusException")
	f.advance(6 * time.Minute)
	require.NoError(t, f.goOn(id, "TERMINATION_WAIT"))
	f.advance(time.Hour)
	assert.Equal(t, []string{"420.5 delete web:1", "420.5 first SUCCESS"}, f.told()[8:])
}

func TestWithoutATerminationWaitTheDeploymentEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.DeploymentConfigName, in.BlueGreenDeploymentConfiguration = nil, nil
	})
	id := f.deploy(f.file(2))
	f.advance(time.Hour)
	assert.Equal(t, []string{"14.0 prod blue 0, green 100", "14.0 primary web:2", "15.0 delete web:1", "15.0 first SUCCESS"}, f.told()[4:])
	assert.False(t, f.get(id).InstanceTerminationWaitTimeStarted)
}
