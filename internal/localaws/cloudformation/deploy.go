// Package cloudformation makes the resources of a CloudFormation template in
// the local AWS: it is what stands behind a "cdk deploy" of a synthesized
// stack. It has no API of its own yet, only [Deploy] and [Delete].
//
// It refuses more than CloudFormation does and ignores nothing: a resource
// type, property, attribute or intrinsic function that it does not know is an
// error that names it. All such errors of a template are reported together
// before anything is made. A stack can be created and deleted, not updated.
// IAM roles and policies are recorded ([Roles]), not enforced.
package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Input says what to deploy. [ReadAssembly] and [ReadTemplate] make one.
type Input struct {
	StackName  string
	Template   []byte // JSON
	Parameters map[string]string
	Assets     Assets
	Imports    map[string]string // what other stacks export, for Fn::ImportValue
	Roles      *Roles            // where to record IAM resources; nil is a new record
	Options    Options
}

// Options are a caller's choices.
type Options struct {
	// Replace may give another directory for the code of a function: the
	// template ships code for another architecture than this machine's. It is
	// called for each function whose code is an asset, with the function's
	// Metadata and the asset's directory, and returns a directory. Nil keeps
	// every directory.
	Replace func(logicalID string, metadata map[string]any, dir string) (string, error)
}

// deployment is one run of Deploy or Delete.
type deployment struct {
	caller wire.Caller
	world  *world.World
	kinds  map[string]kind
	roles  *Roles
	in     Input
	id     string            // of the stack
	code   map[string]string // object key of functions whose code was replaced

	template *template.Template
	scope    *template.Scope
	made     map[string]Resource
	stack    Stack
}

// Deploy makes the resources of a template, each after those it depends on. If
// one cannot be made, those already made are removed again and the error is a
// *[ResourceError]; if the template cannot be deployed at all, the error is
// [ValidationError]. Call it without the world's lock; it holds the lock until it is
// done, so that no time passes.
func Deploy(ctx context.Context, c wire.Caller, w *world.World, in Input) (Stack, error) {
	t, err := template.Parse(in.Template)
	if err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	files, err := pack(t, in)
	if err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	w.Lock()
	defer w.Unlock()
	d := &deployment{
		caller: c, world: w, kinds: kinds(), roles: in.Roles, in: in, code: files.replaced,
		template: t, made: map[string]Resource{},
	}
	if d.roles == nil {
		d.roles = NewRoles()
	}
	d.id = d.arn("cloudformation", "stack/"+in.StackName+"/"+w.UUID())
	d.stack = Stack{ID: d.id, Name: in.StackName, Roles: d.roles}
	if err := d.run(ctx, files.uploads); err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	return d.stack, nil
}

// ValidationError is every reason why a template cannot be deployed.
type ValidationError = template.ValidationError

// run does all that needs the lock.
func (d *deployment) run(ctx context.Context, uploads []upload) error {
	if err := d.bootstrap(ctx); err != nil {
		return err
	}
	order, err := d.plan(ctx)
	if err != nil {
		return err
	}
	if err := d.upload(ctx, uploads); err != nil {
		return err
	}
	for _, id := range order {
		if err := d.create(ctx, id); err != nil {
			return errors.Join(err, d.rollBack(ctx))
		}
	}
	if found := d.outputs(d.find); len(found) > 0 {
		return errors.Join(found, d.rollBack(ctx))
	}
	return nil
}

// create makes one resource and notes it, also if only part of it was made.
func (d *deployment) create(ctx context.Context, id string) error {
	r := d.template.Resources[id]
	properties, faults := d.scope.Object(r.Properties, d.find)
	j := d.job(ctx, id, r.Type, properties)
	for _, f := range faults {
		j.report(f.Path, f.Reason)
	}
	err := ctx.Err()
	if err == nil {
		err = j.problems.Err()
	}
	if err == nil {
		err = j.kind.create(j)
	}
	if j.resource.PhysicalID != "" {
		j.resource.Retention = Retention(r.DeletionPolicy)
		d.made[id] = j.resource
		d.stack.Resources = append(d.stack.Resources, j.resource)
	}
	if err != nil {
		return &ResourceError{Action: "create", LogicalID: id, Type: r.Type, Cause: err}
	}
	return nil
}

// find is the Lookup of resources that are made.
func (d *deployment) find(id, attribute string) (any, error) {
	r, ok := d.made[id]
	if !ok {
		return nil, template.NoSuch(id)
	}
	if attribute == "" {
		return r.PhysicalID, nil
	}
	v, ok := r.Attributes[attribute]
	if !ok {
		return nil, fmt.Errorf("%s has no attribute %q", r.Type, attribute)
	}
	return v, nil
}

// rollBack removes what was made, last first. It leaves what is to be retained
// even if its stack never came to be.
func (d *deployment) rollBack(ctx context.Context) error {
	return d.remove(ctx, d.stack.Resources, RetentionRetain)
}

// Delete removes the resources of a stack, last made first, except those with
// a DeletionPolicy that retains them. A resource that cannot be removed does
// not keep the others; the error joins a *[ResourceError] for each. Call it without
// the world's lock.
func Delete(ctx context.Context, c wire.Caller, w *world.World, s Stack) error {
	w.Lock()
	defer w.Unlock()
	d := &deployment{caller: c, world: w, kinds: kinds(), roles: s.Roles, in: Input{StackName: s.Name}, id: s.ID}
	if d.roles == nil {
		d.roles = NewRoles()
	}
	if err := d.remove(ctx, s.Resources, RetentionRetain, RetentionRetainExceptOnCreate); err != nil {
		return fmt.Errorf("delete %s: %w", s.Name, err)
	}
	return nil
}

// remove removes resources in reverse order, except those that are retained.
// It goes on even if ctx has ended: half a stack helps nobody.
func (d *deployment) remove(ctx context.Context, made []Resource, retained ...Retention) error {
	ctx = context.WithoutCancel(ctx)
	var failures []error
	for _, r := range slices.Backward(made) {
		if slices.Contains(retained, r.Retention) {
			continue
		}
		j := d.job(ctx, r.LogicalID, r.Type, r.Properties)
		j.resource = r
		if j.kind.remove == nil {
			continue
		}
		if err := j.kind.remove(j); err != nil {
			failures = append(failures, &ResourceError{Action: "delete", LogicalID: r.LogicalID, Type: r.Type, Cause: err})
		}
	}
	return errors.Join(failures...)
}
