package stages

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// pageSize is the largest page of a history (API reference, ListActionExecutions
// and ListPipelineExecutions: MaxResults).
const pageSize = 100

// An execution is what is known of a pipeline execution as a whole.
type execution struct {
	status  cptypes.PipelineExecutionStatus
	kind    cptypes.ExecutionType
	target  string // of a rollback
	trigger cptypes.ExecutionTrigger
	reason  string // of a stop
}

// A passage is the way of one pipeline execution through the stage.
type passage struct {
	id      string
	of      execution
	known   bool // of was read
	entered time.Time
	updated time.Time
	actions map[string]cptypes.ActionExecutionDetail // the last run of each
	onward  bool                                     // it has gone on to another stage
}

// revision is the execution that brought the artifacts first.
func (p *passage) revision() deploy.Revision {
	if p.of.kind == cptypes.ExecutionTypeRollback && p.of.target != "" {
		return deploy.Revision(p.of.target)
	}
	return deploy.Revision(p.id)
}

// deploys are the actions that change what serves.
func (p *passage) deploys() []cptypes.ActionExecutionDetail {
	var all []cptypes.ActionExecutionDetail
	for _, a := range p.actions {
		if a.Input != nil && a.Input.ActionTypeId != nil && a.Input.ActionTypeId.Category == cptypes.ActionCategoryDeploy {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b cptypes.ActionExecutionDetail) int {
		return aws.ToTime(a.StartTime).Compare(aws.ToTime(b.StartTime))
	})
	return all
}

// any reports whether the last run of an action has a status.
func (p *passage) any(status cptypes.ActionExecutionStatus) bool {
	for _, a := range p.actions {
		if a.Status == status {
			return true
		}
	}
	return false
}

// A history is what went through a stage, newest first.
type history struct {
	stage    deploy.Target
	latest   *cptypes.StageExecution // that is in the stage, or was last; nil in mode PARALLEL
	passages []*passage
	whole    bool // there was nothing before
}

// status says where a passage stands. Of the last one CodePipeline says it; the
// others have left the stage, and how is seen by what they did and where they went.
func (h *history) status(p *passage) deploy.Status {
	if h.latest != nil && aws.ToString(h.latest.PipelineExecutionId) == p.id {
		return stageStatus(h.latest.Status)
	}
	switch {
	case p.any(cptypes.ActionExecutionStatusInProgress):
		return deploy.InProgress
	case p.onward:
		return deploy.Succeeded
	case p.any(cptypes.ActionExecutionStatusFailed):
		return deploy.Failed
	case p.any(cptypes.ActionExecutionStatusAbandoned):
		return deploy.Stopped
	}
	return h.left(p)
}

// left says how a passage ended all of whose actions have ended well, and that has
// not been seen elsewhere since.
func (h *history) left(p *passage) deploy.Status {
	switch p.of.status {
	case cptypes.PipelineExecutionStatusFailed:
		return deploy.Failed
	case cptypes.PipelineExecutionStatusStopped, cptypes.PipelineExecutionStatusCancelled:
		return deploy.Stopped
	case cptypes.PipelineExecutionStatusInProgress, cptypes.PipelineExecutionStatusStopping:
		if h.latest != nil {
			return deploy.Succeeded // it waits for the next stage: another one has entered this
		}
		return deploy.InProgress // between two actions
	case cptypes.PipelineExecutionStatusSucceeded, cptypes.PipelineExecutionStatusSuperseded:
		return deploy.Succeeded // it is superseded in front of a stage, never in one
	default:
		return deploy.InProgress
	}
}

// stageStatus says a stage's status in CodeDeploy's words.
func stageStatus(s cptypes.StageExecutionStatus) deploy.Status {
	switch s {
	case cptypes.StageExecutionStatusSucceeded, cptypes.StageExecutionStatusSkipped:
		return deploy.Succeeded
	case cptypes.StageExecutionStatusFailed:
		return deploy.Failed
	case cptypes.StageExecutionStatusStopped, cptypes.StageExecutionStatusCancelled:
		return deploy.Stopped
	case cptypes.StageExecutionStatusInProgress, cptypes.StageExecutionStatusStopping:
		return deploy.InProgress
	default:
		return deploy.InProgress
	}
}

// state returns the state of a stage: deploy.ErrUnknown.
func (c *Client) state(ctx context.Context, t deploy.Target) (cptypes.StageState, error) {
	out, err := c.api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &t.Application})
	if err != nil {
		return cptypes.StageState{}, fmt.Errorf("get state of %s: %w", t, classify(err))
	}
	for _, s := range out.StageStates {
		if aws.ToString(s.StageName) == t.Group {
			return s, nil
		}
	}
	return cptypes.StageState{}, fmt.Errorf("get state of %s: the pipeline has no such stage: %w", t, deploy.ErrUnknown)
}

// read returns the newest passages through a stage, until there are enough. The
// last of those that are looked at may have more actions than were read, so it is
// left out unless there are no others.
func (c *Client) read(ctx context.Context, t deploy.Target, enough func(*history) bool) (*history, error) {
	state, err := c.state(ctx, t)
	if err != nil {
		return nil, err
	}
	executions, err := c.executions(ctx, t)
	if err != nil {
		return nil, err
	}
	h := &history{stage: t, latest: state.LatestExecution}
	g := &gatherer{stage: t.Group, elsewhere: map[string]bool{}}
	in := &codepipeline.ListActionExecutionsInput{PipelineName: &t.Application, MaxResults: aws.Int32(pageSize)}
	for range maxPages {
		out, err := c.api.ListActionExecutions(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list actions of %s: %w", t, classify(err))
		}
		g.add(out.ActionExecutionDetails)
		in.NextToken = out.NextToken
		h.whole = aws.ToString(in.NextToken) == ""
		h.passages = g.complete(h.whole)
		if err := c.know(ctx, t, h.passages, executions); err != nil {
			return nil, err
		}
		if h.whole || enough(h) {
			return h, nil
		}
	}
	return h, errEndless
}

// executions returns the newest executions of a pipeline by their ids.
func (c *Client) executions(ctx context.Context, t deploy.Target) (map[string]execution, error) {
	out, err := c.api.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &t.Application, MaxResults: aws.Int32(pageSize)})
	if err != nil {
		return nil, fmt.Errorf("list executions of %s: %w", t, classify(err))
	}
	all := make(map[string]execution)
	for _, e := range out.PipelineExecutionSummaries {
		all[aws.ToString(e.PipelineExecutionId)] = summary(e)
	}
	return all, nil
}

func summary(e cptypes.PipelineExecutionSummary) execution {
	known := execution{status: e.Status, kind: e.ExecutionType}
	if e.RollbackMetadata != nil {
		known.target = aws.ToString(e.RollbackMetadata.RollbackTargetPipelineExecutionId)
	}
	if e.Trigger != nil {
		known.trigger = *e.Trigger
	}
	if e.StopTrigger != nil {
		known.reason = aws.ToString(e.StopTrigger.Reason)
	}
	return known
}

// know fills in the executions of passages. One that is too old for the list is
// looked up by itself.
func (c *Client) know(ctx context.Context, t deploy.Target, passages []*passage, executions map[string]execution) error {
	for _, p := range passages {
		if p.known {
			continue
		}
		if p.of, p.known = executions[p.id]; p.known {
			continue
		}
		e, err := c.execution(ctx, t, deploy.Revision(p.id))
		if err != nil {
			return err
		}
		p.of, p.known = execution{status: e.Status, kind: e.ExecutionType}, true
		if e.RollbackMetadata != nil {
			p.of.target = aws.ToString(e.RollbackMetadata.RollbackTargetPipelineExecutionId)
		}
		if e.Trigger != nil {
			p.of.trigger = *e.Trigger
		}
	}
	return nil
}

// execution looks one execution up: deploy.ErrUnknown.
func (c *Client) execution(ctx context.Context, t deploy.Target, id deploy.Revision) (*cptypes.PipelineExecution, error) {
	out, err := c.api.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{
		PipelineName: &t.Application, PipelineExecutionId: aws.String(string(id)),
	})
	if err != nil {
		return nil, fmt.Errorf("get execution %s of %s: %w", id, t.Application, classify(err))
	}
	if out.PipelineExecution == nil {
		return nil, fmt.Errorf("get execution %s of %s: empty answer", id, t.Application)
	}
	return out.PipelineExecution, nil
}

// A gatherer puts the actions of a pipeline, newest first, together to passages
// through one stage.
type gatherer struct {
	stage     string
	elsewhere map[string]bool // executions that have been seen in other stages, later
	passages  []*passage
}

func (g *gatherer) add(actions []cptypes.ActionExecutionDetail) {
	for _, a := range actions {
		id := aws.ToString(a.PipelineExecutionId)
		if aws.ToString(a.StageName) != g.stage {
			g.elsewhere[id] = true
			continue
		}
		i := slices.IndexFunc(g.passages, func(p *passage) bool { return p.id == id })
		if i < 0 {
			i = len(g.passages)
			g.passages = append(g.passages, &passage{id: id, onward: g.elsewhere[id], actions: map[string]cptypes.ActionExecutionDetail{}})
		}
		p := g.passages[i]
		p.entered = aws.ToTime(a.StartTime).UTC()
		if updated := aws.ToTime(a.LastUpdateTime).UTC(); updated.After(p.updated) {
			p.updated = updated
		}
		if _, again := p.actions[aws.ToString(a.ActionName)]; !again {
			p.actions[aws.ToString(a.ActionName)] = a
		}
	}
}

// complete returns the passages all of whose actions were read, newest first.
func (g *gatherer) complete(whole bool) []*passage {
	all := g.passages
	if !whole && len(all) > 0 {
		all = all[:len(all)-1]
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b *passage) int { return b.entered.Compare(a.entered) })
}
