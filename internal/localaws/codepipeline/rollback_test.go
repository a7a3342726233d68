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

func (s *site) rollBack(stage, target string) (string, error) {
	s.t.Helper()
	out, err := s.RollbackStage(s.t.Context(), &sdk.RollbackStageInput{PipelineName: aws.String(line), StageName: &stage, TargetPipelineExecutionId: &target})
	if err != nil {
		return "", err
	}
	return *out.PipelineExecutionId, nil
}

func TestAStageIsRolledBackByHand(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "Look"), asking("Prod", "Look")))
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	version := s.upload("second")
	two := s.start()
	s.pass(time.Minute)
	s.reject()
	_, err := s.DisableStageTransition(t.Context(), &sdk.DisableStageTransitionInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), TransitionType: cptypes.StageTransitionTypeInbound, Reason: aws.String("freeze"),
	})
	require.NoError(t, err)
	s.events()
	back, err := s.rollBack("Beta", one)
	require.NoError(t, err)
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	assert.Equal(t, []string{
		"09:03:00 back - STARTED", "09:03:00 back Beta STARTED", "09:03:00 back Beta/Look STARTED",
		"09:04:00 back Beta/Look SUCCEEDED", "09:04:00 back Beta SUCCEEDED", "09:04:00 back - SUCCEEDED",
	}, s.events(back, "back"), "the closed transition does not hold it, and it goes no further")
	all := s.summaries()
	assert.NotEqual(t, version, *all[0].SourceRevisions[0].RevisionId)
	assert.Equal(t, all[2].SourceRevisions, all[0].SourceRevisions)
	assert.Equal(t, &cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypeManualRollback, TriggerDetail: aws.String(root)}, all[0].Trigger)
	assert.Equal(t, []cptypes.ExecutionType{"ROLLBACK", "STANDARD", "STANDARD"}, []cptypes.ExecutionType{all[0].ExecutionType, all[1].ExecutionType, all[2].ExecutionType})
	out, err := s.ListPipelineExecutions(t.Context(), &sdk.ListPipelineExecutionsInput{PipelineName: aws.String(line), Filter: &cptypes.PipelineExecutionFilter{
		SucceededInStage: &cptypes.SucceededInStageFilter{StageName: aws.String("Beta")},
	}})
	require.NoError(t, err)
	var succeeded []string
	for _, e := range out.PipelineExecutionSummaries {
		succeeded = append(succeeded, *e.PipelineExecutionId)
	}
	assert.Equal(t, []string{back, one}, succeeded)
	assert.Equal(t, &cptypes.StageExecution{PipelineExecutionId: &back, Status: "Succeeded", Type: "ROLLBACK"}, s.stage("Beta").LatestExecution)
	_, err = s.rollBack("Beta", back)
	require.ErrorContains(t, err, "UnableToRollbackStageException: Unable to roll back the stage. The target pipeline execution is a rollback.")
	_, err = s.rollBack("Beta", two)
	require.ErrorContains(t, err, "The target pipeline execution did not succeed in the stage.")
}

func TestARollbackThatCannotBeIsRefused(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	one := s.create(d)
	s.pass(time.Minute)
	_, err := s.rollBack("Beta", one)
	require.ErrorContains(t, err, "UnableToRollbackStageException: Unable to roll back the stage. The stage is currently running.")
	s.approve("Beta")
	_, err = s.rollBack("Source", one)
	require.ErrorContains(t, err, "UnableToRollbackStageException: Unable to roll back the stage. A source stage cannot be rolled back.")
	_, err = s.rollBack("Nothing", one)
	require.ErrorContains(t, err, "StageNotFoundException")
	_, err = s.rollBack("Beta", "12345678-1234-1234-1234-123456789012")
	require.ErrorContains(t, err, "PipelineExecutionNotFoundException")
	_, err = s.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d})
	require.NoError(t, err)
	_, err = s.rollBack("Beta", one)
	require.ErrorContains(t, err, "PipelineExecutionOutdatedException")
	d.PipelineType = cptypes.PipelineTypeV1
	_, err = s.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d})
	require.NoError(t, err)
	two := s.start()
	s.pass(time.Minute)
	s.approve("Beta")
	_, err = s.rollBack("Beta", two)
	require.ErrorContains(t, err, "The pipeline is not of type V2.")
}

func TestAFailedRollbackIsNotRolledBack(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "Look")
	st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	s.create(structure(st))
	s.pass(time.Minute)
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{"Failed"}, s.statuses(), "there is nothing to go back to")
	s.start()
	s.pass(time.Minute)
	s.approve("Beta")
	s.start()
	s.pass(time.Minute)
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{"InProgress", "Failed", "Succeeded", "Failed"}, s.statuses())
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{"Failed", "Failed", "Succeeded", "Failed"}, s.statuses())
}

func TestNothingIsRolledBackToAnotherVersionByItself(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "Look")
	st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	d := structure(st)
	s.create(d)
	s.pass(time.Minute)
	s.approve("Beta")
	_, err := s.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d})
	require.NoError(t, err)
	s.start()
	s.pass(time.Minute)
	s.reject()
	s.pass(time.Minute)
	assert.Equal(t, []string{"Failed", "Succeeded"}, s.statuses())
}
