package cloudformation

import (
	"bytes"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// comparison compares a stack with what it shall become.
type comparison struct {
	*Service
	st       *stack
	revision revision
	plan     *plan
	old      *template.Template // nil if the stack has none

	replaced map[string]bool // resources that get another physical id, or may
	modified map[string]bool // resources that change in place
}

// compare makes a comparison. What is known of values that do not exist yet is
// worked out in the order in which resources are made.
func (s *Service) compare(st *stack, r revision, p *plan) *comparison {
	c := &comparison{Service: s, st: st, revision: r, plan: p, replaced: map[string]bool{}, modified: map[string]bool{}}
	if st.revision.Template != "" {
		c.old, _ = template.Parse([]byte(st.revision.Template)) // it was read before
	}
	return c
}

// changes lists what becomes of a stack's resources, by logical id.
func (s *Service) changes(st *stack, r revision, p *plan) []cfntypes.Change {
	c := s.compare(st, r, p)
	var out []cfntypes.ResourceChange
	for _, id := range p.order {
		if one, ok := c.resource(id); ok {
			out = append(out, one)
		}
	}
	for _, m := range st.resources {
		if _, stays := p.deps[m.LogicalID]; !stays {
			out = append(out, removed(m))
		}
	}
	slices.SortFunc(out, func(a, b cfntypes.ResourceChange) int {
		return bytes.Compare([]byte(*a.LogicalResourceId), []byte(*b.LogicalResourceId))
	})
	var all []cfntypes.Change
	for _, one := range out {
		all = append(all, cfntypes.Change{Type: cfntypes.ChangeTypeResource, ResourceChange: &one})
	}
	return all
}

// differs says whether an update would do anything.
func (s *Service) differs(st *stack, r revision, p *plan) bool {
	if len(s.changes(st, r, p)) > 0 || !reflect.DeepEqual(tagMap(st.revision.Tags), tagMap(r.Tags)) ||
		!slices.Equal(st.revision.Notify, r.Notify) {
		return true
	}
	outs, found := p.outputs(st.lookup)
	if len(found) > 0 || len(outs) != len(st.outputs) {
		return true
	}
	for i, o := range outs {
		was := st.outputs[i]
		if o.name != *was.OutputKey || o.value != *was.OutputValue || o.export != aws.ToString(was.ExportName) ||
			o.description != aws.ToString(was.Description) {
			return true
		}
	}
	return false
}

func tagMap(tags []cfntypes.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

func removed(m *member) cfntypes.ResourceChange {
	one := cfntypes.ResourceChange{
		Action: cfntypes.ChangeActionRemove, LogicalResourceId: &m.LogicalID, PhysicalResourceId: aws.String(m.PhysicalID),
		ResourceType: &m.Type, PolicyAction: cfntypes.PolicyActionDelete, BeforeContext: contextOf(m.Properties, m.Attached.Metadata),
	}
	if retained(m.Retention) {
		one.PolicyAction = cfntypes.PolicyActionRetain
	}
	return one
}

// foresee is the Lookup of a resource as it will be.
func (c *comparison) foresee(id, attribute string) (any, error) {
	m := c.st.member(id)
	if m == nil || m.PhysicalID == "" || c.replaced[id] || c.modified[id] && attribute != "" {
		return template.Unknown{}, nil
	}
	return valueOf(m.Resource, attribute)
}

// resource is what becomes of one resource of the plan.
func (c *comparison) resource(id string) (cfntypes.ResourceChange, bool) {
	r := c.plan.template.Resources[id]
	properties, _ := c.plan.scope.Object(r.Properties, c.foresee) // the plan has found no fault
	c.revision.replaceCode(id, properties)
	m := c.st.member(id)
	one := cfntypes.ResourceChange{LogicalResourceId: &id, ResourceType: aws.String(r.Type), AfterContext: contextOf(properties, r.Metadata)}
	if m == nil {
		one.Action = cfntypes.ChangeActionAdd
		d := resource.Desired{LogicalID: id, Type: r.Type, Properties: properties}
		if there, ok := c.takeOver(c.context(), c.st, c.revision, d, resource.Retention(r.DeletionPolicy)); ok {
			one.Action, one.PhysicalResourceId = cfntypes.ChangeActionImport, &there.PhysicalID
		}
		return one, true
	}
	one.Action, one.PhysicalResourceId = cfntypes.ChangeActionModify, aws.String(m.PhysicalID)
	one.BeforeContext = contextOf(m.Properties, m.Attached.Metadata)
	if m.Type != r.Type {
		c.replaced[id] = true
		one.Replacement, one.PolicyAction = cfntypes.ReplacementTrue, replacing(m)
		return one, true
	}
	impact := cfntypes.ReplacementFalse
	for _, change := range c.provider.Diff(r.Type, m.Properties, properties) {
		details := c.details(id, r, change)
		one.Details = append(one.Details, details...)
		impact = worse(impact, replacementOf(details))
	}
	one.Details = append(one.Details, c.beside(m, r)...)
	if len(one.Details) == 0 {
		return one, false
	}
	for _, d := range one.Details {
		if !slices.Contains(one.Scope, d.Target.Attribute) {
			one.Scope = append(one.Scope, d.Target.Attribute)
		}
	}
	one.Replacement = impact
	c.replaced[id], c.modified[id] = impact != cfntypes.ReplacementFalse, true
	if impact == cfntypes.ReplacementTrue {
		one.PolicyAction = replacing(m)
	}
	return one, true
}

func replacing(m *member) cfntypes.PolicyAction {
	if m.Replace == resource.RetentionRetain {
		return cfntypes.PolicyActionReplaceAndRetain
	}
	return cfntypes.PolicyActionReplaceAndDelete
}

// replacementOf follows from how sure the change of a property is
// (CloudFormation API reference, ResourceChange, Replacement).
func replacementOf(details []cfntypes.ResourceChangeDetail) cfntypes.Replacement {
	impact := cfntypes.ReplacementFalse
	for _, d := range details {
		switch d.Target.RequiresRecreation {
		case cfntypes.RequiresRecreationAlways:
			if d.Evaluation == cfntypes.EvaluationTypeStatic {
				impact = worse(impact, cfntypes.ReplacementTrue)
			} else {
				impact = worse(impact, cfntypes.ReplacementConditional)
			}
		case cfntypes.RequiresRecreationConditionally:
			impact = worse(impact, cfntypes.ReplacementConditional)
		case cfntypes.RequiresRecreationNever:
		}
	}
	return impact
}

func worse(a, b cfntypes.Replacement) cfntypes.Replacement {
	order := []cfntypes.Replacement{cfntypes.ReplacementFalse, cfntypes.ReplacementConditional, cfntypes.ReplacementTrue}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// beside lists changes of what is no property.
func (c *comparison) beside(m *member, r template.Resource) []cfntypes.ResourceChangeDetail {
	var out []cfntypes.ResourceChangeDetail
	note := func(a cfntypes.ResourceAttribute, differs bool) {
		if differs {
			out = append(out, cfntypes.ResourceChangeDetail{
				ChangeSource: cfntypes.ChangeSourceDirectModification, Evaluation: cfntypes.EvaluationTypeStatic,
				Target: &cfntypes.ResourceTargetDefinition{Attribute: a, RequiresRecreation: cfntypes.RequiresRecreationNever},
			})
		}
	}
	policy, _ := c.plan.scope.Object(r.UpdatePolicy, c.foresee)
	note(cfntypes.ResourceAttributeMetadata, !sameObject(m.Attached.Metadata, r.Metadata))
	note(cfntypes.ResourceAttributeUpdatePolicy, !sameObject(m.Attached.UpdatePolicy, policy))
	note(cfntypes.ResourceAttributeDeletionPolicy, m.Retention != resource.Retention(r.DeletionPolicy))
	note(cfntypes.ResourceAttributeUpdateReplacePolicy, m.Replace != resource.Retention(r.UpdateReplacePolicy))
	return out
}

func sameObject(a, b map[string]any) bool {
	return len(a)+len(b) == 0 || reflect.DeepEqual(a, b)
}

// withoutValues is a list of changes as it is shown if values are not asked for.
func withoutValues(changes []cfntypes.Change) []cfntypes.Change {
	out := slices.Clone(changes)
	for i, c := range out {
		r := *c.ResourceChange
		r.BeforeContext, r.AfterContext = nil, nil
		r.Details = slices.Clone(r.Details)
		for k, d := range r.Details {
			t := *d.Target
			t.BeforeValue, t.AfterValue, t.Path, t.AttributeChangeType = nil, nil, nil, ""
			r.Details[k].Target = &t
		}
		out[i].ResourceChange = &r
	}
	return out
}
