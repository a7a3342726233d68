package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// plan is what follows from a revision: it can be worked out again at any time.
type plan struct {
	template *template.Template
	scope    *template.Scope
	order    []string // in which resources are made
	deps     map[string][]string
}

// planner works a plan out.
type planner struct {
	*Service
	ctx      context.Context //nolint:containedctx // a planner lives exactly as long as the call that it serves
	st       *stack
	revision *revision
	plan     *plan
}

// plan checks a whole template without making anything. It notes in the
// revision what the parameters resolve to.
func (s *Service) plan(ctx context.Context, st *stack, r *revision) (*plan, error) {
	t, err := template.Parse([]byte(r.Template))
	if err != nil {
		return nil, err
	}
	p := &planner{Service: s, ctx: ctx, st: st, revision: r, plan: &plan{template: t, deps: map[string][]string{}}}
	r.Description, r.Resolved, r.Hidden = t.Description, map[string]string{}, map[string]bool{}
	for name, one := range t.Parameters {
		hidden, _ := template.Text(one.NoEcho)
		if strings.EqualFold(hidden, "true") {
			r.Hidden[name] = true
		}
	}
	values, found := t.Values(r.Parameters, p.resolve)
	r.Parameters = t.Effective(r.Parameters)
	maps.Copy(values, s.pseudo(st, r))
	scope, more := t.Scope(values, s.importable(r))
	scope.Resolve = p.parameter
	p.plan.scope, found = scope, append(found, more...)
	for _, id := range keys(t.Resources) {
		found = append(found, p.look(id)...)
	}
	_, more = p.plan.outputs(p.foresee)
	found = append(found, more...)
	order, cycle := template.Order(p.plan.deps)
	if cycle != nil {
		found = append(found, template.Problem{
			LogicalID: cycle[0], Type: t.Resources[cycle[0]].Type, Reason: template.Circular(cycle), Kind: template.KindCircle,
		})
	}
	p.plan.order = order
	return p.plan, found.Err()
}

// resolve reads a parameter of Systems Manager for a parameter of that type.
func (p *planner) resolve(parameter, name string) (string, error) {
	v, err := p.parameter(name)
	if err == nil {
		p.revision.Resolved[parameter] = v
	}
	return v, err
}

// parameter reads a parameter of Systems Manager.
func (p *planner) parameter(name string) (string, error) {
	v, err := p.Service.parameter(p.ctx, p.st.owner().Principal, name)
	_, missing := errors.AsType[*ssmtypes.ParameterNotFound](err)
	if missing && name == bootstrapParameter && p.revision.Bootstrapped {
		return bootstrapVersion, nil
	}
	return v, err
}

func (s *Service) parameter(ctx context.Context, as wire.Principal, name string) (string, error) {
	out, err := wire.Do[ssm.GetParameterOutput](ctx, s.caller, as, "ssm", "GetParameter", &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return "", err
	}
	if out.Parameter == nil {
		return "", fmt.Errorf("parameter %s has no value", name)
	}
	return aws.ToString(out.Parameter.Value), nil
}

// importable is what Fn::ImportValue may ask for.
func (s *Service) importable(r *revision) map[string]string {
	out := maps.Clone(r.Imports)
	if out == nil {
		out = map[string]string{}
	}
	for name, e := range s.exports() {
		out[name] = e.value
	}
	return out
}

// pseudo returns the pseudo parameters.
func (s *Service) pseudo(st *stack, r *revision) map[string]any {
	topics := make([]any, 0, len(r.Notify))
	for _, arn := range r.Notify {
		topics = append(topics, arn)
	}
	region := s.world.Region
	return map[string]any{
		"AWS::AccountId": s.world.Account, "AWS::Region": region,
		"AWS::Partition": resource.Partition(region), "AWS::URLSuffix": resource.Suffix(region),
		"AWS::StackName": st.name, "AWS::StackId": st.id, "AWS::NotificationARNs": topics,
	}
}

// look tries one resource without making it, and finds what it depends on.
func (p *planner) look(id string) template.ValidationError {
	r := p.plan.template.Resources[id]
	made, err := p.plan.scope.Holds(r.Condition)
	if err != nil {
		return template.ValidationError{{LogicalID: id, Type: r.Type, Reason: "Condition: " + err.Error()}}
	}
	if !made {
		return nil
	}
	deps := slices.Clone([]string(r.DependsOn))
	properties, faults := p.plan.scope.Object(r.Properties, func(on, attribute string) (any, error) {
		deps = append(deps, on)
		return p.foresee(on, attribute)
	})
	p.plan.deps[id] = deps
	found := problems(id, r.Type, "", faults)
	found = append(found, p.lookBeside(id, r)...)
	d := resource.Desired{LogicalID: id, Type: r.Type, Properties: properties, UpdatePolicy: r.UpdatePolicy}
	return append(found, p.provider.Check(p.ctx, p.st.owner(), d)...)
}

// problems turns faults of a value into problems of a resource.
func problems(id, typ, before string, faults []template.Fault) template.ValidationError {
	var found template.ValidationError
	for _, f := range faults {
		kind := template.Kind("")
		if strings.HasSuffix(f.Reason, template.NobodySuffix) {
			kind = template.KindNobody
		}
		found = append(found, template.Problem{LogicalID: id, Type: typ, Property: before + f.Path, Reason: f.Reason, Kind: kind})
	}
	return found
}

// lookBeside checks what a resource has besides properties.
func (p *planner) lookBeside(id string, r template.Resource) template.ValidationError {
	var found template.ValidationError
	report := func(at, reason string) {
		found = append(found, template.Problem{LogicalID: id, Type: r.Type, Property: at, Reason: reason})
	}
	for _, on := range r.DependsOn {
		if _, ok := p.plan.template.Resources[on]; !ok {
			report("DependsOn", fmt.Sprintf("resource %q does not exist", on))
		}
	}
	// The update policies make no dependency; what they refer to must exist all
	// the same.
	_, faults := p.plan.scope.Object(r.UpdatePolicy, p.foresee)
	found = append(found, problems(id, r.Type, "UpdatePolicy.", faults)...)
	policies := []resource.Retention{"", resource.RetentionDelete, resource.RetentionRetain, resource.RetentionRetainExceptOnCreate}
	if !slices.Contains(policies, resource.Retention(r.DeletionPolicy)) {
		report("DeletionPolicy", fmt.Sprintf("%q is not supported", r.DeletionPolicy))
	}
	if !slices.Contains(policies[:3], resource.Retention(r.UpdateReplacePolicy)) {
		report("UpdateReplacePolicy", fmt.Sprintf("%q is not supported", r.UpdateReplacePolicy))
	}
	return found
}

// foresee is the Lookup of resources that are not made yet.
func (p *planner) foresee(id, attribute string) (any, error) {
	r, ok := p.plan.template.Resources[id]
	if !ok {
		return nil, template.NoSuch(id)
	}
	if made, err := p.plan.scope.Holds(r.Condition); err == nil && !made {
		return nil, fmt.Errorf("resource %q is not made because condition %s is false", id, r.Condition)
	}
	if attribute != "" && !p.provider.HasAttribute(r.Type, attribute) {
		return nil, fmt.Errorf("attribute %q of %s (%s) is not supported", attribute, id, r.Type)
	}
	return template.Unknown{}, nil
}

// output is an output that was evaluated.
type output struct{ name, description, value, export string }

// outputs evaluates the outputs, in the order of their names.
func (p *plan) outputs(lookup template.Lookup) ([]output, template.ValidationError) {
	var out []output
	var found template.ValidationError
	for _, name := range keys(p.template.Outputs) {
		o := p.template.Outputs[name]
		report := func(property, reason string) {
			found = append(found, template.Problem{LogicalID: name, Type: "Output", Property: property, Reason: reason})
		}
		wanted, err := p.scope.Holds(o.Condition)
		if err != nil {
			report("Condition", err.Error())
		}
		if !wanted {
			continue
		}
		one := output{name: name, description: o.Description, value: p.text(o.Value, "Value", lookup, report)}
		if o.Export != nil {
			one.export = p.text(o.Export.Name, "Export.Name", lookup, report)
		}
		out = append(out, one)
	}
	return out, found
}

func (p *plan) text(v any, property string, lookup template.Lookup, report func(property, reason string)) string {
	x, faults := p.scope.Eval(v, lookup)
	for _, f := range faults {
		report(property, f.Reason)
	}
	text, ok := template.Text(x)
	if _, later := x.(template.Unknown); !ok && !later {
		report(property, "must be a text")
	}
	return text
}

// expand replaces pseudo parameters in a text.
func (p *plan) expand(text string) (string, error) {
	v, faults := p.scope.Eval(map[string]any{"Fn::Sub": text}, func(id, _ string) (any, error) { return nil, template.NoSuch(id) })
	if len(faults) > 0 {
		return "", errors.New(faults[0].Reason)
	}
	s, _ := v.(string)
	return s, nil
}
