package codepipeline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) retryStageExecution(c *wire.Call, in *codepipeline.RetryStageExecutionInput) (*codepipeline.RetryStageExecutionOutput, error) {
	p, i, err := s.stage(in.PipelineName, in.StageName)
	if err != nil {
		return nil, err
	}
	if in.RetryMode != cptypes.StageRetryModeFailedActions && in.RetryMode != cptypes.StageRetryModeAllActions {
		return nil, invalid("1 validation error detected: Value '%s' at 'retryMode' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]", in.RetryMode)
	}
	e := p.find(in.PipelineExecutionId)
	if err := p.checkLatest(e, i); err != nil {
		return nil, err
	}
	r := e.stages[*in.StageName]
	if r.status != cptypes.StageExecutionStatusFailed || e.version != p.version() || in.RetryMode == cptypes.StageRetryModeFailedActions && !r.failed() {
		return nil, &cptypes.StageNotRetryableException{Message: aws.String("Unable to retry. The pipeline structure or stage state might have changed " +
			"while actions awaited retry, or the stage contains no failed actions.")}
	}
	if err := p.full(); err != nil {
		return nil, err
	}
	r.manual++
	r.retry = cptypes.RetryTriggerManualStageRetry
	s.resume(context.WithoutCancel(c.Context), r, in.RetryMode)
	return &codepipeline.RetryStageExecutionOutput{PipelineExecutionId: aws.String(e.id)}, nil
}
