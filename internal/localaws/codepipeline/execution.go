package codepipeline

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxConcurrent is how many executions of a queued or parallel pipeline are in
// progress (user guide, "Quotas in AWS CodePipeline").
const maxConcurrent = 50

// phase is where an execution is.
type phase int

const (
	waiting phase = iota // to enter its stage
	inside               // its stage
	over
)

// execution is one way of changes through a pipeline.
type execution struct {
	id      string
	p       *pipeline
	version int32
	mode    cptypes.ExecutionMode
	kind    cptypes.ExecutionType
	target  string // of a rollback
	trigger cptypes.ExecutionTrigger
	status  cptypes.PipelineExecutionStatus
	reason  string // of a stop

	started time.Time
	updated time.Time
	attempt int       // 1, and one more with each retry
	retried time.Time // when the last retry was

	phase phase
	stage int // in which it is, or which it waits to enter
	ready bool
	next  wake // becomes ready

	overrides []cptypes.SourceRevisionOverride
	revisions []revision                   // of the sources
	variables []variable                   // of the pipeline, in the order of its structure
	outputs   map[string]map[string]string // by namespace
	artifacts map[string]artifact          // by name
	stages    map[string]*stageRun         // by name
	actions   []*actionRun                 // oldest first
	rules     []*ruleRun                   // oldest first
}

// variable is a variable of the pipeline with its value.
type variable struct{ name, value string }

// artifact is where an artifact is.
type artifact struct{ name, bucket, key, etag, revision string }

// revision is what a source action found.
type revision struct {
	action, artifact string
	id, change       string
	created          time.Time
	summary          string
}

// declaration is the structure that the execution follows.
func (e *execution) declaration() *cptypes.PipelineDeclaration { return e.p.versions[e.version-1] }

// place is the stage in which the execution is.
func (e *execution) place() *cptypes.StageDeclaration { return &e.declaration().Stages[e.stage] }

// newExecution makes a standard execution of the current structure.
func (s *Service) newExecution(p *pipeline, trigger cptypes.ExecutionTrigger) *execution {
	e := &execution{
		id: s.w.UUID(), p: p, version: p.version(), mode: p.mode(), kind: cptypes.ExecutionTypeStandard, trigger: trigger,
		status: cptypes.PipelineExecutionStatusInProgress, started: s.now(), updated: s.now(), attempt: 1,
		outputs: map[string]map[string]string{}, artifacts: map[string]artifact{}, stages: map[string]*stageRun{},
	}
	for _, v := range p.current().Variables {
		e.variables = append(e.variables, variable{name: *v.Name, value: aws.ToString(v.DefaultValue)})
	}
	return e
}

func (s *Service) startPipelineExecution(c *wire.Call, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	p, err := s.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	if id := p.tokens[aws.ToString(in.ClientRequestToken)]; id != "" {
		return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: aws.String(id)}, nil
	}
	if err := p.full(); err != nil {
		return nil, err
	}
	e := s.newExecution(p, started(c))
	if err := e.setVariables(in.Variables); err != nil {
		return nil, err
	}
	if err := p.checkOverrides(in.SourceRevisions); err != nil {
		return nil, err
	}
	e.overrides = in.SourceRevisions
	if in.ClientRequestToken != nil {
		p.tokens[*in.ClientRequestToken] = e.id
	}
	s.begin(context.WithoutCancel(c.Context), e)
	return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: aws.String(e.id)}, nil
}

// started says who starts an execution. A rule's target is a trigger of its own
// kind (API reference, ExecutionTrigger).
func started(c *wire.Call) cptypes.ExecutionTrigger {
	if c.Principal.Service == "events.amazonaws.com" {
		return cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypeCloudWatchEvent, TriggerDetail: aws.String(c.Principal.SourceARN)}
	}
	return cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypeStartPipelineExecution, TriggerDetail: aws.String(c.Principal.ARN)}
}

// full refuses one more execution in progress.
func (p *pipeline) full() error {
	n := 0
	for _, e := range p.executions {
		if e.phase != over {
			n++
		}
	}
	if p.mode() != cptypes.ExecutionModeSuperseded && n >= maxConcurrent {
		return &cptypes.ConcurrentPipelineExecutionsLimitExceededException{Message: aws.String(
			"The pipeline has reached the limit for concurrent pipeline executions.")}
	}
	return nil
}

// find returns an execution, or nil.
func (p *pipeline) find(id *string) *execution {
	for _, e := range p.executions {
		if e.id == aws.ToString(id) {
			return e
		}
	}
	return nil
}

func (p *pipeline) execution(id *string) (*execution, error) {
	e := p.find(id)
	if e == nil {
		return nil, &cptypes.PipelineExecutionNotFoundException{Message: aws.String(
			"Pipeline '" + p.name + "' does not have an execution with id '" + aws.ToString(id) + "'")}
	}
	return e, nil
}

func (s *Service) getPipelineExecution(_ *wire.Call, in *codepipeline.GetPipelineExecutionInput) (*codepipeline.GetPipelineExecutionOutput, error) {
	p, err := s.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	e, err := p.execution(in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	out := &cptypes.PipelineExecution{
		PipelineName: aws.String(p.name), PipelineVersion: aws.Int32(e.version), PipelineExecutionId: aws.String(e.id), Status: e.status,
		ArtifactRevisions: []cptypes.ArtifactRevision{}, Trigger: &e.trigger, ExecutionMode: e.mode, ExecutionType: e.kind,
		RollbackMetadata: e.rollback(),
	}
	for _, r := range e.revisions {
		out.ArtifactRevisions = append(out.ArtifactRevisions, cptypes.ArtifactRevision{
			Name: aws.String(r.artifact), RevisionId: aws.String(r.id), RevisionChangeIdentifier: aws.String(r.change),
			RevisionSummary: aws.String(r.summary), Created: aws.Time(r.created),
		})
	}
	for _, v := range e.variables {
		out.Variables = append(out.Variables, cptypes.ResolvedPipelineVariable{Name: aws.String(v.name), ResolvedValue: aws.String(v.value)})
	}
	return &codepipeline.GetPipelineExecutionOutput{PipelineExecution: out}, nil
}

func (e *execution) rollback() *cptypes.PipelineRollbackMetadata {
	if e.target == "" {
		return nil
	}
	return &cptypes.PipelineRollbackMetadata{RollbackTargetPipelineExecutionId: aws.String(e.target)}
}

// listPipelineExecutions lists the newest first. Those that succeeded in a stage
// are "all executions in the current pipeline version" (API reference).
func (s *Service) listPipelineExecutions(_ *wire.Call, in *codepipeline.ListPipelineExecutionsInput) (*codepipeline.ListPipelineExecutionsOutput, error) {
	p, err := s.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	var filter *cptypes.SucceededInStageFilter
	if in.Filter != nil {
		filter = in.Filter.SucceededInStage
	}
	all := []cptypes.PipelineExecutionSummary{}
	for _, e := range slices.Backward(p.executions) {
		if filter == nil || e.version == p.version() && e.succeededIn(aws.ToString(filter.StageName)) {
			all = append(all, e.summary())
		}
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, mostHistory)
	if err != nil {
		return nil, err
	}
	return &codepipeline.ListPipelineExecutionsOutput{PipelineExecutionSummaries: all, NextToken: next}, nil
}

func (e *execution) succeededIn(stage string) bool {
	r := e.stages[stage]
	return r != nil && r.status == cptypes.StageExecutionStatusSucceeded
}

func (e *execution) summary() cptypes.PipelineExecutionSummary {
	out := cptypes.PipelineExecutionSummary{
		PipelineExecutionId: aws.String(e.id), Status: e.status, StartTime: aws.Time(e.started), LastUpdateTime: aws.Time(e.updated),
		SourceRevisions: []cptypes.SourceRevision{}, Trigger: &e.trigger, ExecutionMode: e.mode, ExecutionType: e.kind, RollbackMetadata: e.rollback(),
	}
	for _, r := range e.revisions {
		out.SourceRevisions = append(out.SourceRevisions, cptypes.SourceRevision{
			ActionName: aws.String(r.action), RevisionId: aws.String(r.id), RevisionSummary: aws.String(r.summary),
		})
	}
	if e.reason != "" {
		out.StopTrigger = &cptypes.StopExecutionTrigger{Reason: aws.String(e.reason)}
	}
	return out
}
