package cloudformation

import (
	"context"
	"encoding/json"
	"fmt"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper]. The values of a template are those of JSON.
func (s *Service) Kept() (any, state.Union) {
	return s, state.Union{"", false, json.Number(""), map[string]any(nil), []any(nil)}
}

// Resume implements [state.Keeper]: operations go on where they were, with the
// plan that follows from what is to be made.
func (s *Service) Resume(ctx context.Context) error {
	for _, st := range s.stacks {
		for _, cs := range st.changeSets {
			if cs.status == cfntypes.ChangeSetStatusCreatePending {
				s.world.After(0, func() { s.examine(st, cs) })
			}
		}
		if st.op == nil {
			continue
		}
		if st.op.phase == creating || st.op.phase == updating || st.op.phase == cleaning {
			p, err := s.plan(ctx, st, &st.revision)
			if err != nil {
				return fmt.Errorf("go on with stack %s: %w", st.name, err)
			}
			st.op.plan = p
		}
		if !st.op.stuck {
			s.soon(st, st.op.pace())
		}
	}
	return nil
}
