package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
)

// phase is what an operation is doing.
type phase string

// The phases, by the statuses that a stack has in them.
const (
	creating    phase = "CREATE"
	rollingBack phase = "ROLLBACK" // of a stack that could not be made
	updating    phase = "UPDATE"
	cleaning    phase = "UPDATE_CLEANUP"
	undoing     phase = "UPDATE_ROLLBACK"
	undoCleanup phase = "UPDATE_ROLLBACK_CLEANUP"
	deleting    phase = "DELETE"
)

// pollEvery is how often a resource that is not complete is looked at. Own
// choice: AWS does not say.
const pollEvery = time.Second

// pace is the time that a step takes, so that the events of an operation can be
// told apart by their times, as the CDK sorts them. Own choice: on AWS it is
// seconds to minutes. Nothing takes time in a deployment with Deploy.
const pace = 20 * time.Millisecond

// operation is what is being done to a stack. It goes in steps, one resource
// at a time, each a timer of its own, so that other things can happen between.
type operation struct {
	phase   phase
	token   string            // of the client
	todo    []string          // logical ids that come next, in order
	gone    []removal         // what is to be removed, in order
	undo    []undo            // how an update is taken back, oldest change first
	outputs []cfntypes.Output // of the stack before
	waiting string            // logical id of the resource that is waited for
	leaving *removal          // what is on its way out, and is waited for
	failure error             `state:"-"` // the first one
	others  []error           `state:"-"` // what could not be removed
	stays   []string          // logical ids of what could not be removed
	keep    []string          // logical ids that stay when the stack goes
	stop    error             `state:"-"` // why it is to be broken off
	stuck   bool              // it failed and may be continued
	swift   bool              // its steps take no time
	attempt attempt

	plan *plan `state:"-"` // follows from the stack's revision
}

// longestWait is how long a resource may take to be complete, unless it is an
// alias, whose deployment has limits of its own. Three hours is what
// CloudFormation gives to a service of ECS (CloudFormation user guide,
// "Troubleshooting CloudFormation", stabilization); for the others assumed.
const longestWait = 3 * time.Hour

var errTooLong = errors.New("Exceeded attempts to wait") //nolint:staticcheck // AWS's words

// attempt is what was being done to the resource that is waited for.
type attempt struct {
	action string // create, update
	since  time.Time
	done   cfntypes.ResourceStatus
	failed cfntypes.ResourceStatus
}

// removal is one resource that is to go: of the stack, or one that was
// replaced.
type removal struct {
	resource resource.Resource
	replaced bool
	keep     bool // by its policy
}

// undo says how one resource was before an update.
type undo struct {
	id       string
	before   *member // nil if it was not there
	replaced bool    // before is still there under its own physical id
}

// step does the next thing that a stack's operation has to do.
func (s *Service) step(st *stack) {
	if st.op == nil || st.op.stuck {
		return
	}
	pause, over := st.op.pace(), true
	switch {
	case st.op.waiting != "":
		over = s.settled(s.context(), st)
	case st.op.leaving != nil:
		over = s.left(s.context(), st)
	default:
		s.do(s.context(), st)
	}
	if !over {
		pause = pollEvery
	}
	if st.op != nil && !st.op.stuck {
		s.soon(st, pause)
	}
}

// do does the next thing if nothing is waited for.
func (s *Service) do(ctx context.Context, st *stack) {
	op := st.op
	switch {
	case op.broken():
		s.fail(st, op.stop)
	case len(op.todo) > 0:
		id := op.todo[0]
		op.todo = op.todo[1:]
		s.apply(ctx, st, id)
	case op.phase == undoing && len(op.undo) > 0:
		s.restore(ctx, st)
	case op.phase != undoing && len(op.gone) > 0:
		one := op.gone[0]
		op.gone = op.gone[1:]
		s.remove(ctx, st, one)
	default:
		s.next(st)
	}
}

// broken says whether the operation is to be broken off now.
func (op *operation) broken() bool {
	return op.stop != nil && op.failure == nil && (op.phase == creating || op.phase == updating)
}

// next ends a phase in which everything is done.
func (s *Service) next(st *stack) {
	op := st.op
	switch op.phase {
	case creating:
		if err := s.conclude(st); err != nil {
			s.fail(st, err)
			return
		}
		s.end(st, cfntypes.StackStatusCreateComplete, "")
	case updating:
		if err := s.conclude(st); err != nil {
			s.fail(st, err)
			return
		}
		op.phase = cleaning
		op.gone = s.leftovers(st)
		s.turn(st, cfntypes.StackStatusUpdateCompleteCleanupInProgress, "")
	case cleaning:
		s.end(st, cfntypes.StackStatusUpdateComplete, staying(op.stays))
	case undoing:
		s.undone(st)
	case undoCleanup:
		s.end(st, cfntypes.StackStatusUpdateRollbackComplete, staying(op.stays))
	case rollingBack:
		s.endRemoval(st, cfntypes.StackStatusRollbackComplete, cfntypes.StackStatusRollbackFailed)
	case deleting:
		s.endRemoval(st, cfntypes.StackStatusDeleteComplete, cfntypes.StackStatusDeleteFailed)
	}
}

// end ends an operation.
func (s *Service) end(st *stack, status cfntypes.StackStatus, reason string) {
	s.turn(st, status, reason)
	if status == cfntypes.StackStatusDeleteComplete {
		st.deleted = s.world.Now()
	}
	s.over(st)
}

// over forgets the operation and tells those who wait.
func (s *Service) over(st *stack) {
	st.last = errors.Join(append([]error{st.op.failure}, st.op.others...)...)
	st.op = nil
}

// endRemoval ends an operation that removed a stack's resources.
func (s *Service) endRemoval(st *stack, good, bad cfntypes.StackStatus) {
	if len(st.op.stays) > 0 {
		s.end(st, bad, "The following resource(s) failed to delete: ["+strings.Join(st.op.stays, ", ")+"]. ")
		return
	}
	st.resources, st.outputs, st.imports = nil, nil, nil
	s.end(st, good, "")
}

// staying is the reason of a stack whose cleanup did not remove everything.
func staying(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return "One or more resources could not be deleted."
}

// conclude evaluates what a stack tells once its resources are there.
func (s *Service) conclude(st *stack) error {
	outs, found := st.op.plan.outputs(st.lookup)
	if len(found) > 0 {
		return found
	}
	taken := s.exports()
	var out []cfntypes.Output
	kept := map[string]string{}
	for _, o := range outs {
		if e, ok := taken[o.export]; ok && e.stack != st {
			return fmt.Errorf("Export with name %s is already exported by stack %s. Rollback requested by user.", o.export, e.stack.name) //nolint:staticcheck // AWS's words
		}
		kept[o.export] = o.value
		out = append(out, cfntypes.Output{
			OutputKey: &o.name, OutputValue: &o.value, Description: optional(o.description), ExportName: optional(o.export),
		})
	}
	for name, e := range taken {
		users := s.importers(name)
		if v, still := kept[name]; e.stack == st && len(users) > 0 && (!still || v != e.value) {
			return inUse(name, users)
		}
	}
	st.outputs, st.imports = out, st.op.plan.scope.Imported()
	st.policies()
	return nil
}

// policies reads the update policies again, now that what they refer to is there.
func (st *stack) policies() {
	for _, m := range st.resources {
		if r, ok := st.op.plan.template.Resources[m.LogicalID]; ok {
			m.Attached.UpdatePolicy, _ = st.op.plan.scope.Object(r.UpdatePolicy, st.lookup)
		}
	}
}

func inUse(name string, users []string) error {
	return invalid("Export %s cannot be deleted as it is in use by %s", name, strings.Join(users, " and "))
}

// begin starts an operation.
func (s *Service) begin(st *stack, op *operation, status cfntypes.StackStatus, reason string) {
	st.op, st.last = op, nil
	s.turn(st, status, reason)
	s.soon(st, op.pace())
}

func (op *operation) pace() time.Duration {
	if op.swift {
		return 0
	}
	return pace
}

// startCreate begins to make a stack that has its revision.
func (s *Service) startCreate(st *stack, p *plan, op *operation) {
	op.phase, op.plan, op.todo = creating, p, slices.Clone(p.order)
	s.begin(st, op, cfntypes.StackStatusCreateInProgress, byUser)
}

// startUpdate begins to make r of a stack.
func (s *Service) startUpdate(st *stack, r revision, p *plan, op *operation) {
	op.phase, op.plan, op.todo, op.outputs = updating, p, slices.Clone(p.order), st.outputs
	if st.op != nil { // an update that failed and was not taken back
		op.undo = st.op.undo
	} else {
		st.previous = st.revision
	}
	st.revision, st.updated = r, s.world.Now()
	s.begin(st, op, cfntypes.StackStatusUpdateInProgress, byUser)
}

// startDelete begins to remove a stack.
func (s *Service) startDelete(st *stack, op *operation) {
	op.phase = deleting
	if st.op != nil { // an update that failed and was not taken back
		for _, u := range st.op.undo {
			if u.replaced && u.before != nil {
				op.gone = append(op.gone, removal{resource: u.before.Resource, replaced: true, keep: u.before.Replace == resource.RetentionRetain})
			}
		}
	}
	for _, m := range st.removal() {
		stays := slices.Contains(op.keep, m.LogicalID) || m.Retention == resource.RetentionRetain ||
			m.Retention == resource.RetentionRetainExceptOnCreate && st.status != cfntypes.StackStatusRollbackFailed
		op.gone = append(op.gone, removal{resource: m.Resource, keep: stays})
	}
	s.begin(st, op, cfntypes.StackStatusDeleteInProgress, byUser)
}
