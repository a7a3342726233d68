package codepipeline

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) listActionExecutions(_ *wire.Call, in *codepipeline.ListActionExecutionsInput) (*codepipeline.ListActionExecutionsOutput, error) {
	p, err := s.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	var id *string
	var latest *cptypes.LatestInPipelineExecutionFilter
	if in.Filter != nil {
		id, latest = in.Filter.PipelineExecutionId, in.Filter.LatestInPipelineExecution
	}
	executions, last, err := p.chosen(id, latest)
	if err != nil {
		return nil, err
	}
	var all []*actionRun
	for _, e := range executions {
		for _, a := range e.actions {
			if !last || !a.started.Before(e.retried) {
				all = append(all, a)
			}
		}
	}
	all, next, err := page(newest(all, func(a, b *actionRun) bool { return a.started.Before(b.started) }), in.NextToken, in.MaxResults, mostHistory)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListActionExecutionsOutput{ActionExecutionDetails: []cptypes.ActionExecutionDetail{}, NextToken: next}
	for _, a := range all {
		out.ActionExecutionDetails = append(out.ActionExecutionDetails, s.actionDetail(a))
	}
	return out, nil
}

// chosen are the executions of a filter, and whether only what was started since
// the last retry is asked for.
func (p *pipeline) chosen(id *string, latest *cptypes.LatestInPipelineExecutionFilter) ([]*execution, bool, error) {
	last := false
	if latest != nil {
		id, last = latest.PipelineExecutionId, latest.StartTimeRange == cptypes.StartTimeRangeLatest
	}
	if id == nil {
		return p.executions, false, nil
	}
	e, err := p.execution(id)
	if err != nil {
		return nil, false, err
	}
	return []*execution{e}, last, nil
}

func (s *Service) actionDetail(a *actionRun) cptypes.ActionExecutionDetail {
	d := a.declaration()
	out := cptypes.ActionExecutionDetail{
		PipelineExecutionId: aws.String(a.e.id), ActionExecutionId: aws.String(a.id), PipelineVersion: aws.Int32(a.e.version),
		StageName: aws.String(a.stage), ActionName: aws.String(a.name), StartTime: aws.Time(a.started), LastUpdateTime: aws.Time(a.updated),
		UpdatedBy: text(a.by), Status: a.status,
		Input: &cptypes.ActionExecutionInput{
			ActionTypeId: d.ActionTypeId, Configuration: d.Configuration, ResolvedConfiguration: a.config, RoleArn: d.RoleArn,
			Region: aws.String(s.w.Region), InputArtifacts: placed(a.inputs), Namespace: d.Namespace,
		},
		Output: &cptypes.ActionExecutionOutput{
			OutputArtifacts: []cptypes.ArtifactDetail{}, OutputVariables: a.variables,
			ExecutionResult: &cptypes.ActionExecutionResult{
				ExternalExecutionId: text(a.externalID), ExternalExecutionSummary: text(a.summary), ExternalExecutionUrl: text(a.externalURL),
				ErrorDetails: details(a.errorCode, a.errorMessage),
			},
		},
	}
	if a.status == cptypes.ActionExecutionStatusSucceeded {
		out.Output.OutputArtifacts = placed(a.outputs)
	}
	return out
}

// placed shows where artifacts are in S3.
func placed(all []artifact) []cptypes.ArtifactDetail {
	list := []cptypes.ArtifactDetail{}
	for _, x := range all {
		list = append(list, cptypes.ArtifactDetail{
			Name: aws.String(x.name), S3location: &cptypes.S3Location{Bucket: aws.String(x.bucket), Key: aws.String(x.key)},
		})
	}
	return list
}

func (s *Service) listRuleExecutions(_ *wire.Call, in *codepipeline.ListRuleExecutionsInput) (*codepipeline.ListRuleExecutionsOutput, error) {
	p, err := s.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	var id *string
	var latest *cptypes.LatestInPipelineExecutionFilter
	if in.Filter != nil {
		id, latest = in.Filter.PipelineExecutionId, in.Filter.LatestInPipelineExecution
	}
	executions, last, err := p.chosen(id, latest)
	if err != nil {
		return nil, err
	}
	var all []*ruleRun
	for _, e := range executions {
		for _, r := range e.rules {
			if !last || !r.started.Before(e.retried) {
				all = append(all, r)
			}
		}
	}
	all, next, err := page(newest(all, func(a, b *ruleRun) bool { return a.started.Before(b.started) }), in.NextToken, in.MaxResults, mostHistory)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListRuleExecutionsOutput{RuleExecutionDetails: []cptypes.RuleExecutionDetail{}, NextToken: next}
	for _, r := range all {
		out.RuleExecutionDetails = append(out.RuleExecutionDetails, s.ruleDetail(r))
	}
	return out, nil
}

func (s *Service) ruleDetail(r *ruleRun) cptypes.RuleExecutionDetail {
	return cptypes.RuleExecutionDetail{
		PipelineExecutionId: aws.String(r.e.id), RuleExecutionId: aws.String(r.id), PipelineVersion: aws.Int32(r.e.version),
		StageName: aws.String(r.stage), RuleName: r.declared.Name, StartTime: aws.Time(r.started), LastUpdateTime: aws.Time(r.updated), Status: r.status,
		Input: &cptypes.RuleExecutionInput{
			RuleTypeId: r.declared.RuleTypeId, Configuration: r.declared.Configuration, ResolvedConfiguration: r.declared.Configuration,
			RoleArn: r.declared.RoleArn, Region: aws.String(s.w.Region), InputArtifacts: []cptypes.ArtifactDetail{},
		},
		Output: &cptypes.RuleExecutionOutput{ExecutionResult: &cptypes.RuleExecutionResult{
			ExternalExecutionSummary: text(r.summary), ErrorDetails: details(r.errorCode, r.errorMessage),
		}},
	}
}
