// Package template reads what a CloudFormation template says that a target shall
// run. It reads templates as people, the CDK and CloudFormation write them, JSON
// or YAML, and resolves what refers to parameters and to resources that are
// there.
//
// It calls nothing. What it cannot resolve it names, and guesses nothing.
package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a template and what is known of the stack that it is for.
type Template struct {
	Parameters map[string]parameter `json:"Parameters"`
	Resources  map[string]resource  `json:"Resources"`
	Of         Stack                `json:"-"`
}

// Stack is what is there.
type Stack struct {
	Name, Region, Account, Partition string

	Physical   map[string]string // ids of resources by their logical ids
	Parameters map[string]string
	Attributes map[string]string // what Fn::GetAtt returns, by "LOGICALID.ATTRIBUTE", as far as it was looked up
	Deployed   *Template         // what was deployed last; nil if it is this one
}

type parameter struct {
	Default any `json:"Default"`
}

type resource struct {
	Type         string         `json:"Type"`
	Properties   map[string]any `json:"Properties"`
	UpdatePolicy map[string]any `json:"UpdatePolicy"`
}

// Parse reads a template.
func Parse(text []byte) (*Template, error) {
	if strings.TrimSpace(string(text)) == "" {
		return nil, errors.New("it is empty")
	}
	var node yaml.Node // JSON is YAML
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, fmt.Errorf("it is neither JSON nor YAML: %w", err)
	}
	plain, err := value(&node)
	if err != nil {
		return nil, err
	}
	members, ok := plain.(map[string]any)
	if _, has := members["Resources"].(map[string]any); !ok || !has {
		if _, plan := members["format_version"]; plan {
			return nil, errors.New("it is no CloudFormation template but looks like output of terraform show -json: give it with --terraform")
		}
		return nil, errors.New("it is no CloudFormation template: it has no Resources")
	}
	again, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	t := new(Template)
	if err := json.Unmarshal(again, t); err != nil {
		return nil, fmt.Errorf("it is no CloudFormation template: %w", err)
	}
	return t, nil
}

// value makes a plain value of YAML, and long forms of the short ones
// (CloudFormation template reference, "Intrinsic function reference").
func value(n *yaml.Node) (any, error) {
	var plain any
	var err error
	switch n.Kind {
	case yaml.DocumentNode:
		return value(n.Content[0])
	case yaml.AliasNode:
		return nil, fmt.Errorf("line %d: YAML aliases are not read", n.Line)
	case yaml.MappingNode:
		plain, err = object(n)
	case yaml.SequenceNode:
		plain, err = list(n)
	default:
		plain, err = scalar(n)
	}
	if err != nil {
		return nil, err
	}
	name, short := strings.CutPrefix(n.Tag, "!")
	if !short || strings.HasPrefix(name, "!") {
		return plain, nil
	}
	switch name {
	case "Ref", "Condition":
		return map[string]any{name: plain}, nil
	case "GetAtt":
		if text, ok := plain.(string); ok {
			id, attribute, _ := strings.Cut(text, ".")
			plain = []any{id, attribute}
		}
	}
	return map[string]any{"Fn::" + name: plain}, nil
}

func object(n *yaml.Node) (map[string]any, error) {
	members := make(map[string]any)
	for i := 0; i+1 < len(n.Content); i += 2 {
		v, err := value(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		members[n.Content[i].Value] = v
	}
	return members, nil
}

func list(n *yaml.Node) ([]any, error) {
	all := make([]any, 0, len(n.Content))
	for _, c := range n.Content {
		v, err := value(c)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// scalar reads a text, a number or a truth value. Dates stay texts.
func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
		return v, nil
	default:
		return n.Value, nil
	}
}

// Having returns the resources of a type that are there: physical ids by logical
// ids.
func (t *Template) Having(typ string) map[string]string {
	all := make(map[string]string)
	for id, r := range t.Resources {
		if physical, there := t.Of.Physical[id]; there && r.Type == typ {
			all[id] = physical
		}
	}
	return all
}

// Instead returns another template for the same stack: what is there is there for
// it, too.
func (t *Template) Instead(next *Template) *Template {
	next.Of = t.Of
	next.Of.Deployed = t
	return next
}
