package cloudformation

import (
	"errors"
	"fmt"
	"strings"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
)

// fail ends a phase in which something could not be done, and takes back what
// was.
func (s *Service) fail(st *stack, err error) {
	op := st.op
	if op.failure == nil {
		op.failure = err
	}
	op.todo, op.waiting = nil, ""
	reason := cause(err)
	switch op.phase {
	case creating:
		s.failCreation(st, reason)
	case updating:
		if st.disableRollback {
			s.turn(st, cfntypes.StackStatusUpdateFailed, reason)
			s.stick(st)
			return
		}
		s.goBack(st, reason)
	case undoing:
		s.turn(st, cfntypes.StackStatusUpdateRollbackFailed, reason)
		s.stick(st)
	case cleaning, undoCleanup, rollingBack, deleting: // what cannot be removed does not end these
	}
}

// stick leaves an operation so that it may be continued.
func (s *Service) stick(st *stack) {
	st.last = st.op.failure
	st.op.stuck = true
}

// failCreation does what was asked for in case a stack cannot be made.
func (s *Service) failCreation(st *stack, reason string) {
	switch {
	case st.disableRollback || st.onFailure == cfntypes.OnFailureDoNothing:
		s.turn(st, cfntypes.StackStatusCreateFailed, reason)
		s.stick(st)
	case st.onFailure == cfntypes.OnFailureDelete:
		s.turn(st, cfntypes.StackStatusCreateFailed, reason)
		s.takeAway(st, deleting, reason)
	default:
		s.takeAway(st, rollingBack, reason)
	}
}

// takeAway begins to remove what a stack that could not be made has.
func (s *Service) takeAway(st *stack, p phase, reason string) {
	op := st.op
	op.phase, op.todo, op.stuck = p, nil, false
	status := cfntypes.StackStatusDeleteInProgress
	if p == rollingBack {
		status = cfntypes.StackStatusRollbackInProgress
		reason += " Rollback requested by user."
	}
	op.gone = nil
	for _, m := range st.removal() {
		keep := m.Retention == resource.RetentionRetain && !st.retainOnCreate
		op.gone = append(op.gone, removal{resource: m.Resource, keep: keep})
	}
	s.turn(st, status, strings.TrimSpace(reason))
}

// cause is the reason of a stack whose operation failed.
func cause(err error) string {
	f, ok := errors.AsType[*ResourceError](err)
	if !ok {
		return err.Error()
	}
	return fmt.Sprintf("The following resource(s) failed to %s: [%s].", f.Action, f.LogicalID)
}
