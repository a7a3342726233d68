package cloudformation

import (
	"context"
	"slices"
	"strings"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
)

// goBack begins to take an update back.
func (s *Service) goBack(st *stack, reason string) {
	op := st.op
	op.phase, op.todo, op.stuck, op.waiting = undoing, nil, false, ""
	st.revision, st.previous = st.previous, st.revision
	s.turn(st, cfntypes.StackStatusUpdateRollbackInProgress, reason)
}

// restore makes one resource what it was before the update. Those that the
// update made go when everything else is as it was.
func (s *Service) restore(ctx context.Context, st *stack) {
	op := st.op
	u := op.undo[0]
	op.undo = op.undo[1:]
	m := st.member(u.id)
	if u.before == nil {
		if m != nil {
			op.gone = append([]removal{{resource: m.Resource, keep: m.Retention == resource.RetentionRetain && !st.retainOnCreate}}, op.gone...)
		}
		return
	}
	a := attempt{action: "update", done: cfntypes.ResourceStatusUpdateComplete, failed: cfntypes.ResourceStatusUpdateFailed}
	if u.replaced {
		if m.PhysicalID != "" && m.PhysicalID != u.before.PhysicalID {
			op.gone = append([]removal{{resource: m.Resource, replaced: true, keep: m.Replace == resource.RetentionRetain}}, op.gone...)
		}
		*m = *u.before
		s.mark(st, m, cfntypes.ResourceStatusUpdateInProgress, "")
		s.mark(st, m, a.done, "")
		return
	}
	untouched := len(s.provider.Diff(m.Type, m.Properties, u.before.Properties)) == 0
	if untouched && m.Status != cfntypes.ResourceStatusUpdateFailed {
		*m = *u.before
		return
	}
	s.mark(st, m, cfntypes.ResourceStatusUpdateInProgress, "")
	made, err := s.provider.Update(ctx, st.owner(), m.Resource, resource.Desired{
		LogicalID: m.LogicalID, Type: m.Type, Properties: u.before.Properties,
		UpdatePolicy: u.before.Attached.UpdatePolicy, Rollback: true,
	})
	if err != nil {
		op.undo = append([]undo{u}, op.undo...) // to be tried again by ContinueUpdateRollback
		s.refuse(st, m, a, err)
		return
	}
	status, at := m.Status, m.At
	*m = *u.before
	m.Status, m.At = status, at
	s.adopt(m, made)
	s.finish(st, m, a)
}

// undone ends the taking back of an update and begins to clean up after it.
func (s *Service) undone(st *stack) {
	op := st.op
	st.outputs = op.outputs
	op.phase = undoCleanup
	s.turn(st, cfntypes.StackStatusUpdateRollbackCompleteCleanupInProgress, "")
}

// leftovers is what an update leaves over: what was replaced, and what the
// template has no more. Each goes before what it needed.
func (s *Service) leftovers(st *stack) []removal {
	var out []removal
	for _, u := range slices.Backward(st.op.undo) {
		if u.replaced && u.before != nil {
			out = append(out, removal{resource: u.before.Resource, replaced: true, keep: u.before.Replace == resource.RetentionRetain})
		}
	}
	for _, m := range st.removal() {
		if _, stays := st.op.plan.deps[m.LogicalID]; !stays {
			out = append(out, removal{resource: m.Resource, keep: retained(m.Retention)})
		}
	}
	return out
}

// retained says whether a policy keeps a resource that was complete.
func retained(r resource.Retention) bool {
	return r == resource.RetentionRetain || r == resource.RetentionRetainExceptOnCreate
}

// remove removes one resource, unless it is to stay. One that cannot be removed
// does not keep the others.
func (s *Service) remove(ctx context.Context, st *stack, one removal) {
	m := st.member(one.resource.LogicalID)
	shown := m
	if one.replaced || m == nil {
		shown = &member{Resource: one.resource} // the stack has another one by that name
	}
	if one.keep {
		s.mark(st, shown, cfntypes.ResourceStatusDeleteSkipped, "")
		s.forget(st, one)
		return
	}
	s.mark(st, shown, cfntypes.ResourceStatusDeleteInProgress, "")
	var err error
	if one.resource.PhysicalID != "" {
		err = s.provider.Remove(ctx, st.owner(), one.resource)
	}
	s.removed(ctx, st, one, shown, err)
}

// removed notes what became of a removal, or begins to wait for its end.
func (s *Service) removed(ctx context.Context, st *stack, one removal, shown *member, err error) {
	if err == nil && one.resource.PhysicalID != "" {
		var gone bool
		if gone, err = s.provider.Gone(ctx, st.owner(), one.resource); err == nil && !gone {
			st.op.leaving = &one
			return
		}
	}
	if err != nil {
		st.op.others = append(st.op.others, &ResourceError{Action: "delete", LogicalID: one.resource.LogicalID, Type: one.resource.Type, Cause: err})
		st.op.stays = append(st.op.stays, one.resource.LogicalID)
		s.mark(st, shown, cfntypes.ResourceStatusDeleteFailed, err.Error())
		if st.op.phase == cleaning || st.op.phase == undoCleanup {
			s.forget(st, one)
		}
		return
	}
	s.mark(st, shown, cfntypes.ResourceStatusDeleteComplete, "")
	s.forget(st, one)
}

// left looks whether the resource that is waited for is gone. It reports
// whether the waiting is over.
func (s *Service) left(ctx context.Context, st *stack) bool {
	one := *st.op.leaving
	st.op.leaving = nil
	shown := st.member(one.resource.LogicalID)
	if one.replaced || shown == nil {
		shown = &member{Resource: one.resource}
	}
	s.removed(ctx, st, one, shown, nil)
	return st.op.leaving == nil
}

// forget drops a resource that is gone, or left to itself, from its stack.
func (s *Service) forget(st *stack, one removal) {
	if m := st.member(one.resource.LogicalID); m != nil && !one.replaced {
		st.drop(m)
	}
}

// skip leaves resources out of the taking back of an update.
func (st *stack) skip(ids []string) error {
	for _, id := range ids {
		m := st.member(id)
		if m == nil || m.Status != cfntypes.ResourceStatusUpdateFailed {
			return invalid("Resource [%s] is not in a state that can be skipped", strings.TrimSpace(id))
		}
		st.op.undo = slices.DeleteFunc(st.op.undo, func(u undo) bool { return u.id == id })
		m.Status = cfntypes.ResourceStatusUpdateComplete
	}
	return nil
}
