package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is a REST operation's path, taken apart.
type route struct {
	operation int // index in Service.Operations
	method    string
	segments  []string // "{Label}", "{Greedy+}" or literal
	query     url.Values
}

// match is a route that fits a request.
type match struct {
	operation *Operation
	labels    map[string]string // field to value
	constants url.Values        // query parameters that belong to the path
}

// routesOf takes the paths apart, the most particular first: more constant
// query parameters, then more literal segments.
func routesOf(s Service) []route {
	var all []route
	for i, op := range s.Operations {
		if op.REST == nil {
			continue
		}
		path, query, _ := strings.Cut(op.REST.Path, "?")
		values, _ := url.ParseQuery(query) // our own constant
		all = append(all, route{operation: i, method: op.REST.Method, segments: segmentsOf(path), query: values})
	}
	slices.SortStableFunc(all, func(a, b route) int {
		if d := len(b.query) - len(a.query); d != 0 {
			return d
		}
		return b.literals() - a.literals()
	})
	return all
}

func (r route) literals() int {
	n := 0
	for _, s := range r.segments {
		if !strings.HasPrefix(s, "{") {
			n++
		}
	}
	return n
}

// segmentsOf splits a path. A slash at the end does not matter: botocore's
// model of Lambda has one where the Go SDK's has none.
func segmentsOf(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match finds the operation of a request by method, path and query.
func (s *served) match(r *http.Request) *match {
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	query := r.URL.Query()
	for _, rt := range s.routes {
		if rt.method != r.Method || !rt.fitsQuery(query) {
			continue
		}
		if labels, ok := rt.fitsPath(escaped); ok {
			return &match{operation: &s.Operations[rt.operation], labels: labels, constants: rt.query}
		}
	}
	return nil
}

func (r route) fitsQuery(query url.Values) bool {
	for k, want := range r.query {
		got, ok := query[k]
		if !ok || want[0] != "" && got[0] != want[0] {
			return false
		}
	}
	return true
}

func (r route) fitsPath(escaped string) (map[string]string, bool) {
	labels := map[string]string{}
	rest := escaped
	for i, want := range r.segments {
		if greedy, ok := strings.CutSuffix(want, "+}"); ok {
			value, err := url.PathUnescape(rest)
			labels[greedy[1:]] = value
			return labels, err == nil && rest != ""
		}
		segment, after, more := strings.Cut(rest, "/")
		value, err := url.PathUnescape(segment)
		if err != nil || segment == "" || !more && i < len(r.segments)-1 {
			return nil, false
		}
		if name, ok := strings.CutSuffix(want, "}"); ok {
			labels[name[1:]] = value
		} else if value != want {
			return nil, false
		}
		rest = after
	}
	return labels, rest == ""
}
