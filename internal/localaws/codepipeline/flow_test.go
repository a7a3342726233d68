package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnExecutionGoesFromStageToStage(t *testing.T) {
	s := newSite(t)
	id := s.create(structure(asking("Beta", "Look"), asking("Prod", "Look")))
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	s.approve("Prod")
	s.pass(time.Minute)
	assert.Equal(t, []string{
		"09:00:00 one - STARTED",
		"09:00:01 one Source STARTED",
		"09:00:01 one Source/Read STARTED",
		"09:00:03 one Source/Read SUCCEEDED",
		"09:00:03 one Source SUCCEEDED",
		"09:00:04 one Beta STARTED",
		"09:00:04 one Beta/Look STARTED",
		"09:01:00 one Beta/Look SUCCEEDED",
		"09:01:00 one Beta SUCCEEDED",
		"09:01:01 one Prod STARTED",
		"09:01:01 one Prod/Look STARTED",
		"09:02:00 one Prod/Look SUCCEEDED",
		"09:02:00 one Prod SUCCEEDED",
		"09:02:00 one - SUCCEEDED",
	}, s.events(id, "one"))
	assert.Equal(t, []string{"Succeeded"}, s.statuses())
}

func TestActionsRunInTheirOrder(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "A", "B", "C")
	st.Actions[2].RunOrder = aws.Int32(7)
	id := s.create(structure(st))
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	s.reject()
	assert.Equal(t, []string{
		"09:00:04 one Beta STARTED",
		"09:00:04 one Beta/A STARTED",
		"09:00:04 one Beta/B STARTED",
		"09:01:00 one Beta/A SUCCEEDED",
		"09:02:00 one Beta/B SUCCEEDED",
		"09:02:00 one Beta/C STARTED",
		"09:03:00 one Beta/C FAILED",
		"09:03:00 one Beta FAILED",
		"09:03:00 one - FAILED",
	}, s.events(id, "one")[5:])
}

func TestANewerExecutionSupersedesTheOneThatWaits(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "Look")))
	s.pass(time.Minute)
	two := s.start()
	s.pass(time.Minute)
	three := s.start()
	s.pass(time.Minute)
	state := s.stage("Beta")
	assert.Equal(t, []string{one, three}, []string{*state.LatestExecution.PipelineExecutionId, *state.InboundExecution.PipelineExecutionId})
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{
		"09:01:00 two - STARTED",
		"09:01:01 two Source STARTED",
		"09:01:01 two Source/Read STARTED",
		"09:01:03 two Source/Read SUCCEEDED",
		"09:01:03 two Source SUCCEEDED",
		"09:02:00 three - STARTED",
		"09:02:01 three Source STARTED",
		"09:02:01 three Source/Read STARTED",
		"09:02:03 three Source/Read SUCCEEDED",
		"09:02:03 three Source SUCCEEDED",
		"09:02:04 two - SUPERSEDED",
		"09:03:00 one Beta/Look FAILED",
		"09:03:00 one Beta FAILED",
		"09:03:00 one - FAILED",
		"09:03:00 three Beta STARTED",
		"09:03:00 three Beta/Look STARTED",
	}, s.events(one, "one", two, "two", three, "three")[7:])
	assert.Equal(t, []string{"InProgress", "Superseded", "Failed"}, s.statuses())
}

func TestQueuedExecutionsComeOneAfterTheOther(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	d.ExecutionMode = cptypes.ExecutionModeQueued
	one := s.create(d)
	two, three := s.start(), s.start()
	s.pass(time.Minute)
	state := s.stage("Beta")
	assert.Equal(t, []cptypes.StageExecution{
		{PipelineExecutionId: aws.String(two), Status: cptypes.StageExecutionStatusInProgress, Type: cptypes.ExecutionTypeStandard},
		{PipelineExecutionId: aws.String(three), Status: cptypes.StageExecutionStatusInProgress, Type: cptypes.ExecutionTypeStandard},
	}, state.InboundExecutions)
	for range 3 {
		s.approve("Beta")
		s.pass(time.Minute)
	}
	var ends []string
	for _, e := range s.events(one, "one", two, "two", three, "three") {
		if strings.HasSuffix(e, " - SUCCEEDED") {
			ends = append(ends, e)
		}
	}
	assert.Equal(t, []string{"09:01:00 one - SUCCEEDED", "09:02:00 two - SUCCEEDED", "09:03:00 three - SUCCEEDED"}, ends)
}

func TestAQueueHasAnEnd(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	d.ExecutionMode = cptypes.ExecutionModeQueued
	s.create(d)
	for range 49 {
		s.start()
	}
	_, err := s.StartPipelineExecution(t.Context(), &sdk.StartPipelineExecutionInput{Name: aws.String(line)})
	assert.ErrorContains(t, err, "ConcurrentPipelineExecutionsLimitExceededException")
}

func TestParallelExecutionsDoNotWait(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	d.ExecutionMode = cptypes.ExecutionModeParallel
	one := s.create(d)
	two := s.start()
	s.pass(time.Minute)
	assert.Empty(t, s.stage("Beta").ActionStates, "in this mode there is no last execution")
	actions, err := s.ListActionExecutions(t.Context(), &sdk.ListActionExecutionsInput{PipelineName: aws.String(line), Filter: &cptypes.ActionExecutionFilter{
		PipelineExecutionId: aws.String(two),
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{"Look", "Read"}, []string{*actions.ActionExecutionDetails[0].ActionName, *actions.ActionExecutionDetails[1].ActionName})
	_, err = s.PutApprovalResult(t.Context(), &sdk.PutApprovalResultInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), ActionName: aws.String("Look"),
		Token:  actions.ActionExecutionDetails[0].Output.ExecutionResult.ExternalExecutionId,
		Result: &cptypes.ApprovalResult{Status: cptypes.ApprovalStatusApproved, Summary: aws.String("fine")},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"InProgress", "Succeeded"}, []string{s.status(one), s.status(two)})
}

func TestAClosedTransitionHoldsExecutions(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "Look")))
	_, err := s.DisableStageTransition(t.Context(), &sdk.DisableStageTransitionInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), TransitionType: cptypes.StageTransitionTypeInbound, Reason: aws.String("freeze"),
	})
	require.NoError(t, err)
	s.pass(time.Minute)
	two := s.start()
	s.pass(time.Minute)
	state := s.stage("Beta")
	assert.Equal(t, &cptypes.TransitionState{
		Enabled: false, DisabledReason: aws.String("freeze"), LastChangedBy: aws.String(root),
		LastChangedAt: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
	}, state.InboundTransitionState)
	assert.Nil(t, state.LatestExecution)
	_, err = s.EnableStageTransition(t.Context(), &sdk.EnableStageTransitionInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), TransitionType: cptypes.StageTransitionTypeInbound,
	})
	require.NoError(t, err)
	assert.Equal(t, []string{two, "InProgress"}, []string{*s.stage("Beta").LatestExecution.PipelineExecutionId, s.status(two)})
	assert.Equal(t, "Superseded", s.status(one))
	assert.True(t, s.stage("Beta").InboundTransitionState.Enabled)
}

func TestAClosedWayOutHoldsExecutionsToo(t *testing.T) {
	s := newSite(t)
	s.create(structure(asking("Beta", "Look")))
	shut := func(stage string) error {
		_, err := s.DisableStageTransition(t.Context(), &sdk.DisableStageTransitionInput{
			PipelineName: aws.String(line), StageName: aws.String(stage), TransitionType: cptypes.StageTransitionTypeOutbound, Reason: aws.String("freeze"),
		})
		return err
	}
	require.NoError(t, shut("Source"))
	s.pass(time.Minute)
	assert.Nil(t, s.stage("Beta").LatestExecution)
	s.pass(31 * 24 * time.Hour)
	_, err := s.EnableStageTransition(t.Context(), &sdk.EnableStageTransitionInput{
		PipelineName: aws.String(line), StageName: aws.String("Source"), TransitionType: cptypes.StageTransitionTypeOutbound,
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"Cancelled"}, s.statuses(), "it was closed for more than 30 days")
	assert.ErrorContains(t, shut("Nothing"), "StageNotFoundException")
}

func TestAnUpdateCancelsWhatIsInProgress(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	one := s.create(d)
	s.pass(time.Minute)
	s.events()
	d.Version = aws.Int32(40)
	out, err := s.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d})
	require.NoError(t, err)
	assert.Equal(t, int32(2), *out.Pipeline.Version)
	assert.Equal(t, []string{
		"09:01:00 one Beta/Look CANCELED", "09:01:00 one Beta CANCELED", "09:01:00 one - CANCELED",
	}, s.events(one, "one"))
	assert.Equal(t, "Cancelled", s.status(one))
	two := s.start()
	s.pass(time.Minute)
	assert.Equal(t, two, *s.stage("Beta").LatestExecution.PipelineExecutionId)
}

func TestAPipelineThatIsDeletedDoesNothing(t *testing.T) {
	s := newSite(t)
	s.create(structure(asking("Beta", "Look")))
	s.events()
	for range 2 {
		_, err := s.DeletePipeline(t.Context(), &sdk.DeletePipelineInput{Name: aws.String(line)})
		require.NoError(t, err)
	}
	s.pass(time.Hour)
	assert.Empty(t, s.events())
	_, err := s.GetPipelineState(t.Context(), &sdk.GetPipelineStateInput{Name: aws.String(line)})
	assert.ErrorContains(t, err, "Account '123456789012' does not have a pipeline with name 'line'")
}
