package pipelines_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/pipelines"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestAReleaseGoesThroughBothStages(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	p := pipelines.New(s.Common, pipelines.Options{Show: s.File})
	staging, prod := p.Stage(0), p.Stage(1)
	s.Install(staging)
	s.Deploy(teams.Bad)
	live, err := prod.Live(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{teams.Bad}, live)
	s.Deploy(teams.Good)
	all, err := prod.Deployments(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Succeeded", "Succeeded"}, []string{all[0].Status, all[1].Status})
}

func TestAClosedStageKeepsAReleaseOut(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	p := pipelines.New(s.Common, pipelines.Options{Show: s.File})
	staging, prod := p.Stage(0), p.Stage(1)
	s.Install(staging)
	require.NoError(t, prod.Close(t.Context(), "freeze"))
	s.Deploy(teams.Bad)
	live, err := prod.Live(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{teams.Good}, live)
	reason, err := prod.Closed(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "freeze", reason)
	all, err := prod.Deployments(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
	require.NoError(t, prod.Open(t.Context()))
	s.Until(2*time.Minute, func() bool { live, err := prod.Live(t.Context()); return err == nil && live[0] == teams.Bad })
}

func TestAFailedStageIsRolledBackByThePipeline(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Common.Alarms = true
	staging := pipelines.New(s.Common, pipelines.Options{Show: s.File}).Stage(0)
	s.Install(staging)
	_, err := staging.Deploy(t.Context(), teams.Broken)
	require.NoError(t, err)
	var all []teams.Deployment
	s.Until(10*time.Minute, func() bool {
		all, err = staging.Deployments(t.Context())
		return err == nil && len(all) == 2 && all[0].Status == "Succeeded"
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"codepipeline", "Failed"}, []string{all[0].By, all[1].Status})
	s.Serves(time.Minute, teams.Good)
}

func TestWhatAPipelineHasKeptCanBeDeleted(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	staging := pipelines.New(s.Common, pipelines.Options{Show: s.File}).Stage(0)
	s.Install(staging)
	require.NoError(t, staging.Withdraw(t.Context(), teams.Good))
	out, err := s3.NewFromConfig(s.Common.Config, func(o *s3.Options) { o.UsePathStyle = true }).
		ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("shop-artifacts")})
	require.NoError(t, err)
	assert.Empty(t, out.Contents)
}
