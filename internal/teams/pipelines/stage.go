package pipelines

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Stage is a stage of the pipeline and what is behind it.
type Stage struct {
	*Pipeline
	name    string
	servers *servers.Team
}

// Target is the stage.
func (s *Stage) Target() deploy.Target {
	return deploy.Target{Kind: deploy.KindStage, Application: s.Name, Group: s.name}
}

// Live returns the releases that the servers of the stage have.
func (s *Stage) Live(ctx context.Context) ([]string, error) { return s.servers.Live(ctx) }

// Complain says how many customers of the stage have complained.
func (s *Stage) Complain(ctx context.Context, customers float64) error {
	return s.servers.Complain(ctx, customers)
}

// Deployments returns the ways of the pipeline's executions through the stage,
// newest first, but for the one that installed it.
func (s *Stage) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	all, err := s.executions(ctx)
	if err != nil {
		return nil, err
	}
	var found []teams.Deployment
	for _, e := range all {
		id := *e.PipelineExecutionId
		if id == s.first {
			continue
		}
		out, err := s.pipeline.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{
			PipelineName: &s.Name, Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: &id},
		})
		if err != nil {
			return nil, fmt.Errorf("actions of execution %s: %w", id, err)
		}
		for _, a := range out.ActionExecutionDetails {
			if aws.ToString(a.StageName) == s.name {
				found = append(found, deployment(e, a))
				break // the newest attempt
			}
		}
	}
	return found, nil
}

func deployment(e cptypes.PipelineExecutionSummary, a cptypes.ActionExecutionDetail) teams.Deployment {
	d := teams.Deployment{ID: deploy.ID(*e.PipelineExecutionId), Status: string(a.Status)}
	if a.Output != nil && a.Output.ExecutionResult != nil && a.Output.ExecutionResult.ErrorDetails != nil {
		d.Cause = aws.ToString(a.Output.ExecutionResult.ErrorDetails.Code)
	}
	if e.Trigger != nil && e.Trigger.TriggerType == cptypes.TriggerTypeAutomatedRollback {
		d.By = "codepipeline"
	}
	return d
}

// Close closes the way into the stage, and Open opens it.
func (s *Stage) Close(ctx context.Context, reason string) error {
	_, err := s.pipeline.DisableStageTransition(ctx, &codepipeline.DisableStageTransitionInput{
		PipelineName: &s.Name, StageName: &s.name, TransitionType: cptypes.StageTransitionTypeInbound, Reason: &reason,
	})
	if err != nil {
		return fmt.Errorf("close %s: %w", s.Target(), err)
	}
	return nil
}

// Open opens the way into the stage.
func (s *Stage) Open(ctx context.Context) error {
	_, err := s.pipeline.EnableStageTransition(ctx, &codepipeline.EnableStageTransitionInput{
		PipelineName: &s.Name, StageName: &s.name, TransitionType: cptypes.StageTransitionTypeInbound,
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", s.Target(), err)
	}
	return nil
}

// Closed says why nothing may go into the stage; empty if it is open.
func (s *Stage) Closed(ctx context.Context) (string, error) {
	out, err := s.pipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &s.Name})
	if err != nil {
		return "", fmt.Errorf("state of %s: %w", s.Target(), err)
	}
	for _, st := range out.StageStates {
		if aws.ToString(st.StageName) == s.name && st.InboundTransitionState != nil && !st.InboundTransitionState.Enabled {
			return aws.ToString(st.InboundTransitionState.DisabledReason), nil
		}
	}
	return "", nil
}

// Update makes the pipeline anew as it is, which gives its structure another
// version: nothing can be rolled back to what was before.
func (s *Stage) Update(ctx context.Context) error {
	have, err := s.pipeline.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &s.Name})
	if err != nil {
		return fmt.Errorf("get pipeline %s: %w", s.Name, err)
	}
	if _, err := s.pipeline.UpdatePipeline(ctx, &codepipeline.UpdatePipelineInput{Pipeline: have.Pipeline}); err != nil {
		return fmt.Errorf("update pipeline %s: %w", s.Name, err)
	}
	return nil
}
