package codepipeline_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (s *site) stop(id string, abandon bool) error {
	s.t.Helper()
	_, err := s.StopPipelineExecution(s.t.Context(), &sdk.StopPipelineExecutionInput{
		PipelineName: aws.String(line), PipelineExecutionId: &id, Abandon: abandon, Reason: aws.String("enough"),
	})
	return err
}

func TestAStoppedExecutionEndsItsActions(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "A", "B")
	st.Actions[1].RunOrder = aws.Int32(2)
	one := s.create(structure(st))
	s.pass(time.Minute)
	require.NoError(t, s.stop(one, false))
	require.ErrorContains(t, s.stop(one, false), "DuplicatedStopRequestException")
	assert.Equal(t, []string{"Stopping", "Stopping"}, []string{s.status(one), string(s.stage("Beta").LatestExecution.Status)})
	s.pass(time.Minute)
	s.approve("Beta")
	assert.Equal(t, []string{
		"09:01:00 one - STOPPING", "09:01:00 one Beta STOPPING",
		"09:02:00 one Beta/A SUCCEEDED", "09:02:00 one Beta STOPPED", "09:02:00 one - STOPPED",
	}, s.events(one, "one")[7:])
	require.ErrorContains(t, s.stop(one, true), "PipelineExecutionNotStoppableException")
	assert.Equal(t, "enough", *s.summaries()[0].StopTrigger.Reason)
	s.local.World.Lock()
	defer s.local.World.Unlock()
	assert.Contains(t, string(s.raw[len(s.raw)-1]), `"stop-execution-comments":"enough"`)
}

func TestAnAbandonedExecutionEndsAtOnce(t *testing.T) {
	s := newSite(t)
	one := s.create(structure(asking("Beta", "A")))
	s.pass(time.Minute)
	two := s.start()
	s.pass(time.Minute)
	s.events()
	require.NoError(t, s.stop(one, true))
	assert.Equal(t, []string{
		"09:02:00 one - STOPPING", "09:02:00 one Beta STOPPING", "09:02:00 one Beta/A ABANDONED", "09:02:00 one Beta STOPPED", "09:02:00 one - STOPPED",
		"09:02:00 two Beta STARTED", "09:02:00 two Beta/A STARTED",
	}, s.events(one, "one", two, "two"))
	three := s.start()
	s.pass(time.Minute)
	s.events()
	require.NoError(t, s.stop(three, false))
	assert.Equal(t, []string{"09:03:00 three - STOPPING", "09:03:00 three - STOPPED"}, s.events(three, "three"), "it only waited")
	assert.Equal(t, []string{"Stopped", "InProgress", "Stopped"}, s.statuses())
	require.NoError(t, s.stop(two, false))
	require.NoError(t, s.stop(two, true), "who waits for the actions may still abandon them")
	assert.Equal(t, "Stopped", s.status(two))
}

func TestAnAbandonedDeploymentGoesOn(t *testing.T) {
	f := newFleet(t)
	f.upload(bundle(t, "one"))
	one := f.create(structure(deploying()))
	f.pass(4 * time.Second)
	require.NoError(t, f.stop(one, true))
	f.pass(5 * time.Minute)
	_, statuses := f.deployments()
	assert.Equal(t, []string{"Succeeded"}, statuses)
	assert.Equal(t, []string{"Stopped"}, f.statuses())
	assert.Equal(t, "one", f.page())
}
