package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// deployment is what is known of a passage; before is the success before it.
func (h *history) deployment(i int) deploy.Deployment {
	p := h.passages[i]
	d := deploy.Deployment{
		ID: deploy.ID(p.id), Target: h.stage, Status: h.status(p), Creator: string(p.of.trigger.TriggerType),
		To: p.revision(), Created: p.entered, Started: p.entered, Shifted: h.shifted(p),
	}
	if before := h.success(i + 1); before >= 0 {
		d.From = h.passages[before].revision()
	}
	if !d.Running() {
		d.Ended, d.Cause = p.updated, cause(p, d.Status)
	}
	d.RollsBack = h.rollsBack(i)
	for newer := range i {
		if h.rollsBack(newer) == d.ID {
			d.RolledBack = deploy.ID(h.passages[newer].id)
		}
	}
	return d
}

// success finds the newest passage from i on that has ended well, or -1.
func (h *history) success(i int) int {
	for ; i < len(h.passages); i++ {
		if h.status(h.passages[i]) == deploy.Succeeded {
			return i
		}
	}
	return -1
}

// shifted is when the first of the stage's deployments began. Of a stage that
// deploys by other means it is only known afterwards, and assumed to be the
// beginning.
func (h *history) shifted(p *passage) time.Time {
	if all := p.deploys(); len(all) > 0 {
		return aws.ToTime(all[0].StartTime).UTC()
	}
	if h.status(p) == deploy.Succeeded {
		return p.entered
	}
	return time.Time{}
}

// cause says why a passage did not end well: CodePipeline's error code of the
// action that failed, or the reason of who stopped it.
func cause(p *passage, s deploy.Status) string {
	if s == deploy.Succeeded {
		return ""
	}
	for _, a := range p.actions {
		if a.Status == cptypes.ActionExecutionStatusFailed && a.Output != nil && a.Output.ExecutionResult != nil && a.Output.ExecutionResult.ErrorDetails != nil {
			return aws.ToString(a.Output.ExecutionResult.ErrorDetails.Code)
		}
	}
	if p.of.reason != "" {
		return p.of.reason
	}
	return string(p.of.status)
}

// rollsBack is the passage that a rollback takes back: an automatic one names it
// (user guide, "View rollback status"), and one by hand replaces the one before.
func (h *history) rollsBack(i int) deploy.ID {
	p := h.passages[i]
	if p.of.kind != cptypes.ExecutionTypeRollback {
		return ""
	}
	if p.of.trigger.TriggerType == cptypes.TriggerTypeAutomatedRollback {
		return deploy.ID(aws.ToString(p.of.trigger.TriggerDetail))
	}
	if i+1 < len(h.passages) {
		return deploy.ID(h.passages[i+1].id)
	}
	return ""
}

// Get returns one deployment whole: deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	find := func(h *history) int {
		return slices.IndexFunc(h.passages, func(p *passage) bool { return p.id == string(id) })
	}
	h, err := c.read(ctx, t, func(h *history) bool { i := find(h); return i >= 0 && h.success(i+1) >= 0 })
	if err != nil && !errors.Is(err, errEndless) {
		return deploy.Deployment{}, err
	}
	i := find(h)
	if i < 0 && err != nil {
		return deploy.Deployment{}, fmt.Errorf("look for execution %s in %s: %w", id, t, err)
	}
	if i < 0 {
		return deploy.Deployment{}, fmt.Errorf("get execution %s of %s: it was not in this stage: %w", id, t, deploy.ErrUnknown)
	}
	d := h.deployment(i)
	d.Automatic, err = c.automatic(ctx, d, h.passages[i])
	return d, err
}

// Recent returns the executions that entered the stage at or after since, newest
// first: deploy.ErrUnknown.
func (c *Client) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	h, err := c.read(ctx, t, func(h *history) bool {
		n := len(h.passages)
		return n > 0 && h.passages[n-1].entered.Before(since)
	})
	if err != nil {
		return nil, fmt.Errorf("list what has entered %s: %w", t, err)
	}
	var recent []deploy.Deployment
	for i, p := range h.passages {
		if !p.entered.Before(since) {
			recent = append(recent, h.deployment(i))
		}
	}
	return recent, nil
}

// automatic reports whether CodePipeline rolls a stage back by itself after it has
// failed as it has (user guide, "Configure a stage for automatic rollback" and
// "Configure conditions for a stage"). A rollback that fails is not rolled back.
func (c *Client) automatic(ctx context.Context, d deploy.Deployment, p *passage) (bool, error) {
	if d.Status != deploy.Failed || d.From == "" || p.of.kind == cptypes.ExecutionTypeRollback {
		return false, nil
	}
	_, stage, err := c.declared(ctx, d.Target)
	if err != nil {
		return false, err
	}
	if f := stage.OnFailure; f != nil && f.Result == cptypes.ResultRollback && p.any(cptypes.ActionExecutionStatusFailed) {
		return true, nil
	}
	conditions := conditionsOf(stage, p.any(cptypes.ActionExecutionStatusFailed))
	return slices.ContainsFunc(conditions, func(k cptypes.Condition) bool { return k.Result == cptypes.ResultRollback }), nil
}

// conditionsOf are the conditions that decide about a stage whose actions have
// failed, or succeeded.
func conditionsOf(stage cptypes.StageDeclaration, failed bool) []cptypes.Condition {
	switch {
	case failed && stage.OnFailure != nil:
		return stage.OnFailure.Conditions
	case !failed && stage.OnSuccess != nil:
		return stage.OnSuccess.Conditions
	default:
		return nil
	}
}

// Live returns what serves as far as CodePipeline knows: what the last execution
// that succeeded in the stage has deployed, and each one since that began to
// deploy, with the share of its deployments that have ended well. What those that
// failed have put back it does not know. deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	h, err := c.read(ctx, p.Target, func(h *history) bool { return h.success(0) >= 0 })
	if errors.Is(err, errEndless) {
		err = c.remember(ctx, h)
	}
	if err != nil {
		return deploy.Live{}, err
	}
	live := deploy.Live{Place: p}
	since := h.passages
	if i := h.success(0); i >= 0 {
		live.Version, since = h.passages[i].revision(), h.passages[:i]
	}
	for i, moved := range slices.DeleteFunc(slices.Clone(since), func(m *passage) bool { return len(m.deploys()) == 0 }) {
		share := 0.0 // an older one was replaced
		if i == 0 {
			share = moved.share()
		}
		blend(&live, moved.revision(), share, h.status(moved).Ended())
	}
	return live, nil
}

// share is which part of a passage's deployments have ended well.
func (p *passage) share() float64 {
	n := 0
	for _, a := range p.deploys() {
		if a.Status == cptypes.ActionExecutionStatusSucceeded {
			n++
		}
	}
	return float64(n) / float64(len(p.deploys()))
}

// blend adds a revision that may serve. One whose deployments have all ended well
// serves most, though the stage has not succeeded; while it runs there may be more
// to come.
func blend(live *deploy.Live, r deploy.Revision, share float64, ended bool) {
	if r == live.Version {
		return
	}
	if live.Weights == nil {
		live.Weights = make(map[deploy.Revision]float64)
	}
	if share == 1 && ended {
		live.Version, r, share = r, live.Version, 0
	}
	if _, there := live.Weights[r]; !there {
		live.Weights[r] = share
	}
}

// remember adds the last success in the stage, which is longer ago than actions
// were read.
func (c *Client) remember(ctx context.Context, h *history) error {
	out, err := c.succeeded(ctx, h.stage, nil)
	if err != nil || len(out.PipelineExecutionSummaries) == 0 {
		return err
	}
	e := out.PipelineExecutionSummaries[0]
	h.passages = append(h.passages, &passage{
		id: aws.ToString(e.PipelineExecutionId), of: summary(e), known: true, onward: true, entered: aws.ToTime(e.StartTime).UTC(),
	})
	return nil
}

// succeeded lists the executions of the current version of the pipeline that have
// succeeded in the stage, newest first (API reference, SucceededInStageFilter).
func (c *Client) succeeded(ctx context.Context, t deploy.Target, from *string) (*codepipeline.ListPipelineExecutionsOutput, error) {
	out, err := c.api.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{
		PipelineName: &t.Application, MaxResults: aws.Int32(pageSize), NextToken: from,
		Filter: &cptypes.PipelineExecutionFilter{SucceededInStage: &cptypes.SucceededInStageFilter{StageName: &t.Group}},
	})
	if err != nil {
		return nil, fmt.Errorf("list what has succeeded in %s: %w", t, classify(err))
	}
	return out, nil
}
