package appspec

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping is a YAML mapping. It keeps the order of the file, because error
// texts list keys in it.
type mapping []entry

type entry struct{ key, value any }

// get returns the value of a key, nil if there is none.
func (m mapping) get(key string) any {
	for _, e := range m {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// with adds a value. A repeated key keeps its place and takes the new value.
func (m mapping) with(key, v any) mapping {
	for i := range m {
		if m[i].key == key {
			m[i].value = v
			return m
		}
	}
	return append(m, entry{key, v})
}

// decode reads YAML into nil, bool, int64, float64, string, []any and mapping.
func decode(text []byte) (any, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read the AppSpec file: %w", err)
	}
	if len(root.Content) == 0 {
		return nil, nil //nolint:nilnil // nil is the value of an empty file
	}
	return value(root.Content[0])
}

func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		return pairs(n)
	case yaml.AliasNode:
		// YAML.load of Ruby 3.1 and later refuses them too.
		return nil, errors.New("read the AppSpec file: aliases are not supported")
	default:
		return scalar(n), nil
	}
}

func pairs(n *yaml.Node) (any, error) {
	m := mapping{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := value(n.Content[i])
		if err != nil {
			return nil, err
		}
		switch k.(type) {
		case []any, mapping:
			return nil, errors.New("read the AppSpec file: a key is not a scalar")
		}
		v, err := value(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m = m.with(k, v)
	}
	return m, nil
}

// yamlForms are the forms of a plain scalar in YAML 1.1, as Ruby's Psych reads
// them: 08 is text, because it is no octal number.
type yamlForms struct{ integer, float, yes, no *regexp.Regexp }

func forms() yamlForms {
	return yamlForms{
		integer: regexp.MustCompile(`^[-+]?(0b[01_,]+|0[0-7_,]+|0|[1-9](?:[0-9]|,[0-9]|_[0-9])*|0x[0-9a-fA-F_,]+)$`),
		float:   regexp.MustCompile(`^[-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][+-][0-9]+)?$`),
		yes:     regexp.MustCompile(`(?i)^(yes|true|on)$`),
		no:      regexp.MustCompile(`(?i)^(no|false|off)$`),
	}
}

// scalar resolves a scalar. What is quoted, or a block, is text.
func scalar(n *yaml.Node) any {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if n.Style&quoted != 0 || n.Style&yaml.TaggedStyle != 0 && n.Tag == "!!str" {
		return n.Value
	}
	is := forms()
	switch s := n.Value; {
	case s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL":
		return nil
	case is.yes.MatchString(s):
		return true
	case is.no.MatchString(s):
		return false
	default:
		return numeral(s, is)
	}
}

// numeral is the number that a text writes, or the text.
func numeral(s string, is yamlForms) any {
	digits := strings.NewReplacer(",", "", "_", "").Replace(s)
	if is.integer.MatchString(s) {
		if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return i
		}
	}
	if s != "." && is.float.MatchString(s) {
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return f
		}
	}
	return s
}

// text is a value as the agent puts it into paths and messages.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e16 {
			return strconv.FormatFloat(v, 'f', 1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// number is Ruby's to_i: the digits that a text begins with, or 0.
func number(v any) int {
	switch v := v.(type) {
	case int64:
		return int(min(v, math.MaxInt32))
	case float64:
		return int(min(v, math.MaxInt32))
	case string:
		digits := regexp.MustCompile(`^\s*[-+]?[0-9]+`).FindString(v)
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		if err != nil {
			return 0
		}
		return n
	default:
		return 0
	}
}

func truthy(v any) bool { return v != nil && v != false }

// asMapping and asList say which part of the file has the wrong form. There
// the agent fails with whatever its Ruby says, so the words are ours.
func asMapping(v any, where string) (mapping, error) {
	if !truthy(v) {
		return nil, nil
	}
	m, ok := v.(mapping)
	if !ok {
		return nil, fmt.Errorf("read the AppSpec file: %s: expected keys and values, found %q", where, text(v))
	}
	return m, nil
}

func asList(v any, where string) ([]any, error) {
	if !truthy(v) {
		return nil, nil
	}
	l, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("read the AppSpec file: %s: expected a list, found %q", where, text(v))
	}
	return l, nil
}
