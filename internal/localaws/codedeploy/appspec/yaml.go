package appspec

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads one YAML document into maps, slices and strings. Scalars
// keep the text in which they are written: versions are no numbers.
func parseYAML(text string) (any, error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	var document yaml.Node
	switch err := d.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("read YAML: the file is empty")
	case err != nil:
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("read YAML: something follows the file")
	}
	v, err := value(&document)
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	return v, nil
}

// value turns a node into a map, a slice or a string.
func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return value(n.Content[0])
	case yaml.MappingNode:
		return mapping(n)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", nil
		}
		return n.Value, nil
	default: // an alias could be endless
		return nil, fmt.Errorf("line %d: an AppSpec file has no aliases", n.Line)
	}
}

func mapping(n *yaml.Node) (any, error) {
	m := map[string]any{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, twice := m[key.Value]; twice || key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %q is no key of its own", key.Line, key.Value)
		}
		v, err := value(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	return m, nil
}
