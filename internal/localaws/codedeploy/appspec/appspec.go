// Package appspec reads AppSpec files of Lambda and ECS deployments, in JSON and
// YAML.
//
// It reads nothing of what AppSpec files of the Server platform contain, and
// refuses what it does not know with an error that says what and where.
package appspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// resourceType is the only resource type of a Lambda deployment.
const resourceType = "AWS::Lambda::Function"

// Lambda is the AppSpec file of a Lambda deployment.
type Lambda struct {
	Function           string // name or ARN
	Alias              string
	CurrentVersion     string
	TargetVersion      string
	BeforeAllowTraffic string // hook function, empty if there is none
	AfterAllowTraffic  string // hook function, empty if there is none
}

// ParseLambda reads the AppSpec file of a Lambda deployment. The user guide
// spells property names both as Name and as name ("AppSpec 'resources'
// section"), so names are compared without regard to case.
func ParseLambda(text string) (Lambda, error) {
	root, err := decode(text)
	if err != nil {
		return Lambda{}, err
	}
	file, err := fields(root, "the file")
	if err != nil {
		return Lambda{}, err
	}
	if v := file["version"]; v != "0.0" && v != "0" {
		return Lambda{}, fmt.Errorf("version is %v, not 0.0", v)
	}
	spec, err := resource(file["resources"])
	if err != nil {
		return Lambda{}, err
	}
	if err := spec.addHooks(file["hooks"]); err != nil {
		return Lambda{}, err
	}
	return spec, nil
}

// decode reads JSON or YAML into maps, slices and strings.
func decode(text string) (any, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return parseYAML(text)
	}
	d := json.NewDecoder(bytes.NewBufferString(text))
	d.UseNumber() // keeps 0.0 as it is written
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if d.More() {
		return nil, errors.New("read JSON: something follows the file")
	}
	return plain(root), nil
}

// plain turns JSON's numbers and booleans into strings, as YAML's are read.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// resource finds the one Lambda function, in a list or in a map.
func resource(v any) (Lambda, error) {
	named, err := entries(v, "Resources")
	if err != nil {
		return Lambda{}, err
	}
	if len(named) != 1 {
		return Lambda{}, fmt.Errorf("Resources has %d resources, not one", len(named)) //nolint:staticcheck // a name in the file
	}
	body, err := fields(named[0].value, named[0].key)
	if err != nil {
		return Lambda{}, err
	}
	if body["type"] != resourceType {
		return Lambda{}, fmt.Errorf("%s has type %v, not %s", named[0].key, body["type"], resourceType)
	}
	properties, err := fields(body["properties"], "Properties of "+named[0].key)
	if err != nil {
		return Lambda{}, err
	}
	var spec Lambda
	for _, p := range []struct {
		name string
		to   *string
	}{
		{"Name", &spec.Function},
		{"Alias", &spec.Alias},
		{"CurrentVersion", &spec.CurrentVersion},
		{"TargetVersion", &spec.TargetVersion},
	} {
		text, ok := properties[strings.ToLower(p.name)].(string)
		if !ok || text == "" {
			return Lambda{}, fmt.Errorf("%s of %s is missing", p.name, named[0].key)
		}
		*p.to = text
	}
	return spec, nil
}

// addHooks reads the hooks section, in a list or in a map. Each hook names one
// function and is executed once per deployment ("AppSpec 'hooks' section").
func (l *Lambda) addHooks(v any) error {
	if v == nil || v == "" {
		return nil
	}
	hooks, err := entries(v, "Hooks")
	if err != nil {
		return err
	}
	for _, h := range hooks {
		function, ok := h.value.(string)
		if !ok || function == "" {
			return fmt.Errorf("hook %s does not name one function", h.key)
		}
		switch strings.ToLower(h.key) {
		case "beforeallowtraffic":
			l.BeforeAllowTraffic = function
		case "afterallowtraffic":
			l.AfterAllowTraffic = function
		default:
			return fmt.Errorf("hook %s does not exist in a Lambda deployment", h.key)
		}
	}
	return nil
}

// Text writes the file as JSON, in the form in which the user guide shows it.
func (l Lambda) Text() string {
	type object = map[string]any
	hooks := []object{}
	if l.BeforeAllowTraffic != "" {
		hooks = append(hooks, object{"BeforeAllowTraffic": l.BeforeAllowTraffic})
	}
	if l.AfterAllowTraffic != "" {
		hooks = append(hooks, object{"AfterAllowTraffic": l.AfterAllowTraffic})
	}
	file := object{
		"version": json.Number("0.0"),
		"Resources": []object{{l.Function: object{
			"Type": resourceType,
			"Properties": object{
				"Name": l.Function, "Alias": l.Alias,
				"CurrentVersion": l.CurrentVersion, "TargetVersion": l.TargetVersion,
			},
		}}},
	}
	if len(hooks) > 0 {
		file["Hooks"] = hooks
	}
	text, err := json.Marshal(file)
	if err != nil {
		return "" // strings and one constant number always marshal
	}
	return string(text)
}

type entry struct {
	key   string
	value any
}

// entries lists the pairs of a map, or of the maps in a list, in a fixed order.
func entries(v any, of string) ([]entry, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var all []entry
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is missing or neither a list nor a map of names", of)
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			all = append(all, entry{k, m[k]})
		}
	}
	return all, nil
}

// fields returns the map with its keys in lower case.
func fields(v any, of string) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is missing or not a map", of)
	}
	lower := make(map[string]any, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		l := strings.ToLower(k)
		if _, twice := lower[l]; twice {
			return nil, fmt.Errorf("%s has %s twice", of, k)
		}
		lower[l] = m[k]
	}
	return lower, nil
}
