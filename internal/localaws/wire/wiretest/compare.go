package wiretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"
)

// canonicalURI makes the request lines of equal requests equal.
func canonicalURI(t *testing.T, first string) string {
	t.Helper()
	method, uri, _ := strings.Cut(first, " ")
	u, err := url.ParseRequestURI(uri)
	require.NoError(t, err)
	return method + " " + u.EscapedPath() + "?" + u.Query().Encode()
}

// sameHeader checks that every header of the snapshot is there. In a response
// snapshot some are copies of the request's, which a server does not send.
func sameHeader(t *testing.T, want, got http.Header) {
	t.Helper()
	requests := []string{"Accept", "X-Amz-Target", "X-Amzn-Query-Mode"}
	isResponse := got.Get("X-Amzn-Requestid") != ""
	for k, v := range want {
		if isResponse && slices.Contains(requests, k) || k == "Content-Length" {
			continue
		}
		require.Equal(t, v, got.Values(k), "header %s", k)
	}
}

// sameBody checks that every leaf of the snapshot is there. The body may have
// more only if that is false or zero: the SDK's structs cannot tell a member
// with a default from one that is missing.
func sameBody(t *testing.T, want, got *snapshot) {
	t.Helper()
	contentType := want.header.Get("Content-Type")
	switch {
	case strings.Contains(contentType, "cbor"):
		require.NoError(t, subset(cborTree(t, want.body), cborTree(t, got.body), ""))
	case strings.Contains(contentType, "json"):
		require.NoError(t, subset(jsonTree(t, want.body), jsonTree(t, got.body), ""), "got %s", got.body)
	case strings.Contains(contentType, "form"):
		w, err := url.ParseQuery(string(want.body))
		require.NoError(t, err)
		g, err := url.ParseQuery(string(got.body))
		require.NoError(t, err)
		require.Equal(t, w, g)
	default:
		require.Equal(t, string(want.body), string(got.body))
	}
}

func jsonTree(t *testing.T, b []byte) any {
	t.Helper()
	if len(bytes.TrimSpace(b)) == 0 {
		return map[string]any{}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	var tree any
	require.NoError(t, d.Decode(&tree), "%s", b)
	return tree
}

func cborTree(t *testing.T, b []byte) any {
	t.Helper()
	if len(b) == 0 {
		return map[string]any{}
	}
	v, err := cbor.Decode(b)
	require.NoError(t, err)
	return plain(v)
}

// plain makes a value of CBOR comparable.
func plain(v cbor.Value) any {
	switch x := v.(type) {
	case cbor.Map:
		m := make(map[string]any, len(x))
		for k, y := range x {
			m[k] = plain(y)
		}
		return m
	case cbor.List:
		l := make([]any, len(x))
		for i, y := range x {
			l[i] = plain(y)
		}
		return l
	case *cbor.Tag:
		return map[string]any{fmt.Sprint("tag ", x.ID): plain(x.Value)}
	default:
		return plainScalar(v)
	}
}

// plainScalar makes all numbers the same: a whole number may be written as an
// integer or as a float.
func plainScalar(v cbor.Value) any {
	switch x := v.(type) {
	case cbor.Uint:
		return float64(x)
	case cbor.NegInt:
		return -float64(x)
	case cbor.Float32:
		return float64(x)
	case cbor.Float64:
		return float64(x)
	case cbor.Bool:
		return bool(x)
	case cbor.String:
		return string(x)
	default:
		return fmt.Sprintf("%T %v", x, x)
	}
}

// subset returns where want is not part of got.
func subset(want, got any, at string) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: want an object, got %v", at, got)
		}
		return subsetOfMap(w, g, at)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s: want %d items, got %v", at, len(w), got)
		}
		for i := range w {
			if err := subset(w[i], g[i], fmt.Sprint(at, "/", i)); err != nil {
				return err
			}
		}
		return nil
	}
	if want != got {
		return fmt.Errorf("%s: want %v, got %v", at, want, got)
	}
	return nil
}

func subsetOfMap(want, got map[string]any, at string) error {
	for k := range want {
		if _, ok := got[k]; !ok {
			return fmt.Errorf("%s/%s is missing", at, k)
		}
		if err := subset(want[k], got[k], at+"/"+k); err != nil {
			return err
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok && v != false && v != 0.0 {
			return fmt.Errorf("%s/%s is not in the snapshot: %v", at, k, v)
		}
	}
	return nil
}
