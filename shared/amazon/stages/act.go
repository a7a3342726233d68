package stages

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// stopped is the reason that people read who look at a stopped execution.
const stopped = "pullback stops it because it went wrong"

// Stop lets an execution that is in the stage begin nothing more, here or in later
// stages. Actions that are in progress end by themselves: abandoned, their
// deployments would go on with nobody waiting for them, the stage would be free
// for the next execution, and a rollback of the stage would meet deployments that
// are under way (user guide, "Stop a pipeline execution": "this option can lead to
// failed or out-of-sequence tasks"). What is Behind the stage can be stopped, and
// then the action fails at once. Nothing is put back: Restore does that. The way in
// has to be closed first, or the next execution enters (ibid.).
//
// Telling it twice does no harm. deploy.ErrEnded if the execution is not in this
// stage any more, deploy.ErrUnknown.
func (c *Client) Stop(ctx context.Context, d deploy.Deployment) error {
	now, err := c.Get(ctx, d.Target, d.ID)
	if err != nil {
		return fmt.Errorf("stop %s: %w", d.ID, err)
	}
	if !now.Running() { // it may be in a later stage: that is another target
		return fmt.Errorf("stop %s of %s: it is %s: %w", d.ID, d.Target, now.Status, deploy.ErrEnded)
	}
	_, err = c.api.StopPipelineExecution(ctx, &codepipeline.StopPipelineExecutionInput{
		PipelineName: &d.Target.Application, PipelineExecutionId: aws.String(string(d.ID)), Abandon: false, Reason: aws.String(stopped),
	})
	if failed, ok := errors.AsType[smithy.APIError](err); ok && failed.ErrorCode() == "DuplicatedStopRequestException" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop %s of %s: %w", d.ID, d.Target, classify(err))
	}
	return nil
}

// Restore rolls the stage back to an execution, whose artifacts all its actions
// get again, approvals included. It makes one attempt: RollbackStage has no
// idempotency token. deploy.ErrBusy if something is in the stage, deploy.ErrNotReady
// if CodePipeline will not go back to that execution, deploy.ErrUnknown.
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	t := r.Place.Target
	out, err := c.api.RollbackStage(ctx, &codepipeline.RollbackStageInput{
		PipelineName: &t.Application, StageName: &t.Group, TargetPipelineExecutionId: aws.String(string(r.To)),
	}, once)
	if err = classify(err); errors.Is(err, deploy.ErrNotReady) {
		return "", fmt.Errorf("roll %s back to %s: %w", t, r.To, c.unable(ctx, t, r.To, err))
	}
	if err != nil {
		return "", fmt.Errorf("roll %s back to %s: %w", t, r.To, err)
	}
	return deploy.ID(aws.ToString(out.PipelineExecutionId)), nil
}

// unable says why CodePipeline refused. It has one error for a stage that is not
// free and for an execution that will never do.
func (c *Client) unable(ctx context.Context, t deploy.Target, r deploy.Revision, refused error) error {
	if state, err := c.state(ctx, t); err == nil && state.LatestExecution != nil && !stageStatus(state.LatestExecution.Status).Ended() {
		return fmt.Errorf("execution %s is in it: %w", aws.ToString(state.LatestExecution.PipelineExecutionId), deploy.ErrBusy)
	}
	if why := c.Ready(ctx, deploy.Place{Target: t}, r); errors.Is(why, deploy.ErrNotReady) || errors.Is(why, deploy.ErrUnknown) {
		return why // it says what can be done instead
	}
	return refused
}

// errNoHeal says why nothing is healed.
var errNoHeal = errors.New("a stage is never stuck: heal what it deploys, or roll it back")

// Heal refuses.
func (*Client) Heal(_ context.Context, was deploy.Live, _ deploy.Revision) error {
	return fmt.Errorf("heal %s: %w", was.Place.Target, errNoHeal)
}
