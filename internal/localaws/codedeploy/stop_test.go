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

func TestStopRollsBackAsAskedOrConfigured(t *testing.T) {
	t.Parallel()
	on := rollbackOn(cdtypes.AutoRollbackEventDeploymentStopOnRequest)
	off := rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	for name, c := range map[string]struct {
		group *cdtypes.AutoRollbackConfiguration
		ask   *bool
		want  bool
	}{
		"asked":                      {nil, aws.Bool(true), true},
		"asked not to":               {on, aws.Bool(false), false},
		"configured":                 {on, nil, true},
		"configured for other":       {off, nil, false},
		"asked, other is configured": {off, aws.Bool(true), true},
		"neither":                    {nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration = c.group })
			id := b.deploy(input(bare("1", "2")))
			b.advance(time.Minute)
			stop := &sdk.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: c.ask}
			assert.Equal(t, cdtypes.StopStatusPending, do[sdk.StopDeploymentOutput](b, "StopDeployment", stop).Status)
			b.advance(time.Hour)
			want := []string{"0.5 first QUEUED", "1.0 first START", "3.5 alias 1 map[2:0.1]", "61.0 first STOP"}
			split := map[string]float64{"2": 0.1}
			if c.want {
				want = append(want, "62.0 second QUEUED", "62.5 second START", "65.0 alias 1 map[]", "66.0 second SUCCESS")
				split = map[string]float64{}
			}
			assert.Equal(t, want, b.told())
			assert.Equal(t, split, b.weights)
			assert.Equal(t, &cdtypes.ErrorInformation{Code: cdtypes.ErrorCodeManualStop, Message: aws.String("The deployment was stopped manually.")},
				b.get(id).ErrorInformation)
		})
	}
}

func TestStopWithoutRollbackMakesTheNextDeploymentFail(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	first := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	do[sdk.StopDeploymentOutput](b, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(first)})
	b.advance(time.Minute)
	second := b.deploy(input(bare("1", "3")))
	b.advance(time.Minute)
	d := b.get(second)
	assert.Equal(t, cdtypes.ErrorCodeInvalidLambdaConfiguration, d.ErrorInformation.Code)
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackMessage: aws.String("Deployment " + second + " terminated. Automatic rollback is not possible: there is nothing to roll back to."),
	}, d.RollbackInfo)
	assert.Equal(t, []string{first, second}, b.list())
	b.weights = map[string]float64{} // somebody heals the alias
	third := b.deploy(input(bare("1", "3")))
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(third).Status)
}

func TestStopIsSafeToRepeatUntilTheEnd(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(spec()))
	b.advance(5 * time.Second)
	stop := &sdk.StopDeploymentInput{DeploymentId: aws.String(id)}
	assert.Equal(t, cdtypes.StopStatusPending, do[sdk.StopDeploymentOutput](b, "StopDeployment", stop).Status)
	assert.Equal(t, cdtypes.StopStatusSucceeded, do[sdk.StopDeploymentOutput](b, "StopDeployment", stop).Status)
	assert.Equal(t, cdtypes.DeploymentStatusInProgress, b.get(id).Status)
	_, execution := read(t, b.payloads[0])
	b.w.Lock()
	require.NoError(t, b.answer(id, execution, cdtypes.LifecycleEventStatusSucceeded), "what runs may still answer")
	b.w.Unlock()
	b.advance(time.Hour)
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic Skipped", "AfterAllowTraffic Skipped"}, b.lifecycle(id))
	assert.Equal(t, "DeploymentAlreadyCompletedException: The deployment "+id+" is already complete.", fails[sdk.StopDeploymentOutput](b, "StopDeployment", stop))
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "3.0 invoke CodeDeployHook_pre Event by codedeploy.amazonaws.com", "6.0 first STOP",
	}, b.told())
}

func TestStopInTheQueueNeverStarts(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	do[sdk.StopDeploymentOutput](b, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)})
	b.advance(time.Hour)
	assert.Equal(t, []string{"1.0 first STOP"}, b.told())
	assert.Nil(t, b.get(id).StartTime)
}
