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

// Active returns the deployments that run now or were created at or after since,
// of the known stages. It costs one call a pipeline, and more for stages in which
// something has happened.
func (c *Client) Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	states := make(map[string]*codepipeline.GetPipelineStateOutput)
	var active []deploy.Deployment
	for _, t := range known {
		state, read := states[t.Application]
		if !read {
			out, err := c.api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &t.Application})
			if err = classify(err); err != nil && !errors.Is(err, deploy.ErrUnknown) {
				return nil, fmt.Errorf("get state of %s: %w", t, err)
			}
			state, states[t.Application] = out, out
		}
		if state == nil || quiet(state, t.Group, since) {
			continue
		}
		found, err := c.active(ctx, t, since)
		if err != nil && !errors.Is(err, deploy.ErrUnknown) {
			return nil, err
		}
		active = append(active, found...)
	}
	return active, nil
}

// quiet reports whether nothing runs in a stage, and nothing has since. In mode
// PARALLEL the state says it of no stage (user guide, "Set or change the pipeline
// execution mode").
func quiet(state *codepipeline.GetPipelineStateOutput, stage string, since time.Time) bool {
	i := slices.IndexFunc(state.StageStates, func(s cptypes.StageState) bool { return aws.ToString(s.StageName) == stage })
	if i < 0 {
		return true
	}
	s := state.StageStates[i]
	if s.LatestExecution == nil {
		return slices.ContainsFunc(state.StageStates, func(s cptypes.StageState) bool { return s.LatestExecution != nil })
	}
	return stageStatus(s.LatestExecution.Status).Ended() && !slices.ContainsFunc(s.ActionStates, func(a cptypes.ActionState) bool {
		return a.LatestExecution != nil && !aws.ToTime(a.LatestExecution.LastStatusChange).Before(since)
	})
}

func (c *Client) active(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	h, err := c.read(ctx, t, func(h *history) bool {
		n := len(h.passages)
		return n > 0 && h.passages[n-1].entered.Before(since) && h.success(0) >= 0
	})
	if err != nil && !errors.Is(err, errEndless) {
		return nil, err
	}
	var active []deploy.Deployment
	for i, p := range h.passages {
		if d := h.deployment(i); d.Running() || !p.entered.Before(since) {
			active = append(active, d)
		}
	}
	return active, nil
}

// maxHistory is how many successes are remembered; see target.Groups.
const maxHistory = 20

// History returns what has ended well, newest first.
func (c *Client) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	successes := func(h *history) []deploy.Success {
		var all []deploy.Success
		for _, p := range h.passages {
			if h.status(p) == deploy.Succeeded {
				all = append(all, deploy.Success{Deployment: deploy.ID(p.id), Revision: p.revision(), Ended: p.updated})
			}
		}
		return all
	}
	h, err := c.read(ctx, p.Target, func(h *history) bool { return len(successes(h)) >= maxHistory })
	if err != nil && !errors.Is(err, errEndless) {
		return nil, err
	}
	all := successes(h)
	return all[:min(len(all), maxHistory)], nil
}
