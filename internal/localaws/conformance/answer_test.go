package conformance_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
)

// answer is what a client understood: an output or an error.
type answer struct {
	Out     map[string]any `json:"out"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Status  int            `json:"-"` // of the HTTP response, if it is an error's
}

// plain makes trees comparable: numbers as float64, names in lower case, no
// member that is absent or zero (the SDKs differ in what they leave out), and
// the JSON text of a policy as what it says (boto3 reads it).
func plain(x any) any {
	switch x := x.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, v := range x {
			if p := plain(v); !zero(p) {
				m[strings.ToLower(k)] = p
			}
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			l[i] = plain(v)
		}
		return l
	case string:
		return document(x)
	case blob:
		return string(x)
	default:
		if v := reflect.ValueOf(x); v.IsValid() && v.CanConvert(reflect.TypeFor[float64]()) {
			return v.Convert(reflect.TypeFor[float64]()).Interface()
		}
		return x
	}
}

// document reads a text that is a URL-encoded JSON document, as IAM's policies.
func document(s string) any {
	if !strings.HasPrefix(s, "%7B") {
		return s
	}
	text, err := url.QueryUnescape(s)
	var m map[string]any
	if err != nil || json.Unmarshal([]byte(text), &m) != nil {
		return s
	}
	return plain(m)
}

func zero(x any) bool {
	v := reflect.ValueOf(x)
	if !v.IsValid() {
		return true
	}
	if v.Kind() == reflect.Map || v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}
