package codepipeline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// overrideStageCondition lets an execution go on whatever a condition says: one
// that is still being checked, or one that has failed the stage.
func (s *Service) overrideStageCondition(c *wire.Call, in *codepipeline.OverrideStageConditionInput) (*codepipeline.OverrideStageConditionOutput, error) {
	p, i, err := s.stage(in.PipelineName, in.StageName)
	if err != nil {
		return nil, err
	}
	kind := map[cptypes.ConditionType]string{cptypes.ConditionTypeBeforeEntry: beforeEntry, cptypes.ConditionTypeOnSuccess: onSuccess}[in.ConditionType]
	if kind == "" {
		return nil, invalid("1 validation error detected: Value '%s' at 'conditionType' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [BEFORE_ENTRY, ON_SUCCESS]", in.ConditionType)
	}
	e := p.find(in.PipelineExecutionId)
	if err := p.checkLatest(e, i); err != nil {
		return nil, err
	}
	r := e.stages[*in.StageName]
	k := r.conditions[kind]
	switch {
	case k == nil:
	case k.status == cptypes.ConditionExecutionStatusInProgress:
		k.status = cptypes.ConditionExecutionStatusOverridden
		s.close(k)
		s.held(context.WithoutCancel(c.Context), r, k)
		return &codepipeline.OverrideStageConditionOutput{}, nil
	case r.status == cptypes.StageExecutionStatusFailed && k.result == cptypes.ResultFail && k.broken():
		if err := p.full(); err != nil {
			return nil, err
		}
		s.reopen(context.WithoutCancel(c.Context), r, k)
		return &codepipeline.OverrideStageConditionOutput{}, nil
	}
	return nil, &cptypes.ConditionNotOverridableException{Message: aws.String("Unable to override because the condition does not allow overrides.")}
}

func (k *conditionRun) broken() bool {
	return k.status == cptypes.ConditionExecutionStatusFailed || k.status == cptypes.ConditionExecutionStatusErrored
}

// reopen goes on where a condition has failed a stage.
func (s *Service) reopen(ctx context.Context, r *stageRun, k *conditionRun) {
	e := r.e
	k.status, k.at = cptypes.ConditionExecutionStatusOverridden, s.now()
	e.phase, e.status, e.updated = inside, cptypes.PipelineExecutionStatusInProgress, s.now()
	r.status = cptypes.StageExecutionStatusInProgress
	s.tellPipeline(ctx, e, stateResumed)
	s.tellStage(ctx, r, stateResumed)
	s.held(ctx, r, k)
}

// checkLatest refuses an execution that was not the last one in a stage. In mode
// PARALLEL there is no last one.
func (p *pipeline) checkLatest(e *execution, stage int) error {
	name := *p.current().Stages[stage].Name
	if e == nil || e.stages[name] == nil || p.mode() != cptypes.ExecutionModeParallel && p.latest[name] != e {
		return &cptypes.NotLatestPipelineExecutionException{Message: aws.String(
			"The stage has failed in a later run of the pipeline and the pipelineExecutionId associated with the request is out of date.")}
	}
	return nil
}
