package codepipeline

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxPipelines is how many pipelines an account has (user guide, "Quotas in AWS
// CodePipeline").
const maxPipelines = 1000

// pipeline is a pipeline with its history.
type pipeline struct {
	name       string
	versions   []*cptypes.PipelineDeclaration // the version n is at n-1
	created    time.Time
	updated    time.Time
	tags       map[string]string
	gates      map[string]*gate      // by the name of their stage
	executions []*execution          // oldest first
	latest     map[string]*execution // by stage: who entered it last
	tokens     map[string]string     // of StartPipelineExecution, to the execution
	seen       map[string]string     // by source action: the revision it had last
	sessions   map[string]session    // by role
	poll       wake                  // looks for new revisions
}

// current is the structure of the pipeline.
func (p *pipeline) current() *cptypes.PipelineDeclaration { return p.versions[len(p.versions)-1] }

func (p *pipeline) mode() cptypes.ExecutionMode { return p.current().ExecutionMode }

func (p *pipeline) version() int32 { return aws.ToInt32(p.current().Version) }

// index is where in the pipeline a stage is, or -1.
func (p *pipeline) index(stage *string) int {
	return slices.IndexFunc(p.current().Stages, func(d cptypes.StageDeclaration) bool { return *d.Name == aws.ToString(stage) })
}

func (s *Service) pipeline(name *string) (*pipeline, error) {
	p := s.pipelines[aws.ToString(name)]
	if p == nil {
		return nil, &cptypes.PipelineNotFoundException{Message: aws.String(
			"Account '" + s.w.Account + "' does not have a pipeline with name '" + aws.ToString(name) + "'")}
	}
	return p, nil
}

// stage finds a pipeline and one of its stages.
func (s *Service) stage(name, stage *string) (*pipeline, int, error) {
	p, err := s.pipeline(name)
	if err != nil {
		return nil, 0, err
	}
	i := p.index(stage)
	if i < 0 {
		return nil, 0, &cptypes.StageNotFoundException{Message: aws.String(
			"Pipeline '" + p.name + "' does not have a stage with name '" + aws.ToString(stage) + "'")}
	}
	return p, i, nil
}

func (s *Service) createPipeline(c *wire.Call, in *codepipeline.CreatePipelineInput) (*codepipeline.CreatePipelineOutput, error) {
	d, err := s.checked(in.Pipeline)
	if err != nil {
		return nil, err
	}
	if s.pipelines[*d.Name] != nil {
		return nil, &cptypes.PipelineNameInUseException{Message: aws.String(
			"A pipeline with the name '" + *d.Name + "' already exists in account '" + s.w.Account + "'")}
	}
	if len(s.pipelines) >= maxPipelines {
		return nil, &cptypes.LimitExceededException{Message: aws.String("The account already has the maximum number of pipelines.")}
	}
	tags := map[string]string{}
	if err := addTags(tags, in.Tags); err != nil {
		return nil, err
	}
	d.Version = aws.Int32(1)
	p := &pipeline{
		name: *d.Name, versions: []*cptypes.PipelineDeclaration{d}, created: s.now(), updated: s.now(), tags: tags, gates: map[string]*gate{},
		latest: map[string]*execution{}, tokens: map[string]string{}, seen: map[string]string{},
		sessions: map[string]session{},
	}
	s.pipelines[p.name] = p
	ctx := context.WithoutCancel(c.Context)
	s.watch(ctx, p)
	// A new pipeline runs at once (user guide, "Create a pipeline, stages, and actions").
	s.begin(ctx, s.newExecution(p, cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypeCreatePipeline, TriggerDetail: aws.String(c.Principal.ARN)}))
	return &codepipeline.CreatePipelineOutput{Pipeline: d, Tags: tagList(tags)}, nil
}

func (s *Service) getPipeline(_ *wire.Call, in *codepipeline.GetPipelineInput) (*codepipeline.GetPipelineOutput, error) {
	p, err := s.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	d := p.current()
	if v := aws.ToInt32(in.Version); in.Version != nil {
		if v < 1 || int(v) > len(p.versions) {
			return nil, &cptypes.PipelineVersionNotFoundException{Message: aws.String("The pipeline version was specified in an invalid format or cannot be found.")}
		}
		d = p.versions[v-1]
	}
	return &codepipeline.GetPipelineOutput{Pipeline: d, Metadata: &cptypes.PipelineMetadata{
		PipelineArn: aws.String(s.arn(p.name)), Created: aws.Time(p.created), Updated: aws.Time(p.updated),
	}}, nil
}

// updatePipeline replaces the structure. What is in progress is cancelled: "The
// pipeline's definition was updated before the pipeline execution could be
// completed" (API reference, PipelineExecution, status Cancelled).
func (s *Service) updatePipeline(c *wire.Call, in *codepipeline.UpdatePipelineInput) (*codepipeline.UpdatePipelineOutput, error) {
	d, err := s.checked(in.Pipeline)
	if err != nil {
		return nil, err
	}
	p := s.pipelines[*d.Name]
	if p == nil { // the operation has no PipelineNotFoundException
		return nil, badStructure("Account '%s' does not have a pipeline with name '%s'", s.w.Account, *d.Name)
	}
	ctx := context.WithoutCancel(c.Context)
	for _, e := range p.executions {
		if e.phase != over {
			s.cancel(ctx, e)
		}
	}
	d.Version = aws.Int32(p.version() + 1)
	p.versions = append(p.versions, d)
	p.updated = s.now()
	s.watch(ctx, p)
	return &codepipeline.UpdatePipelineOutput{Pipeline: d}, nil
}

// deletePipeline forgets a pipeline. Deleting one that is not there is no error,
// as the operation has none for it.
func (s *Service) deletePipeline(_ *wire.Call, in *codepipeline.DeletePipelineInput) (*codepipeline.DeletePipelineOutput, error) {
	if p := s.pipelines[aws.ToString(in.Name)]; p != nil {
		s.calm(&p.poll)
		for _, e := range p.executions {
			s.drop(e)
		}
		delete(s.pipelines, p.name)
	}
	return &codepipeline.DeletePipelineOutput{}, nil
}

func (s *Service) listPipelines(_ *wire.Call, in *codepipeline.ListPipelinesInput) (*codepipeline.ListPipelinesOutput, error) {
	names, next, err := page(slices.Sorted(maps.Keys(s.pipelines)), in.NextToken, in.MaxResults, maxPipelines)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListPipelinesOutput{Pipelines: []cptypes.PipelineSummary{}, NextToken: next}
	for _, name := range names {
		p := s.pipelines[name]
		out.Pipelines = append(out.Pipelines, cptypes.PipelineSummary{
			Name: aws.String(name), Version: p.current().Version, PipelineType: p.current().PipelineType, ExecutionMode: p.mode(),
			Created: aws.Time(p.created), Updated: aws.Time(p.updated),
		})
	}
	return out, nil
}
