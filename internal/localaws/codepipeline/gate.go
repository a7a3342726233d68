package codepipeline

import (
	"context"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// gate is the transitions into and out of a stage.
type gate struct{ inbound, outbound transition }

// transition is open or closed.
type transition struct {
	closed bool
	reason string
	by     string
	at     time.Time // when it was opened or closed; zero: never
}

// reasons is what a reason is made of (API reference, DisabledReason).
var reasons = regexp.MustCompile(`^[a-zA-Z0-9!@ ().*?-]{1,300}$`)

// gate returns the transitions of a stage.
func (p *pipeline) gate(stage int) *gate {
	name := *p.current().Stages[stage].Name
	if p.gates[name] == nil {
		p.gates[name] = &gate{}
	}
	return p.gates[name]
}

// open says whether the way into a stage is open.
func (p *pipeline) open(stage int) bool {
	return !p.gate(stage).inbound.closed && (stage == 0 || !p.gate(stage-1).outbound.closed)
}

func (s *Service) disableStageTransition(c *wire.Call, in *codepipeline.DisableStageTransitionInput) (*codepipeline.DisableStageTransitionOutput, error) {
	_, t, err := s.transition(in.PipelineName, in.StageName, in.TransitionType)
	if err != nil {
		return nil, err
	}
	if !reasons.MatchString(aws.ToString(in.Reason)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'reason' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+", aws.ToString(in.Reason))
	}
	*t = transition{closed: true, reason: *in.Reason, by: c.Principal.ARN, at: s.now()}
	return &codepipeline.DisableStageTransitionOutput{}, nil
}

func (s *Service) enableStageTransition(c *wire.Call, in *codepipeline.EnableStageTransitionInput) (*codepipeline.EnableStageTransitionOutput, error) {
	p, t, err := s.transition(in.PipelineName, in.StageName, in.TransitionType)
	if err != nil {
		return nil, err
	}
	late := t.closed && s.w.Now().Sub(t.at) > patience
	*t = transition{by: c.Principal.ARN, at: s.now()}
	ctx := context.WithoutCancel(c.Context)
	for _, e := range p.executions {
		if late && e.phase == waiting && e.ready && p.open(e.stage) && p.behind(t, e.stage) {
			s.cancel(ctx, e)
		}
	}
	s.admit(ctx, p)
	return &codepipeline.EnableStageTransitionOutput{}, nil
}

// behind says whether a transition leads into a stage.
func (p *pipeline) behind(t *transition, stage int) bool {
	return t == &p.gate(stage).inbound || stage > 0 && t == &p.gate(stage-1).outbound
}

func (s *Service) transition(name, stage *string, kind cptypes.StageTransitionType) (*pipeline, *transition, error) {
	p, i, err := s.stage(name, stage)
	if err != nil {
		return nil, nil, err
	}
	switch kind {
	case cptypes.StageTransitionTypeInbound:
		return p, &p.gate(i).inbound, nil
	case cptypes.StageTransitionTypeOutbound:
		return p, &p.gate(i).outbound, nil
	default:
		return nil, nil, invalid("1 validation error detected: Value '%s' at 'transitionType' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [Inbound, Outbound]", kind)
	}
}
