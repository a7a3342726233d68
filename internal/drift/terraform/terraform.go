// Package terraform reads what Terraform, or OpenTofu, would make of a target: a
// plan or a state as "terraform show -json" prints it (Terraform documentation,
// "JSON Output Format").
//
// It runs nothing and calls nothing. It refuses what it does not know for sure.
package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// File is a plan or a state.
type File struct {
	tool      drift.Tool
	resources []resource
}

// resource is one of either.
type resource struct {
	address, typ string
	actions      []string       // of a plan
	values       map[string]any // as they are to be, or were applied
	unknown      map[string]any // what is known only after it is applied
}

type (
	document struct {
		Format  *string          `json:"format_version"`
		Version any              `json:"version"` // of a state file
		Changes []resourceChange `json:"resource_changes"`
		Planned json.RawMessage  `json:"planned_values"`
		Values  *struct {
			Root module `json:"root_module"`
		} `json:"values"`
	}
	resourceChange struct {
		Address string `json:"address"`
		Mode    string `json:"mode"`
		Type    string `json:"type"`
		Change  struct {
			Actions []string        `json:"actions"`
			After   map[string]any  `json:"after"`
			Unknown json.RawMessage `json:"after_unknown"` // true or an object
		} `json:"change"`
	}
	module struct {
		Resources []struct {
			Address string         `json:"address"`
			Mode    string         `json:"mode"`
			Type    string         `json:"type"`
			Values  map[string]any `json:"values"`
		} `json:"resources"`
		Children []module `json:"child_modules"`
	}
)

// how is how to get what can be read.
const how = "terraform plan -out PLAN && terraform show -json PLAN > plan.json"

// Parse reads what terraform show -json has printed.
func Parse(text []byte) (File, error) {
	if len(strings.TrimSpace(string(text))) == 0 {
		return File{}, errors.New("it is empty; make it with: " + how)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return File{}, fmt.Errorf("it is not JSON of terraform show (%w); a plan file itself is not read, make it with: %s", err, how)
	}
	if d.Format == nil {
		if d.Version != nil {
			return File{}, errors.New("it is a state file of Terraform, whose format is its own: make terraform show -json > state.json, or better: " + how)
		}
		return File{}, errors.New("it has no format_version, so it is no output of terraform show -json; make it with: " + how)
	}
	// Within a major version only members are added; another one is to be rejected.
	// Before 1.0 plans said 0.1, 0.2 and 1.x with the same members (Terraform
	// documentation, "JSON Output Format").
	if major, _, _ := strings.Cut(*d.Format, "."); major != "1" && major != "0" {
		return File{}, fmt.Errorf("its format_version is %q, and only 1.x is known: use a version of Terraform that writes it, or a newer pullback", *d.Format)
	}
	switch {
	case d.Planned != nil || d.Changes != nil:
		return plan(d.Changes)
	case d.Values != nil:
		f := File{tool: drift.State}
		f.add(d.Values.Root)
		return f, nil
	default:
		return File{}, errors.New("it has neither resource_changes nor values: it is a plan without resources, or an empty state; make it with: " + how)
	}
}

func plan(changes []resourceChange) (File, error) {
	f := File{tool: drift.Plan}
	for _, c := range changes {
		if c.Mode != "managed" {
			continue
		}
		r := resource{address: c.Address, typ: c.Type, actions: c.Change.Actions, values: c.Change.After}
		if len(c.Change.Unknown) > 0 && c.Change.Unknown[0] == '{' {
			if err := json.Unmarshal(c.Change.Unknown, &r.unknown); err != nil {
				return File{}, fmt.Errorf("after_unknown of %s: %w", c.Address, err)
			}
		}
		f.resources = append(f.resources, r)
	}
	return f, nil
}

func (f *File) add(m module) {
	for _, r := range m.Resources {
		if r.Mode == "managed" {
			f.resources = append(f.resources, resource{address: r.Address, typ: r.Type, values: r.Values})
		}
	}
	for _, c := range m.Children {
		f.add(c)
	}
}

// Wishes returns what the file says that a target shall run.
func (f File) Wishes(origin string, n drift.Names, grouped bool) []drift.Wish {
	var all []drift.Wish
	for _, r := range f.resources {
		w, ok := drift.Wish{}, false
		switch r.typ {
		case "aws_lambda_alias":
			w, ok = f.alias(r, n, grouped)
		case "aws_ecs_service":
			w, ok = r.service(n)
		case "aws_autoscaling_group":
			w, ok = r.scaling(n)
		}
		if !ok || slices.Equal(r.actions, []string{"delete"}) {
			continue
		}
		w.Tool, w.Origin, w.Resource, w.Type = f.tool, origin, r.address, r.typ
		w.Idle = f.tool == drift.State
		all = append(all, w)
	}
	return all
}

func (r resource) text(name string) string {
	s, _ := r.values[name].(string)
	return s
}

// last is a name without the ARN that it may end.
func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// function is the name in a function's name or ARN, with or without a qualifier.
func function(name string) string {
	if _, rest, is := strings.Cut(name, ":function:"); is {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// alias reads aws_lambda_alias. Terraform moves an alias by itself: where a
// deployment group has it, that goes past the group.
func (f File) alias(r resource, n drift.Names, grouped bool) (drift.Wish, bool) {
	if n.Alias.Name == "" || r.text("name") != n.Alias.Name || function(r.text("function_name")) != n.Alias.Function {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "function_version", Revision: deploy.Revision(r.text("function_version")), Way: drift.Deploys}
	if grouped {
		w.Way = drift.Moves
	}
	if unknown, _ := r.unknown["function_version"].(bool); unknown {
		w.Revision, w.Unknown, w.Digest = "", "a version that is published when it is applied", f.digest(n.Alias.Function)
	}
	return w, true
}

// digest is the code that a function is to have: its source_code_hash is what
// Lambda calls CodeSha256 (Terraform AWS provider documentation,
// aws_lambda_function).
func (f File) digest(name string) deploy.Digest {
	for _, r := range f.resources {
		if r.typ == "aws_lambda_function" && r.text("function_name") == name {
			return deploy.Digest(r.text("source_code_hash"))
		}
	}
	return ""
}

// service reads aws_ecs_service.
func (r resource) service(n drift.Names) (drift.Wish, bool) {
	if n.Service == "" || r.text("name") != n.Service || last(r.text("cluster")) != n.Cluster {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "task_definition", Revision: deploy.Revision(last(r.text("task_definition"))), Way: drift.Deploys, Gated: r.hooked()}
	if kind, _ := first(r.values["deployment_controller"])["type"].(string); kind == "CODE_DEPLOY" {
		w.Way = drift.Fails
	}
	if unknown, _ := r.unknown["task_definition"].(bool); unknown || !strings.Contains(string(w.Revision), ":") {
		w.Unknown, w.Revision = strings.TrimSpace("a task definition that is registered when it is applied "+string(w.Revision)), ""
	}
	return w, true
}

// hooked reports whether ECS asks pullback before tasks get traffic.
func (r resource) hooked() bool {
	hooks, _ := first(r.values["deployment_configuration"])["lifecycle_hook"].([]any)
	return slices.ContainsFunc(hooks, func(v any) bool {
		hook, _ := v.(map[string]any)
		arn, _ := hook["hook_target_arn"].(string)
		return drift.IsGate(arn)
	})
}

// first is the first block of its name.
func first(blocks any) map[string]any {
	list, _ := blocks.([]any)
	if len(list) == 0 {
		return nil
	}
	block, _ := list[0].(map[string]any)
	return block
}

// scaling reads aws_autoscaling_group. Its block instance_refresh begins a refresh
// when the launch template changes.
func (r resource) scaling(n drift.Names) (drift.Wish, bool) {
	if n.Scaling == "" || r.text("name") != n.Scaling {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "launch_template.version", Way: drift.Launches}
	if first(r.values["instance_refresh"]) != nil {
		w.Way = drift.Deploys
	}
	block := first(r.values["launch_template"])
	if mixed := first(r.values["mixed_instances_policy"]); mixed != nil {
		w.Attribute = "mixed_instances_policy"
		block = first(first(mixed["launch_template"])["launch_template_specification"])
		id, _ := block["launch_template_id"].(string)
		version, _ := block["version"].(string)
		block = map[string]any{"id": id, "version": version}
	}
	id, _ := block["id"].(string)
	version, _ := block["version"].(string)
	if unknown, _ := first(r.unknown["launch_template"])["version"].(bool); unknown || id == "" || version == "" || version[0] == '$' {
		w.Unknown = strings.TrimSpace("a version of launch template " + id + " that is made when it is applied " + version)
		return w, true
	}
	w.Revision = deploy.Revision(id + ":" + version)
	return w, true
}
