package stages

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// mark is how the reason begins of a transition that we have closed. Stored at
// AWS, must not change. A reason has no colons (API reference,
// DisableStageTransition).
const mark = "pullback - "

// maxReason is how long a reason may be (ibid.).
const maxReason = 300

// Close closes the way into a stage, and reports whether it did. One that is closed
// already stays as it is, with its reason: it may be somebody else's. What is in
// the stage goes on, and rollbacks of the stage pass. deploy.ErrUnknown.
func (c *Client) Close(ctx context.Context, t deploy.Target, reason string) (bool, error) {
	state, err := c.state(ctx, t)
	if err != nil {
		return false, err
	}
	if in := state.InboundTransitionState; in != nil && !in.Enabled {
		return false, nil
	}
	_, err = c.api.DisableStageTransition(ctx, &codepipeline.DisableStageTransitionInput{
		PipelineName: &t.Application, StageName: &t.Group, TransitionType: cptypes.StageTransitionTypeInbound, Reason: aws.String(because(reason)),
	})
	if err != nil {
		return false, fmt.Errorf("close the way into %s: %w", t, classify(err))
	}
	return true, nil
}

// because makes a reason of the letters that AWS takes.
func because(reason string) string {
	text := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!@().*?-", r) {
			return r
		}
		return ' '
	}, strings.ReplaceAll(reason, "%", " percent"))
	text = mark + strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), maxReason)]
}

// Open opens the way into a stage if we have closed it, and reports whether it did.
// CodePipeline has no conditions for that: a human who closes it at the same moment
// is overruled. deploy.ErrUnknown.
func (c *Client) Open(ctx context.Context, t deploy.Target) (bool, error) {
	state, err := c.state(ctx, t)
	if err != nil {
		return false, err
	}
	in := state.InboundTransitionState
	if in == nil || in.Enabled || !strings.HasPrefix(aws.ToString(in.DisabledReason), mark) {
		return false, nil
	}
	_, err = c.api.EnableStageTransition(ctx, &codepipeline.EnableStageTransitionInput{
		PipelineName: &t.Application, StageName: &t.Group, TransitionType: cptypes.StageTransitionTypeInbound,
	})
	if err != nil {
		return false, fmt.Errorf("open the way into %s: %w", t, classify(err))
	}
	return true, nil
}
