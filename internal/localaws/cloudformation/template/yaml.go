package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// asJSON returns a template as JSON: as it is, or translated from YAML with
// CloudFormation's short forms (CloudFormation user guide, "Template formats";
// template reference, "Intrinsic functions").
func asJSON(text []byte) ([]byte, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return text, nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, errors.New("the template is empty")
	}
	v, err := fromYAML(document.Content[0])
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// fromYAML turns a node into what json.Unmarshal would give, numbers into
// json.Number.
func fromYAML(n *yaml.Node) (any, error) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return shortForm(n)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return fromYAML(n.Alias)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, one := range n.Content {
			v, err := fromYAML(one)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		return mapping(n)
	default:
		return scalar(n)
	}
}

func mapping(n *yaml.Node) (any, error) {
	object := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key is not a text", key.Line)
		}
		if _, twice := object[key.Value]; twice {
			return nil, fmt.Errorf("line %d: key %q is there twice", key.Line, key.Value)
		}
		v, err := fromYAML(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		object[key.Value] = v
	}
	return object, nil
}

// scalar keeps the digits of numbers. Dates stay texts: the versions of
// policies and templates are not times.
func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil //nolint:nilnil // null is a value
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
	}
	return n.Value, nil
}

// shortForm turns !Ref and !Condition into objects of that name, and every
// other !Name into Fn::Name.
func shortForm(n *yaml.Node) (any, error) {
	name := strings.TrimPrefix(n.Tag, "!")
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	bare := *n
	bare.Tag = ""
	if n.Kind == yaml.ScalarNode {
		return map[string]any{name: n.Value}, nil // !Sub 5 is the text 5
	}
	v, err := fromYAML(&bare)
	if err != nil {
		return nil, err
	}
	return map[string]any{name: v}, nil
}
