// Package resource makes, changes and removes the resources of CloudFormation
// stacks by calls of the other services of the local AWS.
//
// It refuses more than CloudFormation does and ignores nothing: a resource
// type, property or attribute that it does not know is an error that names it.
package resource

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Resource is one resource of a stack.
type Resource struct {
	LogicalID  string
	Type       string
	PhysicalID string            // what Ref gives
	Attributes map[string]string // what Fn::GetAtt gives
	Properties map[string]any    // as they were when the resource was made or last changed, evaluated

	// Retention says when the resource is left alone: its DeletionPolicy.
	Retention Retention
	// Handle is the name by which the service knows the resource, where the
	// physical id is more than that.
	Handle string
	// Pending is what the resource waits for before it is complete, in the
	// words of its type; empty if it waits for nothing.
	Pending string
}

// Retention is a DeletionPolicy or UpdateReplacePolicy.
type Retention string

// The deletion policies (CloudFormation template reference, "DeletionPolicy
// attribute"). Snapshot is refused: no type here can take one.
const (
	RetentionDelete               Retention = "Delete"
	RetentionRetain               Retention = "Retain"
	RetentionRetainExceptOnCreate Retention = "RetainExceptOnCreate"
)

// Desired is what a resource shall be.
type Desired struct {
	LogicalID    string
	Type         string
	Properties   map[string]any // evaluated
	UpdatePolicy map[string]any // evaluated
	Rollback     bool           // it is what the resource was before an update that failed
}

// Owner is the stack that a resource belongs to.
type Owner struct {
	StackName, StackID string
	Principal          wire.Principal // who makes the calls
}

// Provider handles the resources of all stacks. Its methods must be called
// with the world's lock held.
type Provider struct {
	world  *world.World
	caller wire.Caller
	kinds  map[string]kind
	Options
}

// Options are what a provider is given besides the services that it calls.
type Options struct {
	// ForStack returns a context in which CodeDeploy notes who asks for a
	// deployment and for which stack. Nil leaves that to CodeDeploy.
	ForStack func(ctx context.Context, creator cdtypes.DeploymentCreator, stackID string) context.Context
}

// New makes a provider that makes its calls through c.
func New(w *world.World, c wire.Caller, o Options) *Provider {
	return &Provider{world: w, caller: c, kinds: kinds(), Options: o}
}

// Known says whether there is such a resource type.
func (p *Provider) Known(typ string) bool { return p.kinds[typ].create != nil }

// HasAttribute says whether Fn::GetAtt may ask for that. It does not know it of
// types that are not known, or whose attributes nobody can foresee.
func (p *Provider) HasAttribute(typ, attribute string) bool {
	k, ok := p.kinds[typ]
	return !ok || k.attributes == anyAttributes || slices.Contains(strings.Fields(k.attributes), attribute)
}

// Types returns the names of the resource types, sorted.
func (p *Provider) Types() []string { return keys(p.kinds) }

// Check tries a resource without making it.
func (p *Provider) Check(ctx context.Context, o Owner, d Desired) template.ValidationError {
	j := p.job(ctx, o, d)
	if j.kind.create == nil {
		return template.ValidationError{{LogicalID: d.LogicalID, Type: d.Type, Reason: notSupported, Kind: template.KindType}}
	}
	j.known()
	for _, name := range keys(d.UpdatePolicy) {
		if !slices.Contains(strings.Fields(j.kind.policies), name) {
			j.report("UpdatePolicy."+name, "is not supported")
		}
	}
	// What a handler finds comes on top of what is known by now. It makes no
	// call, so it has nothing else to say.
	before := j.problems
	j.dry, j.problems = true, nil
	_ = j.kind.create(j)
	return append(before, j.problems...)
}

const notSupported = "resource type is not supported"

// Create makes a resource. What it returns with an error is what was made
// nevertheless: it has a physical id.
func (p *Provider) Create(ctx context.Context, o Owner, d Desired) (Resource, error) {
	j := p.job(ctx, o, d)
	if j.kind.create == nil {
		return Resource{}, fmt.Errorf("%s: %s", d.Type, notSupported)
	}
	err := j.kind.create(j)
	return j.resource, err
}

// Existing looks for a resource with the name that d gives it, which a stack
// may take over instead of making one.
func (p *Provider) Existing(ctx context.Context, o Owner, d Desired) (Resource, bool, error) {
	j := p.job(ctx, o, d)
	if j.kind.existing == nil {
		return Resource{}, false, nil
	}
	err := j.kind.existing(j)
	return j.resource, j.resource.PhysicalID != "", err
}

// Update changes a resource in place.
func (p *Provider) Update(ctx context.Context, o Owner, old Resource, d Desired) (Resource, error) {
	j := p.job(ctx, o, d)
	j.old = old
	j.resource = old
	j.resource.Properties, j.resource.Attributes = d.Properties, maps.Clone(old.Attributes)
	if j.kind.update == nil {
		return old, fmt.Errorf("%s cannot be changed in place", d.Type)
	}
	err := j.kind.update(j)
	return j.resource, err
}

// Remove removes a resource.
func (p *Provider) Remove(ctx context.Context, o Owner, r Resource) error {
	j := p.job(ctx, o, Desired{LogicalID: r.LogicalID, Type: r.Type, Properties: r.Properties})
	j.resource = r
	if j.kind.remove == nil {
		return nil
	}
	return j.kind.remove(j)
}

// Gone says whether the removal of a resource, once begun, has ended.
func (p *Provider) Gone(ctx context.Context, o Owner, r Resource) (bool, error) {
	j := p.job(ctx, o, Desired{LogicalID: r.LogicalID, Type: r.Type, Properties: r.Properties})
	j.resource = r
	if j.kind.gone == nil {
		return true, nil
	}
	return j.kind.gone(j)
}

// Settle looks whether what a resource waits for has happened. It returns the
// resource without Pending if so.
func (p *Provider) Settle(ctx context.Context, o Owner, r Resource) (Resource, error) {
	j := p.job(ctx, o, Desired{LogicalID: r.LogicalID, Type: r.Type, Properties: r.Properties})
	j.resource = r
	if j.kind.settle == nil {
		j.resource.Pending = ""
		return j.resource, nil
	}
	err := j.kind.settle(j)
	return j.resource, err
}

// Patient says whether a type may be waited for as long as it takes.
func (p *Provider) Patient(typ string) bool { return p.kinds[typ].patient }

// Recreation says whether the change of a property makes another resource.
type Recreation string

// The kinds of recreation, in the words of the CloudFormation API.
const (
	RecreationNever         Recreation = "Never"
	RecreationConditionally Recreation = "Conditionally"
	RecreationAlways        Recreation = "Always"
)

// Change is one property that differs.
type Change struct {
	Property   string
	Recreation Recreation
	Before     any // nil if it was not there
	After      any // nil if it will not be there
}

// Diff compares the properties of a resource, in the order of their names.
func (p *Provider) Diff(typ string, before, after map[string]any) []Change {
	k := p.kinds[typ]
	var out []Change
	for _, name := range names(before, after) {
		old, has := before[name]
		other, will := after[name]
		if has == will && reflect.DeepEqual(plainly(old), plainly(other)) {
			continue
		}
		out = append(out, Change{Property: name, Recreation: k.recreation(name), Before: old, After: other})
	}
	return out
}

// recreation is what a change of the property does.
func (k kind) recreation(property string) Recreation {
	switch {
	case k.properties == anyProperties:
		return RecreationNever
	case k.update == nil, slices.Contains(strings.Fields(k.replace), property):
		return RecreationAlways
	case slices.Contains(strings.Fields(k.perhaps), property):
		return RecreationConditionally
	default:
		return RecreationNever
	}
}

// MustReplace says whether a change makes another resource where that depends
// on the values.
func (p *Provider) MustReplace(old Resource, d Desired) bool {
	k := p.kinds[d.Type]
	return k.must != nil && k.must(old.Properties, d.Properties)
}

// plainly turns scalars into texts: CloudFormation takes 1 for "1" and false
// for "false", so such a change is none.
func plainly(v any) any {
	if text, ok := template.Text(v); ok {
		return text
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = plainly(one)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, plainly(one))
		}
		return out
	default:
		return v
	}
}

// names returns the names in either object, sorted.
func names(a, b map[string]any) []string {
	both := map[string]bool{}
	for name := range a {
		both[name] = true
	}
	for name := range b {
		both[name] = true
	}
	return keys(both)
}
