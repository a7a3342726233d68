package cloudformation

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// stack is one stack. What it holds is plain data: an operation goes on from
// it at any step.
type stack struct {
	id, name        string
	created         time.Time
	updated         time.Time // zero if never
	deleted         time.Time // zero if it is there
	status          cfntypes.StackStatus
	reason          string
	protected       bool
	disableRollback bool
	retainOnCreate  bool // RetainExceptOnCreate of the latest operation
	onFailure       cfntypes.OnFailure

	revision   revision // what it is, or what the operation makes of it
	previous   revision // what it was before the latest update
	resources  []*member
	outputs    []cfntypes.Output
	imports    []string // names of the exports it uses
	events     []cfntypes.StackEvent
	changeSets []*changeSet
	changeSet  string // id of the one that made it what it is
	tokens     map[string]bool

	op   *operation // nil if none is going on; stuck if one failed and may be continued
	last error      `state:"-"` // what went wrong in the latest operation
}

// revision is a template with all that goes with it.
type revision struct {
	Template     string // as it was given
	Description  string
	Parameters   map[string]string // by name, those that were given or kept
	Resolved     map[string]string // values of parameters that name one of Systems Manager
	Hidden       map[string]bool   // parameters with NoEcho
	Tags         []cfntypes.Tag
	Capabilities []cfntypes.Capability
	Notify       []string // topics that are told of events
	RoleARN      string
	Principal    wire.Principal    // who asked for it
	Code         map[string]string // other object keys for the code of functions, by codeKey
	Imports      map[string]string // exports of stacks that are not here
	Bootstrapped bool              // as if "cdk bootstrap" had run
	TakeOver     bool              // resources that are there already are imported
}

// member is one resource of a stack with its status.
type member struct {
	resource.Resource
	Status   cfntypes.ResourceStatus
	Reason   string
	At       time.Time
	Deps     []string // logical ids of what it needs
	Replace  resource.Retention
	Attached attached
}

// attached is what a resource has besides properties, to see whether it
// changes.
type attached struct {
	Metadata, UpdatePolicy map[string]any
}

// owner says for whom the resources of a stack are made: in the stack's role,
// or else with the credentials of who asked (CloudFormation user guide,
// "CloudFormation service role").
func (st *stack) owner() resource.Owner {
	as := st.revision.Principal
	if role := st.revision.RoleARN; role != "" {
		as = wire.Principal{ARN: role, Service: principal, SourceARN: st.id}
	}
	return resource.Owner{StackName: st.name, StackID: st.id, Principal: as}
}

// member returns the resource with that logical id, or nil.
func (st *stack) member(id string) *member {
	i := slices.IndexFunc(st.resources, func(m *member) bool { return m.LogicalID == id })
	if i < 0 {
		return nil
	}
	return st.resources[i]
}

// drop forgets a resource.
func (st *stack) drop(m *member) {
	st.resources = slices.DeleteFunc(st.resources, func(o *member) bool { return o == m })
}

// lookup is the template.Lookup of resources that are made.
func (st *stack) lookup(id, attribute string) (any, error) {
	m := st.member(id)
	if m == nil || m.PhysicalID == "" {
		return nil, template.NoSuch(id)
	}
	return valueOf(m.Resource, attribute)
}

func valueOf(r resource.Resource, attribute string) (any, error) {
	if attribute == "" {
		return r.PhysicalID, nil
	}
	v, ok := r.Attributes[attribute]
	if !ok {
		return nil, fmt.Errorf("%s has no attribute %q", r.Type, attribute)
	}
	return v, nil
}

// removal is the order in which resources go: each before those it needs,
// otherwise the last one made first.
func (st *stack) removal() []*member {
	deps := map[string][]string{}
	for _, m := range st.resources {
		deps[m.LogicalID] = m.Deps
	}
	order, circle := template.Order(deps)
	out := slices.Clone(st.resources)
	if circle == nil {
		slices.SortStableFunc(out, func(a, b *member) int {
			return slices.Index(order, a.LogicalID) - slices.Index(order, b.LogicalID)
		})
	}
	slices.Reverse(out)
	return out
}

// idle says whether a new operation may begin.
func (st *stack) idle() bool { return st.op == nil || st.op.stuck }

// once remembers a client's token.
func (st *stack) once(token *string) {
	if aws.ToString(token) == "" {
		return
	}
	if st.tokens == nil {
		st.tokens = map[string]bool{}
	}
	st.tokens[*token] = true
}

// Stack is what a deployment made.
type Stack struct {
	ID        string // the ARN
	Name      string
	Resources []resource.Resource // in the order in which they were made
	Outputs   map[string]string
	Exports   map[string]string
}

// Resource returns the resource with that logical id.
func (s Stack) Resource(logicalID string) (resource.Resource, bool) {
	for _, r := range s.Resources {
		if r.LogicalID == logicalID {
			return r, true
		}
	}
	return resource.Resource{}, false
}

// public is the stack as its deployer sees it.
func (st *stack) public() Stack {
	out := Stack{ID: st.id, Name: st.name, Outputs: map[string]string{}, Exports: map[string]string{}}
	for _, m := range st.resources {
		out.Resources = append(out.Resources, m.Resource)
	}
	for _, o := range st.outputs {
		out.Outputs[*o.OutputKey] = *o.OutputValue
		if o.ExportName != nil {
			out.Exports[*o.ExportName] = *o.OutputValue
		}
	}
	return out
}

// ResourceError is a resource that could not be made, changed or removed.
type ResourceError struct {
	Action    string // "create", "update" or "delete"
	LogicalID string
	Type      string
	Cause     error
}

// Error names the resource, its type and the cause.
func (f *ResourceError) Error() string {
	return fmt.Sprintf("%s %s (%s): %v", f.Action, f.LogicalID, f.Type, f.Cause)
}

// Unwrap returns the cause.
func (f *ResourceError) Unwrap() error { return f.Cause }
