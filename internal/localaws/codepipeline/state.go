package codepipeline

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// getPipelineState shows the last execution of each stage and action. In mode
// PARALLEL there is no last one: only the transitions are shown (user guide, "Set
// or change the pipeline execution mode").
func (s *Service) getPipelineState(_ *wire.Call, in *codepipeline.GetPipelineStateInput) (*codepipeline.GetPipelineStateOutput, error) {
	p, err := s.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.GetPipelineStateOutput{
		PipelineName: aws.String(p.name), PipelineVersion: p.current().Version, Created: aws.Time(p.created), Updated: aws.Time(p.updated),
	}
	for i, d := range p.current().Stages {
		state := cptypes.StageState{StageName: d.Name, InboundTransitionState: p.gate(i).inbound.state(), ActionStates: []cptypes.ActionState{}}
		if p.mode() != cptypes.ExecutionModeParallel {
			s.fill(&state, p, i)
		}
		out.StageStates = append(out.StageStates, state)
	}
	return out, nil
}

func (s *Service) fill(state *cptypes.StageState, p *pipeline, stage int) {
	d := p.current().Stages[stage]
	for _, e := range p.queue(stage) {
		state.InboundExecutions = append(state.InboundExecutions, cptypes.StageExecution{
			PipelineExecutionId: aws.String(e.id), Status: cptypes.StageExecutionStatusInProgress, Type: e.kind,
		})
	}
	if n := len(state.InboundExecutions); n > 0 {
		state.InboundExecution = &state.InboundExecutions[n-1]
	}
	for i := range d.Actions {
		state.ActionStates = append(state.ActionStates, s.actionState(p, *d.Name, &d.Actions[i]))
	}
	e := p.latest[*d.Name]
	if e == nil {
		return
	}
	r := e.stages[*d.Name]
	state.LatestExecution = &cptypes.StageExecution{PipelineExecutionId: aws.String(e.id), Status: r.status, Type: e.kind}
	state.BeforeEntryConditionState = r.conditions[beforeEntry].state()
	state.OnSuccessConditionState = r.conditions[onSuccess].state()
	state.OnFailureConditionState = r.conditions[onFailure].state()
	if r.retry != "" {
		state.RetryStageMetadata = &cptypes.RetryStageMetadata{LatestRetryTrigger: r.retry}
		if r.auto > 0 {
			state.RetryStageMetadata.AutoStageRetryAttempt = aws.Int32(r.auto)
		}
		if r.manual > 0 {
			state.RetryStageMetadata.ManualStageRetryAttempt = aws.Int32(r.manual)
		}
	}
}

func (t *transition) state() *cptypes.TransitionState {
	out := &cptypes.TransitionState{Enabled: !t.closed}
	if !t.at.IsZero() {
		out.LastChangedAt, out.LastChangedBy = aws.Time(t.at), aws.String(t.by)
	}
	if t.closed {
		out.DisabledReason = aws.String(t.reason)
	}
	return out
}

// actionState shows the last run of an action, of whichever execution.
func (s *Service) actionState(p *pipeline, stage string, d *cptypes.ActionDeclaration) cptypes.ActionState {
	state := cptypes.ActionState{ActionName: d.Name, EntityUrl: s.entity(d)}
	var last *actionRun
	for _, e := range p.executions {
		for _, a := range e.actions {
			if a.stage == stage && a.name == *d.Name && (last == nil || !a.started.Before(last.started)) {
				last = a
			}
		}
	}
	if last == nil {
		return state
	}
	if r := last.found; r != nil {
		state.CurrentRevision = &cptypes.ActionRevision{RevisionId: aws.String(r.id), RevisionChangeId: aws.String(r.change), Created: aws.Time(r.created)}
	}
	state.LatestExecution = &cptypes.ActionExecution{
		ActionExecutionId: aws.String(last.id), Status: last.status, LastStatusChange: aws.Time(last.updated), PercentComplete: last.percent,
		Summary: text(last.summary), ExternalExecutionId: text(last.externalID), ExternalExecutionUrl: text(last.externalURL),
		LastUpdatedBy: text(last.by), ErrorDetails: details(last.errorCode, last.errorMessage),
	}
	if last.status == cptypes.ActionExecutionStatusInProgress {
		state.LatestExecution.Token = text(last.token)
	}
	return state
}

// entity is the page of what an action works with.
func (s *Service) entity(d *cptypes.ActionDeclaration) *string {
	console, c := "https://console.aws.amazon.com/", d.Configuration
	switch *d.ActionTypeId.Provider {
	case providerS3:
		return aws.String(s3Page)
	case providerCodeDeploy:
		return aws.String(console + "codedeploy/home?#/applications/" + c["ApplicationName"] + "/deployment-groups/" + c["DeploymentGroupName"])
	case providerLambda:
		return aws.String(console + "lambda/home?region=" + s.w.Region + "#/functions/" + c["FunctionName"])
	default:
		return text(c["ExternalEntityLink"])
	}
}

// text is a text, or nothing.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func details(code, message string) *cptypes.ErrorDetails {
	if code == "" {
		return nil
	}
	return &cptypes.ErrorDetails{Code: aws.String(code), Message: aws.String(message)}
}

// state shows a condition; nil is one that was not checked.
func (k *conditionRun) state() *cptypes.StageConditionState {
	if k == nil {
		return nil
	}
	condition := cptypes.ConditionState{LatestExecution: &cptypes.ConditionExecution{Status: k.status, LastStatusChange: aws.Time(k.at)}}
	for _, r := range k.rules {
		condition.RuleStates = append(condition.RuleStates, cptypes.RuleState{RuleName: r.declared.Name, LatestExecution: &cptypes.RuleExecution{
			RuleExecutionId: aws.String(r.id), Status: r.status, Summary: text(r.summary), LastStatusChange: aws.Time(r.updated),
			ErrorDetails: details(r.errorCode, r.errorMessage),
		}})
	}
	return &cptypes.StageConditionState{
		LatestExecution: &cptypes.StageConditionsExecution{Status: k.status}, ConditionStates: []cptypes.ConditionState{condition},
	}
}

// newest sorts a history, the newest first.
func newest[T any](all []T, before func(a, b T) bool) []T {
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b T) int {
		switch {
		case before(b, a):
			return -1
		case before(a, b):
			return 1
		default:
			return 0
		}
	})
	return all
}
