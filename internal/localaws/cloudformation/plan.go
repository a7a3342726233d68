package cloudformation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// plan checks the whole template without making anything and returns the order
// in which to make its resources.
func (d *deployment) plan(ctx context.Context) ([]string, error) {
	values, found := d.template.Values(d.in.Parameters, func(name string) (string, error) { return d.parameter(ctx, name) })
	if !validName(d.in.StackName) {
		found = append(found, template.Problem{Reason: fmt.Sprintf("stack name %q: must be letters, digits and hyphens, a letter first", d.in.StackName)})
	}
	maps.Copy(values, d.pseudo())
	scope, more := d.template.Scope(values, d.in.Imports)
	d.scope, found = scope, append(found, more...)

	deps := map[string][]string{}
	for _, id := range keys(d.template.Resources) {
		r := d.template.Resources[id]
		made, err := scope.Holds(r.Condition)
		if err != nil {
			found = append(found, template.Problem{LogicalID: id, Type: r.Type, Reason: "Condition: " + err.Error()})
		}
		if made {
			on, problems := d.check(ctx, id, r)
			deps[id], found = on, append(found, problems...)
		}
	}
	found = append(found, d.outputs(d.foresee)...)
	d.stack.Outputs, d.stack.Exports = nil, nil
	order, cycle := template.Order(deps)
	if cycle != nil {
		r := d.template.Resources[cycle[0]]
		found = append(found, template.Problem{LogicalID: cycle[0], Type: r.Type, Reason: template.Circular(cycle)})
	}
	return order, found.Err()
}

// longestStack is the limit of a stack's name (CloudFormation API reference,
// CreateStack).
const longestStack = 128

// validName says whether a stack can have that name: [a-zA-Z][-a-zA-Z0-9]*.
func validName(name string) bool {
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= longestStack
}

// pseudo returns the pseudo parameters.
func (d *deployment) pseudo() map[string]any {
	region := d.world.Region
	return map[string]any{
		"AWS::AccountId": d.world.Account, "AWS::Region": region,
		"AWS::Partition": partition(region), "AWS::URLSuffix": suffix(region),
		"AWS::StackName": d.in.StackName, "AWS::StackId": d.id,
	}
}

// check tries one resource without making it. It returns what the resource
// depends on.
func (d *deployment) check(ctx context.Context, id string, r template.Resource) ([]string, ValidationError) {
	deps := slices.Clone([]string(r.DependsOn))
	properties, faults := d.scope.Object(r.Properties, func(on, attribute string) (any, error) {
		deps = append(deps, on)
		return d.foresee(on, attribute)
	})
	j := d.job(ctx, id, r.Type, properties)
	for _, f := range faults {
		j.report(f.Path, f.Reason)
	}
	d.checkAttributes(j, r)
	if j.kind.create == nil {
		j.report("", "resource type is not supported")
		return deps, j.problems
	}
	j.known()
	// What a handler finds comes on top of what is known by now. It makes no
	// call, so it has nothing else to say.
	before := j.problems
	j.dry, j.problems = true, nil
	_ = j.kind.create(j)
	return deps, append(before, j.problems...)
}

// checkAttributes checks what a resource has besides properties.
func (d *deployment) checkAttributes(j *job, r template.Resource) {
	for _, on := range r.DependsOn {
		if _, ok := d.template.Resources[on]; !ok {
			j.report("DependsOn", fmt.Sprintf("resource %q does not exist", on))
		}
	}
	// The update policies are for updates, of which there are none; what they
	// refer to must exist all the same.
	_, faults := d.scope.Object(r.UpdatePolicy, d.foresee)
	for _, f := range faults {
		j.report("UpdatePolicy."+f.Path, f.Reason)
	}
	policies := []string{"", string(RetentionDelete), string(RetentionRetain), string(RetentionRetainExceptOnCreate)}
	if !slices.Contains(policies, r.DeletionPolicy) {
		j.report("DeletionPolicy", fmt.Sprintf("%q is not supported", r.DeletionPolicy))
	}
}

// foresee is the Lookup of resources that are not made yet.
func (d *deployment) foresee(id, attribute string) (any, error) {
	r, ok := d.template.Resources[id]
	if !ok {
		return nil, template.NoSuch(id)
	}
	if made, err := d.scope.Holds(r.Condition); err == nil && !made {
		return nil, fmt.Errorf("resource %q is not made because condition %s is false", id, r.Condition)
	}
	k, ok := d.kinds[r.Type]
	if ok && attribute != "" && !slices.Contains(strings.Fields(k.attributes), attribute) {
		return nil, fmt.Errorf("attribute %q of %s (%s) is not supported", attribute, id, r.Type)
	}
	return template.Unknown{}, nil
}

// outputs evaluates the outputs into the stack.
func (d *deployment) outputs(lookup template.Lookup) ValidationError {
	d.stack.Outputs, d.stack.Exports = map[string]string{}, map[string]string{}
	var found ValidationError
	for _, name := range keys(d.template.Outputs) {
		o := d.template.Outputs[name]
		report := func(property, reason string) {
			found = append(found, template.Problem{LogicalID: name, Type: "Output", Property: property, Reason: reason})
		}
		wanted, err := d.scope.Holds(o.Condition)
		if err != nil {
			report("Condition", err.Error())
		}
		if !wanted {
			continue
		}
		d.stack.Outputs[name] = d.outputText(o.Value, "Value", lookup, report)
		if o.Export != nil {
			export := d.outputText(o.Export.Name, "Export.Name", lookup, report)
			d.stack.Exports[export] = d.stack.Outputs[name]
		}
	}
	return found
}

func (d *deployment) outputText(v any, property string, lookup template.Lookup, report func(property, reason string)) string {
	x, faults := d.scope.Eval(v, lookup)
	for _, f := range faults {
		report(property, f.Reason)
	}
	text, ok := template.Text(x)
	if !ok && !isUnknown(x) {
		report(property, "must be a text")
	}
	return text
}
