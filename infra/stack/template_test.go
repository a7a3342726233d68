package stack_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden is the template as it was last looked at. Most tests read it and so
// need no Node.js; TestTheGoldenTemplateIsWhatTheStackSynthesizes keeps it true.
const golden = "testdata/pullback.template.golden.json"

// template is a CloudFormation template as far as the tests look into it.
type template struct {
	Resources map[string]resource `json:"Resources"`
}

type resource struct {
	Type                string         `json:"Type"`
	Properties          map[string]any `json:"Properties"`
	Metadata            map[string]any `json:"Metadata"`
	DependsOn           []string       `json:"DependsOn"`
	DeletionPolicy      string         `json:"DeletionPolicy"`
	UpdateReplacePolicy string         `json:"UpdateReplacePolicy"`
}

// readTemplate returns the golden template without the tag that is on
// everything.
func readTemplate(t *testing.T) template {
	t.Helper()
	raw, err := os.ReadFile(golden)
	require.NoError(t, err)
	var parsed template
	require.NoError(t, json.Unmarshal(raw, &parsed))
	for _, r := range parsed.Resources {
		delete(r.Properties, "Tags")
	}
	return parsed
}

// of returns the logical ids of all resources of a type, sorted.
func (x template) of(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(x.Resources)) {
		if x.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// functions returns the logical id of every function by its folder.
func (x template) functions(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, id := range x.of("AWS::Lambda::Function") {
		folder, ok := x.Resources[id].Metadata["pullback:function"].(string)
		require.True(t, ok, id)
		found[folder] = id
	}
	return found
}

// A statement is one of a policy's, with one action and one resource.
type statement struct {
	effect, action, resource string
	principal, condition     any
}

// statements returns the statements of a policy document, split up.
func statements(t *testing.T, document any) []statement {
	t.Helper()
	var all []statement
	for _, raw := range list(object(t, document)["Statement"]) {
		s := object(t, raw)
		for _, action := range list(s["Action"]) {
			for _, on := range list(s["Resource"]) {
				all = append(all, statement{text(t, s["Effect"]), text(t, action), text(t, on), s["Principal"], s["Condition"]})
			}
		}
	}
	return all
}

// policyOf returns what a queue's or topic's policies say.
func (x template) policyOf(t *testing.T, kind, member, id string) []statement {
	t.Helper()
	var all []statement
	for _, policy := range x.of(kind) {
		p := x.Resources[policy].Properties
		if slices.ContainsFunc(list(p[member]), func(on any) bool { return text(t, on) == id }) {
			all = append(all, statements(t, p["PolicyDocument"])...)
		}
	}
	return all
}

// hash is what the CDK appends to logical ids.
var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// plain returns a logical id as the stack's code spells it.
func plain(id string) string { return hash.ReplaceAllString(id, "") }

// text returns a string, the logical id that a reference leads to, or the
// joined parts with pseudo parameters in angle brackets.
func text(t *testing.T, v any) string {
	t.Helper()
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			if pseudo, ok := strings.CutPrefix(id, "AWS::"); ok {
				return "<" + pseudo + ">"
			}
			return id
		}
		if at := list(v["Fn::GetAtt"]); len(at) == 2 {
			return text(t, at[0])
		}
		if join := list(v["Fn::Join"]); len(join) == 2 {
			var parts []string
			for _, part := range list(join[1]) {
				parts = append(parts, text(t, part))
			}
			return strings.Join(parts, text(t, join[0]))
		}
	}
	require.Fail(t, "not a text", "%v", v)
	return ""
}

// list returns a JSON list, or what is not one as a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func object(t *testing.T, v any) map[string]any {
	t.Helper()
	o, ok := v.(map[string]any)
	require.True(t, ok, "%v is no object", v)
	return o
}
