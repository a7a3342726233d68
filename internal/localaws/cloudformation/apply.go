package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// The reasons of events of resources, in the words of CloudFormation.
const (
	initiated      = "Resource creation Initiated"
	needsAnother   = "Requested update requires the creation of a new physical resource; hence creating one."
	cancelled      = "Resource update cancelled"
	notMadeAgain   = "Resource was not replaced"
	handlerMessage = "Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)"
)

// apply makes a resource what the plan wants of it.
func (s *Service) apply(ctx context.Context, st *stack, id string) {
	d, err := s.desired(st, id)
	m := st.member(id)
	switch {
	case m == nil:
		s.create(ctx, st, d, err)
	case err != nil:
		s.refuse(st, m, attempt{action: "update", failed: cfntypes.ResourceStatusUpdateFailed}, err)
	default:
		s.change(ctx, st, m, d)
	}
}

// desired evaluates a resource of the plan.
func (s *Service) desired(st *stack, id string) (resource.Desired, error) {
	p := st.op.plan
	r := p.template.Resources[id]
	d := resource.Desired{LogicalID: id, Type: r.Type}
	var faults, more []template.Fault
	d.Properties, faults = p.scope.Object(r.Properties, st.lookup)
	d.UpdatePolicy, more = p.scope.Object(r.UpdatePolicy, st.lookup)
	st.revision.replaceCode(id, d.Properties)
	if st.member(id) == nil {
		more = nil // what an update policy refers to may be made later: nothing acts on it before an update
	}
	found := append(problems(id, r.Type, "", faults), problems(id, r.Type, "UpdatePolicy.", more)...)
	return d, found.Err()
}

// replaceCode gives a function other code than the template does.
func (r *revision) replaceCode(id string, properties map[string]any) {
	code, _ := properties["Code"].(map[string]any)
	original, _ := code["S3Key"].(string)
	key, ok := r.Code[codeKey(id, original)]
	if !ok {
		return
	}
	code = maps.Clone(code)
	code["S3Key"] = key
	properties["Code"] = code
}

// codeKey names the code of a function for its replacement: other code that a
// later template has is not replaced.
func codeKey(id, original string) string { return id + " " + original }

// attach notes what a resource has besides properties.
func (st *stack) attach(m *member, updatePolicy map[string]any) {
	r := st.op.plan.template.Resources[m.LogicalID]
	m.Retention, m.Replace = resource.Retention(r.DeletionPolicy), resource.Retention(r.UpdateReplacePolicy)
	m.Attached = attached{Metadata: r.Metadata, UpdatePolicy: updatePolicy}
	m.Deps = st.op.plan.deps[m.LogicalID]
}

// create makes a resource that the stack does not have, and notes it, also if
// only part of it was made.
func (s *Service) create(ctx context.Context, st *stack, d resource.Desired, err error) {
	m := &member{Resource: resource.Resource{LogicalID: d.LogicalID, Type: d.Type, Properties: d.Properties}}
	st.resources = append(st.resources, m)
	st.attach(m, d.UpdatePolicy)
	if st.op.phase == updating {
		st.op.undo = append(st.op.undo, undo{id: d.LogicalID})
	}
	if there, ok := s.takeOver(ctx, st, st.revision, d, m.Retention); ok && err == nil {
		s.adopt(m, there)
		s.mark(st, m, cfntypes.ResourceStatusImportInProgress, "Resource import started.")
		s.mark(st, m, cfntypes.ResourceStatusImportComplete, "Resource import completed.")
		return
	}
	s.mark(st, m, cfntypes.ResourceStatusCreateInProgress, "")
	a := attempt{action: "create", done: cfntypes.ResourceStatusCreateComplete, failed: cfntypes.ResourceStatusCreateFailed}
	if err == nil {
		var made resource.Resource
		made, err = s.provider.Create(ctx, st.owner(), d)
		s.adopt(m, made)
	}
	if err != nil {
		s.refuse(st, m, a, err)
		return
	}
	s.mark(st, m, cfntypes.ResourceStatusCreateInProgress, initiated)
	s.finish(st, m, a)
}

// takeOver finds a resource that is there already and belongs to no stack. It
// must be one that stays when its stack goes (CloudFormation API reference,
// CreateChangeSet, ImportExistingResources).
func (s *Service) takeOver(ctx context.Context, st *stack, r revision, d resource.Desired, policy resource.Retention) (resource.Resource, bool) {
	if !r.TakeOver || !retained(policy) {
		return resource.Resource{}, false
	}
	there, ok, err := s.provider.Existing(ctx, st.owner(), d)
	if err != nil || !ok || s.having(there.PhysicalID) != nil {
		return resource.Resource{}, false
	}
	return there, true
}

// adopt takes over what the provider made; what it does not know stays.
func (s *Service) adopt(m *member, made resource.Resource) {
	if made.PhysicalID == "" {
		return
	}
	retention := m.Retention
	m.Resource = made
	m.Retention = retention
}

// change updates or replaces a resource, if anything about it changes.
func (s *Service) change(ctx context.Context, st *stack, m *member, d resource.Desired) {
	changes := s.provider.Diff(d.Type, m.Properties, d.Properties)
	if len(changes) == 0 && m.Type == d.Type {
		st.remember(m, false)
		st.attach(m, d.UpdatePolicy)
		return
	}
	a := attempt{action: "update", done: cfntypes.ResourceStatusUpdateComplete, failed: cfntypes.ResourceStatusUpdateFailed}
	replace := m.Type != d.Type || slices.ContainsFunc(changes, func(c resource.Change) bool { return c.Recreation == resource.RecreationAlways })
	if !replace && slices.ContainsFunc(changes, func(c resource.Change) bool { return c.Recreation == resource.RecreationConditionally }) {
		replace = s.provider.MustReplace(m.Resource, d)
	}
	st.remember(m, replace)
	if replace {
		s.replace(ctx, st, m, d, a)
		return
	}
	s.mark(st, m, cfntypes.ResourceStatusUpdateInProgress, "")
	made, err := s.provider.Update(ctx, st.owner(), m.Resource, d)
	s.adopt(m, made)
	st.attach(m, d.UpdatePolicy)
	if err != nil {
		s.refuse(st, m, a, err)
		return
	}
	s.finish(st, m, a)
}

// replace makes another resource in the place of one, which goes when the
// update is complete.
func (s *Service) replace(ctx context.Context, st *stack, m *member, d resource.Desired, a attempt) {
	s.mark(st, m, cfntypes.ResourceStatusUpdateInProgress, needsAnother)
	made, err := s.provider.Create(ctx, st.owner(), d)
	if made.PhysicalID == "" {
		made.LogicalID, made.Type, made.Properties = d.LogicalID, d.Type, d.Properties
	}
	if err == nil && st.taken(made.PhysicalID, m) {
		err = fmt.Errorf("%s already exists in stack %s", made.PhysicalID, st.id)
	}
	m.Resource = made
	st.attach(m, d.UpdatePolicy)
	if err != nil {
		s.refuse(st, m, a, err)
		return
	}
	s.mark(st, m, cfntypes.ResourceStatusUpdateInProgress, initiated)
	s.finish(st, m, a)
}

// taken says whether another one of the stack's resources of that type has the
// physical id already. Some services answer a second creation as the first.
func (st *stack) taken(physicalID string, m *member) bool {
	return m.PhysicalID == physicalID
}

// remember notes how a resource is before an update touches it.
func (st *stack) remember(m *member, replaced bool) {
	for i, u := range st.op.undo {
		if u.id != m.LogicalID {
			continue
		}
		st.op.undo[i].replaced = u.replaced || replaced && u.before != nil
		return
	}
	before := *m
	st.op.undo = append(st.op.undo, undo{id: m.LogicalID, before: &before, replaced: replaced})
}

// finish completes a resource, or begins to wait for it.
func (s *Service) finish(st *stack, m *member, a attempt) {
	if m.Pending != "" {
		a.since = s.world.Now()
		st.op.waiting, st.op.attempt = m.LogicalID, a
		return
	}
	s.mark(st, m, a.done, "")
}

// settled looks after the resource that is waited for. It reports whether the
// waiting is over.
func (s *Service) settled(ctx context.Context, st *stack) bool {
	op := st.op
	m := st.member(op.waiting)
	if op.broken() {
		s.refuse(st, m, op.attempt, op.stop)
		return true
	}
	now, err := s.provider.Settle(ctx, st.owner(), m.Resource)
	if err == nil && now.Pending != "" && !s.provider.Patient(m.Type) && s.world.Now().Sub(op.attempt.since) > longestWait {
		err = errTooLong
	}
	if err != nil {
		op.waiting = ""
		m.Pending = ""
		s.refuse(st, m, op.attempt, err)
		return true
	}
	s.adopt(m, now)
	if m.Pending != "" {
		return false
	}
	op.waiting = ""
	s.mark(st, m, op.attempt.done, "")
	return true
}

// refuse notes that a resource could not be made or changed, and fails the
// operation.
func (s *Service) refuse(st *stack, m *member, a attempt, err error) {
	reason := err.Error()
	if stop := st.op.stop; stop != nil && errors.Is(err, stop) {
		reason = cancelled
	} else if api, ok := errors.AsType[smithy.APIError](err); ok {
		reason = fmt.Sprintf(handlerMessage, err.Error(), s.world.UUID(), handlerCode(api))
	}
	s.mark(st, m, a.failed, reason)
	s.fail(st, &ResourceError{Action: a.action, LogicalID: m.LogicalID, Type: m.Type, Cause: err})
}

// handlerCode is the handler's word for an error (CloudFormation CLI user
// guide, "Handler error codes"); which it is for which error is a guess.
func handlerCode(err smithy.APIError) string {
	switch code := err.ErrorCode(); {
	case slices.Contains([]string{"AccessDenied", "AccessDeniedException"}, code):
		return "AccessDenied"
	case err.ErrorFault() == smithy.FaultClient:
		return "InvalidRequest"
	default:
		return "GeneralServiceException"
	}
}
