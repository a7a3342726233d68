package scenario_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
)

// A grant is one action that one statement of the template allows on one
// resource. The CDK makes one statement of several that have the same actions.
type grant struct {
	policy    string // logical ID of the resource that holds the document, or is the permission
	statement int    // its place in the document
	label     string // what decisions call it; empty if it is a permission
	action    string
	resource  string // as people spell it
	text      string // for people: "alarmrouter may sqs:SendMessage on Rollbacks"
}

// document is a policy document of the template with all that can be said of it.
type document struct {
	properties map[string]any
	id, kind   string
}

// documents returns the policy documents of a template, by their logical IDs.
func documents(template map[string]any) []document {
	var all []document
	resources, _ := template["Resources"].(map[string]any)
	for id, r := range resources {
		resource, _ := r.(map[string]any)
		kind, _ := resource["Type"].(string)
		properties, _ := resource["Properties"].(map[string]any)
		if _, ok := properties["PolicyDocument"]; ok {
			all = append(all, document{properties, id, kind})
		}
	}
	slices.SortFunc(all, func(a, b document) int { return strings.Compare(a.id, b.id) })
	return all
}

// statements returns the statements of a document.
func (d document) statements() []map[string]any {
	var all []map[string]any
	body, _ := d.properties["PolicyDocument"].(map[string]any)
	list, _ := body["Statement"].([]any)
	for _, s := range list {
		if one, ok := s.(map[string]any); ok {
			all = append(all, one)
		}
	}
	return all
}

// owner is whose policy it is: a function's, or a queue's or topic's.
func (d document) owner() string {
	for _, name := range []string{"Roles", "Queues", "Topics"} {
		if list, ok := d.properties[name].([]any); ok && len(list) == 1 {
			return strings.TrimSuffix(spell(list[0]), "role")
		}
	}
	return d.id
}

// grants lists all that a template allows, in a fixed order.
func grants(text []byte) ([]grant, error) {
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var all []grant
	for _, d := range documents(template) {
		for i, s := range d.statements() {
			if s["Effect"] != "Allow" {
				continue
			}
			for _, action := range actions(s) {
				for _, on := range resources(s) {
					text := d.describe(s, action, spell(on))
					all = append(all, grant{policy: d.id, statement: i, label: label(s, i), action: action, resource: spell(on), text: text})
				}
			}
		}
	}
	all = append(all, permits(template)...)
	slices.SortFunc(all, func(a, b grant) int { return strings.Compare(a.text, b.text) })
	return all, nil
}

// permits lists the permissions of functions: resources of their own, each of
// them a statement of the function's policy.
func permits(template map[string]any) []grant {
	var all []grant
	resources, _ := template["Resources"].(map[string]any)
	for id, r := range resources {
		resource, _ := r.(map[string]any)
		p, _ := resource["Properties"].(map[string]any)
		if resource["Type"] == permission {
			text := fmt.Sprintf("%s may %s on %s for %s", p["Principal"], p["Action"], spell(p["FunctionName"]), spell(p["SourceArn"]))
			all = append(all, grant{policy: id, action: fmt.Sprint(p["Action"]), text: text})
		}
	}
	return all
}

// permission is what lets somebody invoke a function.
const permission = "AWS::Lambda::Permission"

func label(statement map[string]any, i int) string {
	if sid, ok := statement["Sid"].(string); ok {
		return strconv.Quote(sid)
	}
	return strconv.Itoa(i + 1)
}

func actions(statement map[string]any) []string {
	if one, ok := statement["Action"].(string); ok {
		return []string{one}
	}
	list, _ := statement["Action"].([]any)
	all := make([]string, 0, len(list))
	for _, a := range list {
		all = append(all, fmt.Sprint(a))
	}
	return all
}

// resources returns what a statement is about: one, or a list.
func resources(statement map[string]any) []any {
	if list, ok := statement["Resource"].([]any); ok {
		return list
	}
	return []any{statement["Resource"]}
}

func (d document) describe(s map[string]any, action, on string) string {
	condition, _ := s["Condition"].(map[string]any)
	principal, ok := s["Principal"].(map[string]any)
	if !ok {
		text := d.owner() + " may " + action + " on " + on
		if equals, ok := condition["StringEquals"].(map[string]any); ok && equals["iam:PassedToService"] != nil {
			text += " to " + spell(equals["iam:PassedToService"])
		}
		return text
	}
	text := fmt.Sprint(principal["Service"]) + " may " + action + " on " + d.owner()
	if like, ok := condition["ArnEquals"].(map[string]any); ok {
		text += " for " + spell(like["aws:SourceArn"])
	}
	return text
}

// logicalHash is how long the hash is that CDK appends to a logical ID.
const logicalHash = 8

// spell names a value of the template: what it refers to, or its last part.
func spell(v any) string {
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(v)
	}
	name := fmt.Sprint(object["Ref"])
	if get, ok := object["Fn::GetAtt"].([]any); ok {
		name = fmt.Sprint(get[0])
	}
	if join, ok := object["Fn::Join"].([]any); ok {
		parts, _ := join[1].([]any)
		return spell(parts[len(parts)-1])
	}
	if n := len(name) - logicalHash; n > 0 {
		if _, err := strconv.ParseUint(name[n:], 16, 32); err == nil {
			return name[:n]
		}
	}
	return name
}

// without takes the grant out of a template.
func (g grant) without(text []byte) ([]byte, error) {
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if resources, _ := template["Resources"].(map[string]any); g.label == "" {
		delete(resources, g.policy)
	}
	for _, d := range documents(template) {
		if d.id != g.policy {
			continue
		}
		g.narrow(d)
	}
	return json.Marshal(template)
}

// narrow takes the grant out of its document. What else its action was allowed on
// becomes a statement of its own.
func (g grant) narrow(d document) {
	all := d.statements()
	if g.statement >= len(all) || !slices.Contains(actions(all[g.statement]), g.action) {
		return // of another stack that the story deploys
	}
	s := all[g.statement]
	others := slices.DeleteFunc(slices.Clone(resources(s)), func(on any) bool { return spell(on) == g.resource })
	if body, _ := d.properties["PolicyDocument"].(map[string]any); len(others) > 0 {
		rest := maps.Clone(s)
		rest["Action"], rest["Resource"] = g.action, others
		list, _ := body["Statement"].([]any)
		body["Statement"] = append(list, rest)
	}
	left := slices.DeleteFunc(actions(s), func(a string) bool { return a == g.action })
	s["Action"] = left
	if len(left) == 0 { // a statement needs an action: one that nothing has
		s["Action"] = []string{"none:None"}
	}
}

// decided reports whether it was the grant that allowed something.
func (g grant) decided(d access.Decision) bool {
	if g.label == "" { // a permission: the statements of all functions have names like these
		return d.Allowed && d.By != nil && strings.EqualFold(d.Action, g.action) && d.By.Kind == "resource-based policy"
	}
	return d.Allowed && d.By != nil && strings.EqualFold(d.Action, g.action) && d.By.Statement == "statement "+g.label &&
		(d.By.Policy == g.policy || strings.Contains(d.By.Policy, g.holder()))
}

// holder is the logical ID of the queue or topic whose policy it is: the
// physical name has it in it.
func (g grant) holder() string { return "-" + strings.Split(g.policy, "Policy")[0] }
