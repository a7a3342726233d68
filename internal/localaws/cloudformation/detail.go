package cloudformation

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// details says how and why one property changes.
func (c *comparison) details(id string, r template.Resource, change resource.Change) []cfntypes.ResourceChangeDetail {
	target := cfntypes.ResourceTargetDefinition{
		Attribute: cfntypes.ResourceAttributeProperties, Name: aws.String(change.Property),
		RequiresRecreation: cfntypes.RequiresRecreation(change.Recreation), Path: aws.String("/Properties/" + change.Property),
		BeforeValue: textOf(change.Before), AfterValue: textOf(change.After), AttributeChangeType: changeType(change),
	}
	if change.Property == "Tags" {
		target.Attribute, target.Name = cfntypes.ResourceAttributeTags, nil
	}
	raw, was := r.Properties[change.Property], any(nil)
	if c.old != nil {
		was = c.old.Resources[id].Properties[change.Property]
	}
	if !reflect.DeepEqual(raw, was) {
		return []cfntypes.ResourceChangeDetail{{
			ChangeSource: cfntypes.ChangeSourceDirectModification, Evaluation: cfntypes.EvaluationTypeStatic, Target: &target,
		}}
	}
	var out []cfntypes.ResourceChangeDetail
	for _, ref := range template.References(raw) {
		if d, ok := c.because(ref); ok {
			d.Target = &target
			out = append(out, d)
		}
	}
	if len(out) == 0 { // a condition, a mapping or an import is another
		out = append(out, cfntypes.ResourceChangeDetail{
			ChangeSource: cfntypes.ChangeSourceDirectModification, Evaluation: cfntypes.EvaluationTypeStatic, Target: &target,
		})
	}
	return out
}

// because says whether what a property refers to is the cause of its change.
func (c *comparison) because(ref template.Reference) (cfntypes.ResourceChangeDetail, bool) {
	d := cfntypes.ResourceChangeDetail{CausingEntity: aws.String(ref.Name)}
	if _, is := c.plan.template.Parameters[ref.Name]; is {
		d.ChangeSource, d.Evaluation = cfntypes.ChangeSourceParameterReference, cfntypes.EvaluationTypeStatic
		return d, c.st.revision.Parameters[ref.Name] != c.revision.Parameters[ref.Name] ||
			c.st.revision.Resolved[ref.Name] != c.revision.Resolved[ref.Name]
	}
	d.ChangeSource, d.Evaluation = cfntypes.ChangeSourceResourceReference, cfntypes.EvaluationTypeDynamic
	if ref.Attribute != "" {
		d.ChangeSource, d.CausingEntity = cfntypes.ChangeSourceResourceAttribute, aws.String(ref.Name+"."+ref.Attribute)
	}
	return d, c.replaced[ref.Name] || c.modified[ref.Name] && ref.Attribute != "" || c.st.member(ref.Name) == nil
}

func changeType(c resource.Change) cfntypes.AttributeChangeType {
	switch {
	case c.Before == nil:
		return cfntypes.AttributeChangeTypeAdd
	case c.After == nil:
		return cfntypes.AttributeChangeTypeRemove
	default:
		return cfntypes.AttributeChangeTypeModify
	}
}

// textOf spells a value of a property, contextOf a whole resource.
func textOf(v any) *string {
	if v == nil {
		return nil
	}
	if text, ok := template.Text(v); ok {
		return &text
	}
	if _, later := v.(template.Unknown); later {
		return aws.String(knownLater)
	}
	return jsonText(v)
}

func contextOf(properties, metadata map[string]any) *string {
	all := map[string]any{"Properties": properties}
	if len(metadata) > 0 {
		all["Metadata"] = metadata
	}
	return jsonText(all)
}

// What stands for a value that is not known: here, and in change sets
// (CloudFormation user guide, "View a change set").
const (
	unknown    = "(known after creation)"
	knownLater = "{{changeSet:KNOWN_AFTER_APPLY}}"
)

func jsonText(v any) *string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // not reached: it was read from JSON
	}
	return aws.String(strings.ReplaceAll(string(bytes.TrimSpace(b.Bytes())), unknown, knownLater))
}
