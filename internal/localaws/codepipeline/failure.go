package codepipeline

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// unlucky is called when an action of a stage has failed: the conditions of a
// failure are checked first.
func (s *Service) unlucky(ctx context.Context, r *stageRun) {
	if f := r.e.place().OnFailure; f != nil && len(f.Conditions) > 0 && r.e.kind == cptypes.ExecutionTypeStandard {
		s.check(ctx, r, onFailure, f.Conditions[0])
		return
	}
	s.fail(ctx, r)
	f := r.e.place().OnFailure
	if f == nil || r.e.kind != cptypes.ExecutionTypeStandard {
		s.admit(ctx, r.e.p)
		return
	}
	switch {
	case f.Result == cptypes.ResultRollback:
		s.rollBackAfter(ctx, r)
	case f.Result == cptypes.ResultRetry && r.auto == 0: // "One attempt is allowed" (API reference, RetryStageMetadata)
		r.auto++
		mode := cptypes.StageRetryModeFailedActions
		if f.RetryConfiguration != nil && f.RetryConfiguration.RetryMode != "" {
			mode = f.RetryConfiguration.RetryMode
		}
		r.retry = cptypes.RetryTriggerAutomatedStageRetry
		s.resume(ctx, r, mode)
	default:
	}
	s.admit(ctx, r.e.p)
}

// fail ends a stage and its execution badly.
func (s *Service) fail(ctx context.Context, r *stageRun) {
	r.status = cptypes.StageExecutionStatusFailed
	s.giveUp(r)
	s.end(ctx, r.e, cptypes.PipelineExecutionStatusFailed)
	s.tellStage(ctx, r, stateFailed)
	s.tellPipeline(ctx, r.e, stateFailed)
}

// rollBackAfter brings the last good execution of a stage back. Without one there
// is nothing to do.
func (s *Service) rollBackAfter(ctx context.Context, r *stageRun) {
	p, stage := r.e.p, r.e.stage
	for _, e := range slices.Backward(p.executions) {
		if e != r.e && p.reason(e, stage) == "" && e.version == p.version() {
			s.rollBack(ctx, e, stage, cptypes.ExecutionTrigger{
				TriggerType: cptypes.TriggerTypeAutomatedRollback, TriggerDetail: aws.String(r.e.id),
			})
			return
		}
	}
}

// resume runs a failed stage again.
func (s *Service) resume(ctx context.Context, r *stageRun, mode cptypes.StageRetryMode) {
	e := r.e
	e.phase, e.status, e.updated = inside, cptypes.PipelineExecutionStatusInProgress, s.now()
	e.attempt++
	e.retried, r.retried = s.now(), s.now()
	r.status = cptypes.StageExecutionStatusInProgress
	s.tellPipeline(ctx, e, stateResumed)
	s.tellStage(ctx, r, stateResumed)
	if mode == cptypes.StageRetryModeFailedActions && r.failed() {
		s.act(ctx, r, func(last *actionRun) bool { return last != nil && last.status == cptypes.ActionExecutionStatusFailed })
		return
	}
	r.order, r.actions = 0, map[string]*actionRun{}
	if d := e.place(); d.BeforeEntry != nil && e.kind == cptypes.ExecutionTypeStandard {
		s.check(ctx, r, beforeEntry, d.BeforeEntry.Conditions[0])
		return
	}
	s.proceed(ctx, r)
}

// failed says whether the last run of an action failed.
func (r *stageRun) failed() bool {
	for _, d := range r.e.place().Actions {
		if a := r.actions[*d.Name]; a != nil && a.status == cptypes.ActionExecutionStatusFailed {
			return true
		}
	}
	return false
}
