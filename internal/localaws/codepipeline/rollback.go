package codepipeline

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

var executionIDs = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// rollbackStage follows the considerations of the user guide, "Configuring stage
// rollback".
func (s *Service) rollbackStage(c *wire.Call, in *codepipeline.RollbackStageInput) (*codepipeline.RollbackStageOutput, error) {
	if !executionIDs.MatchString(aws.ToString(in.TargetPipelineExecutionId)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'targetPipelineExecutionId' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
			aws.ToString(in.TargetPipelineExecutionId))
	}
	p, i, err := s.stage(in.PipelineName, in.StageName)
	if err != nil {
		return nil, err
	}
	target, err := p.execution(in.TargetPipelineExecutionId)
	if err != nil {
		return nil, err
	}
	if target.version != p.version() {
		return nil, &cptypes.PipelineExecutionOutdatedException{Message: aws.String(
			"The specified pipeline execution is outdated and cannot be used as a target pipeline execution for rollback.")}
	}
	if why := p.reason(target, i); why != "" {
		return nil, &cptypes.UnableToRollbackStageException{Message: aws.String("Unable to roll back the stage. " + why)}
	}
	e := s.rollBack(context.WithoutCancel(c.Context), target, i, cptypes.ExecutionTrigger{
		TriggerType: cptypes.TriggerTypeManualRollback, TriggerDetail: aws.String(c.Principal.ARN),
	})
	return &codepipeline.RollbackStageOutput{PipelineExecutionId: aws.String(e.id)}, nil
}

// reason says why a stage cannot be rolled back to an execution; empty if it can.
func (p *pipeline) reason(target *execution, stage int) string {
	switch {
	case p.current().PipelineType != cptypes.PipelineTypeV2:
		return "The pipeline is not of type V2."
	case p.mode() == cptypes.ExecutionModeParallel:
		return "The pipeline's execution mode is PARALLEL."
	case stage == 0:
		return "A source stage cannot be rolled back."
	case p.occupied(stage):
		return "The stage is currently running."
	case target.kind != cptypes.ExecutionTypeStandard:
		return "The target pipeline execution is a rollback."
	case !target.succeededIn(*p.current().Stages[stage].Name):
		return "The target pipeline execution did not succeed in the stage."
	default:
		return ""
	}
}

// rollBack runs a stage with the artifacts and variables of an execution. It does
// not pass a transition: it begins in the stage.
func (s *Service) rollBack(ctx context.Context, target *execution, stage int, trigger cptypes.ExecutionTrigger) *execution {
	e := s.newExecution(target.p, trigger)
	e.kind, e.target, e.stage = cptypes.ExecutionTypeRollback, target.id, stage
	e.revisions, e.variables = slices.Clone(target.revisions), slices.Clone(target.variables)
	e.artifacts, e.outputs = maps.Clone(target.artifacts), maps.Clone(target.outputs)
	e.p.executions = append(e.p.executions, e)
	s.tellPipeline(ctx, e, stateStarted)
	s.enter(ctx, e)
	return e
}
