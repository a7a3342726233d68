package codepipeline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// stopPipelineExecution lets the actions in progress end and starts no other, or
// abandons them: what they have begun elsewhere goes on (user guide, "Stop a
// pipeline execution").
func (s *Service) stopPipelineExecution(c *wire.Call, in *codepipeline.StopPipelineExecutionInput) (*codepipeline.StopPipelineExecutionOutput, error) {
	p, err := s.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	if len(aws.ToString(in.Reason)) > 200 {
		return nil, invalid("1 validation error detected: Value at 'reason' failed to satisfy constraint: Member must have length less than or equal to 200")
	}
	e := p.find(in.PipelineExecutionId)
	if e == nil || e.phase == over {
		return nil, &cptypes.PipelineExecutionNotStoppableException{Message: aws.String("Unable to stop the pipeline execution. " +
			"The execution might already be in a Stopped state, or it might no longer be in progress.")}
	}
	if e.status == cptypes.PipelineExecutionStatusStopping && !in.Abandon {
		return nil, &cptypes.DuplicatedStopRequestException{Message: aws.String("The pipeline execution is already in a Stopping state.")}
	}
	s.stop(context.WithoutCancel(c.Context), e, aws.ToString(in.Reason), in.Abandon)
	return &codepipeline.StopPipelineExecutionOutput{PipelineExecutionId: aws.String(e.id)}, nil
}

func (s *Service) stop(ctx context.Context, e *execution, reason string, abandon bool) {
	again := e.status == cptypes.PipelineExecutionStatusStopping
	if reason != "" {
		e.reason = reason
	}
	e.status, e.updated = cptypes.PipelineExecutionStatusStopping, s.now()
	if !again {
		s.tellPipeline(ctx, e, stateStopping)
	}
	if e.phase == waiting {
		s.end(ctx, e, cptypes.PipelineExecutionStatusStopped)
		s.tellPipeline(ctx, e, stateStopped)
		return
	}
	r := e.stages[*e.place().Name]
	r.status = cptypes.StageExecutionStatusStopping
	if !again {
		s.tellStage(ctx, r, stateStopping)
	}
	if abandon {
		s.abandon(ctx, r, stateAbandoned)
	}
	if !r.busy() {
		s.stopped(ctx, r)
	}
}

// busy says whether an action is in progress.
func (r *stageRun) busy() bool {
	for _, d := range r.e.place().Actions {
		if a := r.actions[*d.Name]; a != nil && a.status == cptypes.ActionExecutionStatusInProgress {
			return true
		}
	}
	return false
}

// stopped ends an execution that was stopped.
func (s *Service) stopped(ctx context.Context, r *stageRun) {
	r.status = cptypes.StageExecutionStatusStopped
	s.giveUp(r)
	s.end(ctx, r.e, cptypes.PipelineExecutionStatusStopped)
	s.tellStage(ctx, r, stateStopped)
	s.tellPipeline(ctx, r.e, stateStopped)
	s.admit(ctx, r.e.p)
}
