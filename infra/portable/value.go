package portable

import (
	"encoding/json"
	"maps"
	"slices"
)

func ref(name string) map[string]any { return map[string]any{"Ref": name} }

func attribute(id, name string) map[string]any {
	return map[string]any{"Fn::GetAtt": []any{id, name}}
}

func noValue() map[string]any { return ref("AWS::NoValue") }

func join(parts ...any) map[string]any { return map[string]any{"Fn::Join": []any{"", parts}} }

func either(condition string, yes, no any) map[string]any {
	return map[string]any{"Fn::If": []any{condition, yes, no}}
}

func equals(a, b any) map[string]any { return map[string]any{"Fn::Equals": []any{a, b}} }

func not(condition any) map[string]any { return map[string]any{"Fn::Not": []any{condition}} }

// key is a value as a key of a map: its JSON.
func key(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "" // what was read as JSON can be written as JSON
	}
	return string(text)
}

// mentions looks for a text in a value: in its texts, and so in what it refers to.
func mentions(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return contains(v, text)
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return mentions(one, text) })
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(one any) bool { return mentions(one, text) })
	case map[string]map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(one map[string]any) bool { return mentions(one, text) })
	default:
		return false
	}
}

// contains is equality for what may be the beginning of something else, as a logical ID
// is, and inclusion for an account, which is in the midst of ARNs.
func contains(v, text string) bool {
	if text != Account {
		return v == text
	}
	for i := 0; i+len(text) <= len(v); i++ {
		if v[i:i+len(text)] == text {
			return true
		}
	}
	return false
}

// replaceAll replaces values, which are named by their JSON, wherever they are.
func replaceAll(all map[string]map[string]any, by map[string]any) map[string]map[string]any {
	out := make(map[string]map[string]any, len(all))
	for id, one := range all {
		out[id] = make(map[string]any, len(one))
		for name, v := range one {
			out[id][name] = replace(v, by)
		}
	}
	return out
}

func replace(v any, by map[string]any) any {
	switch v := v.(type) {
	case string:
		if to, ok := by[key(v)]; ok {
			return to
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = replace(v[i], by)
		}
		return out
	case map[string]any:
		if len(v) == 1 {
			if to, ok := by[key(v)]; ok {
				return to
			}
		}
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = replace(one, by)
		}
		return out
	}
	return v
}
