package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostileRounds is how often every step of a script comes again with another
// member changed.
const hostileRounds = 3

// TestNoChangedRequestIsTheServersFault plays every script, then sends each of
// its requests again with one member changed or left out. Whatever is wrong with
// a request is the caller's fault: no answer may be a server error, and all come.
func TestNoChangedRequestIsTheServersFault(t *testing.T) {
	t.Parallel()
	for _, file := range scripts(t) {
		script, err := Read(file)
		require.NoError(t, err)
		t.Run(script.Service, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, "Go SDK", goSDK)
			for _, step := range script.Steps {
				s.do(t, step)
			}
			if t.Failed() {
				return // the other test says it better
			}
			for round := range uint64(hostileRounds) {
				for _, step := range script.Steps {
					s.provoke(t, step, rand.New(rand.NewPCG(round, uint64(step.Line))))
				}
			}
		})
	}
}

// provoke sends a step again with one member changed.
func (s *side) provoke(t *testing.T, step Step, r *rand.Rand) {
	t.Helper()
	if step.Operation == "" {
		return
	}
	in, err := s.saved.fillMap(t.Context(), step.In)
	require.NoError(t, err)
	params, _ := in.(map[string]any)
	change := spots(params)
	if len(change) == 0 {
		return
	}
	spot := change[r.IntN(len(change))]
	value := hostile(spot.value, r)
	spot.set(value)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, err := s.call(ctx, step.Service, step.Operation, params)
	what := fmt.Sprintf("line %d: %s %s with %s = %.100q", step.Line, step.Service, step.Operation, spot.path, fmt.Sprint(value))
	require.NoError(t, ctx.Err(), "no answer: %s", what)
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		err = nil
		assert.Less(t, response.HTTPStatusCode(), http.StatusInternalServerError, "%s: %v", what, response)
	}
	assert.Less(t, a.Status, http.StatusInternalServerError, "%s: %s %s", what, a.Code, a.Message)
	if err != nil {
		t.Logf("the client itself refuses: %s: %v", what, err)
	}
}

// spot is a value in a tree that can be changed.
type spot struct {
	path  string
	value any
	set   func(any)
}

// spots finds all values of a tree, in order. Bytes stay: what code does is not
// the service's business. So does how long to wait: no time passes here.
func spots(x any) []spot {
	var all []spot
	below := func(name string, v any, set func(any)) {
		if _, ok := v.(blob); ok || name == "WaitTimeSeconds" {
			return
		}
		all = append(all, spot{path: name, value: v, set: set})
		for _, s := range spots(v) {
			s.path = name + "." + s.path
			all = append(all, s)
		}
	}
	switch x := x.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			below(k, x[k], func(v any) {
				if x[k] = v; v == nil {
					delete(x, k)
				}
			})
		}
	case []any:
		for i, e := range x {
			below(fmt.Sprint(i), e, func(v any) { x[i] = v })
		}
	}
	return all
}

// hostile returns a value to send in the place of another one; nil is none.
func hostile(x any, r *rand.Rand) any {
	var others []any
	switch x := x.(type) {
	case string:
		others = []any{
			"", strings.Repeat("x", 5000), x + "x", "\u00e9\U0001F600", "%00/../..", `{"`, `[]`, `{"a":{"b":null}}`, "-1", " ", "arn:aws:::", strings.ToUpper(x), x[:len(x)/2],
		}
	case bool:
		others = []any{!x}
	case []any:
		others = []any{[]any{}, append(slices.Clone(x), x...), slices.Repeat(x, 120)}
	case map[string]any:
		others = []any{map[string]any{}}
	default:
		others = []any{-1, 0, 1 << 30, 7}
	}
	if pick := r.IntN(len(others) + 1); pick < len(others) {
		return others[pick]
	}
	return nil
}
