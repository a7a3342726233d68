package events_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
)

const call = `{"executionId":"a635edb5-a66b-4f44-bf3f-fcee4b3641a5","lifecycleStage":"POST_TEST_TRAFFIC_SHIFT",
 "resourceArn":"arn:aws:ecs:us-east-1:111122223333:service-deployment/cluster/service/TFX5sH9q9XDboDTOv0rIt",
 "executionDetails":{"serviceArn":"arn:aws:ecs:us-east-1:111122223333:service/cluster/service","productionTrafficWeights":{}},"hookDetails":{}}`

func TestAHookOfECSSaysWhichDeploymentOfWhichService(t *testing.T) {
	assert.Equal(t, events.ShapeServiceHook, events.ShapeOf([]byte(call)))
	h, err := events.ParseServiceHook([]byte(call))
	require.NoError(t, err)
	assert.Equal(t, events.ServiceHook{
		Target: deploy.Target{Kind: deploy.KindService, Application: "cluster", Group: "service"}, Deployment: "TFX5sH9q9XDboDTOv0rIt", Stage: "POST_TEST_TRAFFIC_SHIFT", Before: true,
	}, h)
}

func TestAHookOfECSSaysWhetherTheNewRevisionHasHadTraffic(t *testing.T) {
	for call, want := range map[string]bool{
		`"RECONCILE_SERVICE"`:            true,
		`"PRE_SCALE_UP"`:                 true,
		`"POST_SCALE_UP"`:                true,
		`"TEST_TRAFFIC_SHIFT"`:           true,
		`"a stage of next year's"`:       false,
		`"PRE_PRODUCTION_TRAFFIC_SHIFT"`: false, // it does not say
		`"PRE_PRODUCTION_TRAFFIC_SHIFT","executionDetails":{"targetServiceRevisionArn":"green","productionTrafficWeights":{"blue":100,"green":0}}`: true,
		`"PRE_PRODUCTION_TRAFFIC_SHIFT","executionDetails":{"targetServiceRevisionArn":"green","productionTrafficWeights":{"blue":90,"green":10}}`: false,
		`"PRODUCTION_TRAFFIC_SHIFT","executionDetails":{"targetServiceRevisionArn":"green","productionTrafficWeights":{"blue":100,"green":0}}`:     false,
	} {
		h, err := events.ParseServiceHook([]byte(`{"resourceArn":"arn:aws:ecs:us-east-1:1:service-deployment/c/s/d","lifecycleStage":` + call + `}`))
		require.NoError(t, err)
		assert.Equal(t, want, h.Before, call)
	}
}

func TestAHookOfECSThatDoesNotIsRefused(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"lifecycleStage":"PRE_SCALE_UP","resourceArn":"arn:aws:ecs:r:1:service/c/s"}`,
		`{"lifecycleStage":"PRE_SCALE_UP","resourceArn":"arn:aws:ecs:r:1:service-deployment/c/s"}`, `{"resourceArn":"arn:aws:ecs:r:1:service-deployment/c/s/d"}`,
	} {
		_, err := events.ParseServiceHook([]byte(text))
		require.Error(t, err, text)
	}
}

func TestECSIsAnsweredByAStatus(t *testing.T) {
	for passed, want := range map[bool]string{true: `{"hookStatus":"SUCCEEDED"}`, false: `{"hookStatus":"FAILED"}`} {
		text, err := json.Marshal(events.NewServiceAnswer(passed))
		require.NoError(t, err)
		assert.JSONEq(t, want, string(text))
	}
}
