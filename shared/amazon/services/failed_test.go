package services_test

import (
	"testing"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func breaker(rollback bool) *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: rollback}}
}

func TestWhatTheCircuitBreakerTakesBackIsARollbackUnderWay(t *testing.T) {
	s := serve(t, breaker(true), nil)
	broken := deploy.Revision(s.Register(ecstest.Behaves("fails-to-start")))
	id := s.deploy(string(broken))
	for range 30 {
		if s.Advance(time.Second); s.get(id).RolledBack != "" {
			break
		}
	}
	const why = "Service deployment rolled back because the circuit breaker threshold was exceeded."
	want := deploy.Deployment{
		ID: id, Target: target, Status: deploy.InProgress, From: "web:1", To: broken, Created: noon.Add(time.Minute), Started: noon.Add(time.Minute),
		Shifted: noon.Add(time.Minute), Cause: why, RolledBack: id,
	}
	assert.Equal(t, want, s.get(id))
	require.NoError(t, s.driver.Stop(t.Context(), want), "it does no harm")

	s.settle()
	d := s.get(id)
	want.Status, want.Ended = deploy.Failed, d.Ended
	assert.Equal(t, want, d)
	assert.True(t, d.Ended.After(d.Started))
	assert.True(t, s.live().Only("web:1"))
	require.ErrorIs(t, s.driver.Stop(t.Context(), d), deploy.ErrEnded)
	past, err := s.driver.History(t.Context(), place)
	require.NoError(t, err)
	require.Len(t, past, 1, "the first one alone has ended well")
	assert.Equal(t, deploy.Revision("web:1"), past[0].Revision)
}

func TestADeploymentThatFailedAndWasLeftSoIsNotWhatServesAlone(t *testing.T) {
	s := serve(t, breaker(false), nil)
	broken := s.Register(ecstest.Behaves("fails-to-start"))
	id := s.deploy(broken)
	s.settle()
	d := s.get(id)
	assert.Equal(t, deploy.Failed, d.Status)
	assert.Empty(t, d.RolledBack)
	live := s.live()
	assert.Equal(t, deploy.Revision("web:1"), live.Version)
	assert.Equal(t, map[deploy.Revision]float64{deploy.Revision(broken): 0}, live.Weights, "ECS would start its tasks, and no other's")

	_, err := s.restore("web:1")
	require.NoError(t, err)
	s.settle()
	assert.True(t, s.live().Only("web:1"))
}

// alarmed is what lets ECS roll back on the alarm errors.
func alarmed() *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{Alarms: &ecstypes.DeploymentAlarms{AlarmNames: []string{"errors"}, Enable: true, Rollback: true}}
}

func TestWhatAnAlarmTakesBackIsStopped(t *testing.T) {
	s := serve(t, alarmed(), nil)
	s.alarm(cwtypes.StateValueOk)
	id := s.deploy("web:2")
	s.Advance(20 * time.Second)
	s.alarm(cwtypes.StateValueAlarm)
	s.Advance(11 * time.Second)
	d := s.get(id)
	assert.True(t, d.Running())
	assert.Equal(t, id, d.RolledBack)
	s.settle()
	d = s.get(id)
	assert.Equal(t, deploy.Stopped, d.Status)
	assert.Equal(t, "Service deployment rolled back because of an alarm in the ALARM state: errors.", d.Cause)
	assert.True(t, s.live().Only("web:1"))
}

// A deployment that is stopped looks the same whether it was refused or had traffic:
// the ledger knows.
func TestWhatAHookHasRefusedHadNoTraffic(t *testing.T) {
	s := serve(t, canary(), nil)
	id := s.deploy("web:2")
	s.Advance(time.Second)
	require.NoError(t, s.driver.Stop(t.Context(), s.get(id)))
	assert.Equal(t, s.get(id).Started, s.get(id).Shifted, "it may have had some, for all that ECS says")
	require.NoError(t, s.memory.PutRefusal(t.Context(), ledger.Refusal{Target: target, Deployment: id, Because: "held", At: noon}))
	assert.True(t, s.get(id).Shifted.IsZero())
	s.settle()
	assert.Equal(t, deploy.Stopped, s.get(id).Status)
	assert.True(t, s.get(id).Shifted.IsZero())
}

func TestAnAlarmThatIsRedBeforehandStopsNothingAndSomebodyElseHasTo(t *testing.T) {
	s := serve(t, alarmed(), nil)
	s.alarm(cwtypes.StateValueAlarm)
	id := s.deploy("web:2")
	s.Advance(40 * time.Second)
	d := s.get(id)
	assert.Empty(t, d.RolledBack)
	require.NoError(t, s.driver.Stop(t.Context(), d))
	s.settle()
	assert.True(t, s.live().Only("web:1"))
}
