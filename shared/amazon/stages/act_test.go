package stages_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAStageIsNotRolledBackWhileSomethingIsInIt(t *testing.T) {
	c, one := shop(t)
	two := c.release("two")
	c.pass(moving)
	_, err := c.restore(one)
	require.ErrorIs(t, err, deploy.ErrBusy)
	require.ErrorContains(t, err, "execution "+string(two)+" is in it")
}

// conflict is CodePipeline when it has too much to do.
type conflict struct{ *codepipeline.Client }

func (conflict) RollbackStage(context.Context, *codepipeline.RollbackStageInput, ...func(*codepipeline.Options)) (*codepipeline.RollbackStageOutput, error) {
	return nil, &cptypes.ConflictException{Message: aws.String("try again later")}
}

func TestACodePipelineThatIsBusyIsBusy(t *testing.T) {
	c := newCloud(t)
	_, err := stages.New(conflict{c.line}, c.store, account, region).Restore(t.Context(), deploy.Restore{Place: place, To: "e"})
	require.ErrorIs(t, err, deploy.ErrBusy)
}

func TestAStageIsRolledBackOnce(t *testing.T) {
	c, one := shop(t)
	client, h := c.counting("RollbackStage")
	_, err := client.Restore(t.Context(), deploy.Restore{Place: place, To: deploy.Revision(one)})
	require.Error(t, err)
	assert.Equal(t, 1, h.calls["RollbackStage"], "its outcome is open")
	client, h = c.counting("GetPipelineState")
	_, err = client.Live(t.Context(), place)
	require.Error(t, err)
	assert.Equal(t, 3, h.calls["GetPipelineState"])
}

// refused checks that a revision is not ready and cannot be restored, for a reason.
func (c *cloud) refused(r deploy.ID, why string) {
	c.t.Helper()
	err := c.client.Ready(c.t.Context(), place, deploy.Revision(r))
	require.ErrorIs(c.t, err, deploy.ErrNotReady)
	require.ErrorContains(c.t, err, "pipeline:line/Prod cannot be rolled back to execution "+string(r)+": "+why)
	_, again := c.restore(r)
	require.ErrorIs(c.t, again, deploy.ErrNotReady)
	require.ErrorContains(c.t, again, err.Error(), "who tries is told the same")
}

// sources is the revision of the source that an execution was made of.
func (c *cloud) source(id deploy.ID) string {
	c.t.Helper()
	out, err := c.line.GetPipelineExecution(c.t.Context(), &codepipeline.GetPipelineExecutionInput{PipelineName: aws.String("line"), PipelineExecutionId: aws.String(string(id))})
	require.NoError(c.t, err)
	return *out.PipelineExecution.ArtifactRevisions[0].RevisionId
}

func TestAnExecutionOfAnotherStructureIsNotReadyAndItIsSaidWhatIs(t *testing.T) {
	c, one := shop(t)
	require.NoError(t, c.client.Ready(t.Context(), place, deploy.Revision(one)))
	c.update(structure("line", prod()))
	c.refused(one, "it ran in version 1 of the pipeline's structure, which is now at 2; roll back what it deploys: shop/web; "+
		"or release its sources again: aws codepipeline start-pipeline-execution --name line "+
		"--source-revisions actionName=Read,revisionType=S3_OBJECT_VERSION_ID,revisionValue="+c.source(one)+": ")
}

func TestARollbackIsNotGoneBackTo(t *testing.T) {
	c, one := shop(t)
	c.release("two")
	c.pass(settled)
	back, err := c.restore(one)
	require.NoError(t, err)
	c.pass(settled)
	c.refused(back, "that is itself a rollback; go back to execution "+string(one))
}

func TestAnExecutionThatFailedInTheStageIsNotReady(t *testing.T) {
	c, _ := shop(t)
	broken := c.release("")
	c.pass(settled)
	c.refused(broken, "it has not succeeded in the stage")
}

func TestAPipelineThatHasNoRollbacksIsNotReady(t *testing.T) {
	c, one := shop(t)
	d := structure("line", prod())
	d.ExecutionMode = cptypes.ExecutionModeParallel
	c.update(d)
	c.refused(one, "the pipeline's execution mode is PARALLEL")
	d = structure("line", prod())
	d.PipelineType = cptypes.PipelineTypeV1
	c.update(d)
	err := c.client.Ready(t.Context(), place, deploy.Revision(one))
	require.ErrorContains(t, err, "the pipeline is not of type V2; roll back what it deploys: shop/web: not ready", "nor has it another way")
	source := deploy.Place{Target: deploy.Target{Kind: deploy.KindStage, Application: "line", Group: "Source"}}
	c.update(structure("line", prod()))
	require.ErrorContains(t, c.client.Ready(t.Context(), source, deploy.Revision(one)), "it is the source stage")
}

func TestAnExecutionWhoseArtifactIsGoneIsNotReady(t *testing.T) {
	c, one := shop(t)
	out, err := c.store.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("artifacts")})
	require.NoError(t, err)
	require.Len(t, out.Contents, 1)
	_, err = c.store.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("artifacts"), Key: out.Contents[0].Key})
	require.NoError(t, err)
	err = c.client.Ready(t.Context(), place, deploy.Revision(one))
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "its artifact App is gone (s3://artifacts/"+*out.Contents[0].Key+")")
	require.NoError(t, stages.New(c.line, nil, account, region).Ready(t.Context(), place, deploy.Revision(one)), "who may not look does not know")
}

// locked is an S3 that may not be asked.
type locked struct{ err error }

func (l locked) HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return nil, l.err
}

func TestWhatCannotBeFoundOutIsNeitherReadyNorNot(t *testing.T) {
	c, one := shop(t)
	denied := errors.New("denied")
	err := stages.New(c.line, locked{denied}, account, region).Ready(t.Context(), place, deploy.Revision(one))
	require.ErrorIs(t, err, denied)
	require.NotErrorIs(t, err, deploy.ErrNotReady)
}

func TestTheSameSourcesAreTheSameCode(t *testing.T) {
	c, one := shop(t)
	again := c.start()
	c.pass(settled)
	other := c.release("two")
	c.pass(settled)
	digest := func(id deploy.ID) deploy.Digest {
		d, err := c.client.Digest(t.Context(), place, deploy.Revision(id))
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, digest(one), digest(again))
	assert.NotEqual(t, digest(one), digest(other))
	_, err := c.line.DisableStageTransition(t.Context(), &codepipeline.DisableStageTransitionInput{
		PipelineName: aws.String("line"), StageName: aws.String("Source"), TransitionType: cptypes.StageTransitionTypeInbound, Reason: aws.String("freeze"),
	})
	require.NoError(t, err)
	_, err = c.client.Digest(t.Context(), place, deploy.Revision(c.start()))
	require.ErrorIs(t, err, deploy.ErrUnknown, "it has not read them")
}

func TestNothingIsHealed(t *testing.T) {
	c, _ := shop(t)
	require.ErrorContains(t, c.client.Heal(t.Context(), c.live(), "e"), "heal pipeline:line/Prod: a stage is never stuck")
}

func TestWhatCodePipelineDoesNotKnowIsUnknown(t *testing.T) {
	c, _ := shop(t)
	nobody := deploy.ID("00000000-0000-0000-0000-000000000000")
	for _, other := range []deploy.Target{{Kind: deploy.KindStage, Application: "line", Group: "Gamma"}, {Kind: deploy.KindStage, Application: "nobody", Group: "Prod"}} {
		_, err := c.client.Recent(t.Context(), other, time.Time{})
		require.ErrorIs(t, err, deploy.ErrUnknown)
		_, err = c.client.Live(t.Context(), deploy.Place{Target: other})
		require.ErrorIs(t, err, deploy.ErrUnknown)
		_, err = c.client.Behind(t.Context(), other)
		require.ErrorIs(t, err, deploy.ErrUnknown)
		_, err = c.client.Close(t.Context(), other, "why not")
		require.ErrorIs(t, err, deploy.ErrUnknown)
		_, err = c.client.Open(t.Context(), other)
		require.ErrorIs(t, err, deploy.ErrUnknown)
	}
	_, err := c.client.Get(t.Context(), target, nobody)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorIs(t, c.client.Stop(t.Context(), deploy.Deployment{ID: nobody, Target: target}), deploy.ErrUnknown)
	_, err = c.restore(nobody)
	require.ErrorIs(t, err, deploy.ErrUnknown)
}
