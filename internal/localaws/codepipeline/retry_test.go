package codepipeline_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (s *site) retry(stage, id string, mode cptypes.StageRetryMode) error {
	s.t.Helper()
	_, err := s.RetryStageExecution(s.t.Context(), &sdk.RetryStageExecutionInput{
		PipelineName: aws.String(line), StageName: &stage, PipelineExecutionId: &id, RetryMode: mode,
	})
	return err
}

func TestAFailedStageIsRetried(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "A", "B")))
	s.pass(time.Minute)
	require.ErrorContains(t, s.retry("Beta", one, cptypes.StageRetryModeFailedActions), "StageNotRetryableException")
	s.approve("Beta")
	s.reject()
	s.pass(time.Minute)
	require.NoError(t, s.retry("Beta", one, cptypes.StageRetryModeFailedActions))
	s.pass(time.Minute)
	assert.Equal(t, &cptypes.RetryStageMetadata{ManualStageRetryAttempt: aws.Int32(1), LatestRetryTrigger: "ManualStageRetry"}, s.stage("Beta").RetryStageMetadata)
	s.reject()
	s.pass(time.Minute)
	require.NoError(t, s.retry("Beta", one, cptypes.StageRetryModeAllActions))
	s.approve("Beta")
	s.approve("Beta")
	assert.Equal(t, []string{
		"09:01:00 one Beta/A SUCCEEDED",
		"09:01:00 one Beta/B FAILED",
		"09:01:00 one Beta FAILED",
		"09:01:00 one - FAILED",
		"09:02:00 one - RESUMED",
		"09:02:00 one Beta RESUMED",
		"09:02:00 one Beta/B STARTED",
		"09:03:00 one Beta/B FAILED",
		"09:03:00 one Beta FAILED",
		"09:03:00 one - FAILED",
		"09:04:00 one - RESUMED",
		"09:04:00 one Beta RESUMED",
		"09:04:00 one Beta/A STARTED",
		"09:04:00 one Beta/B STARTED",
		"09:04:00 one Beta/A SUCCEEDED",
		"09:04:00 one Beta/B SUCCEEDED",
		"09:04:00 one Beta SUCCEEDED",
		"09:04:00 one - SUCCEEDED",
	}, s.events(one, "one")[8:])
	s.local.World.Lock()
	defer s.local.World.Unlock()
	assert.Contains(t, string(s.raw[len(s.raw)-1]), `"last-retry-attempt-time":"2026-01-05T09:04:00.000Z"`)
	assert.Contains(t, string(s.raw[len(s.raw)-1]), `"pipeline-execution-attempt":3.0`)
}

func TestOnlyTheLastExecutionOfAStageIsRetried(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "A")))
	s.pass(time.Minute)
	s.reject()
	two := s.start()
	s.pass(time.Minute)
	require.ErrorContains(t, s.retry("Beta", one, cptypes.StageRetryModeAllActions), "NotLatestPipelineExecutionException")
	require.ErrorContains(t, s.retry("Nothing", one, cptypes.StageRetryModeAllActions), "StageNotFoundException")
	s.reject()
	require.NoError(t, s.retry("Beta", two, cptypes.StageRetryModeAllActions))
}

func TestAFailedStageIsRetriedOnceByItself(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "A")
	st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRetry, RetryConfiguration: &cptypes.RetryConfiguration{RetryMode: cptypes.StageRetryModeAllActions}}
	one := s.create(structure(st))
	s.pass(time.Minute)
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, &cptypes.RetryStageMetadata{AutoStageRetryAttempt: aws.Int32(1), LatestRetryTrigger: "AutomatedStageRetry"}, s.stage("Beta").RetryStageMetadata)
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{
		"09:01:00 one Beta/A FAILED", "09:01:00 one Beta FAILED", "09:01:00 one - FAILED",
		"09:01:00 one - RESUMED", "09:01:00 one Beta RESUMED", "09:01:00 one Beta/A STARTED",
		"09:02:00 one Beta/A FAILED", "09:02:00 one Beta FAILED", "09:02:00 one - FAILED",
	}, s.events(one, "one")[7:])
}
