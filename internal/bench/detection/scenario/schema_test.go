package scenario_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

var update = flag.Bool("update", false, "rewrite schema.json")

// TestTheSchemaIsThatOfTheTypes holds schema.json, which editors use, to the
// fields that there are.
func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	r := jsonschema.Reflector{DoNotReference: true, Anonymous: true, Mapper: func(of reflect.Type) *jsonschema.Schema {
		switch of {
		case reflect.TypeFor[scenario.Kind]():
			return &jsonschema.Schema{Enum: []any{"regression", "null", nil, "no_data"}} // YAML reads null as nothing
		case reflect.TypeFor[scenario.Expression]():
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}}
		}
		return nil
	}}
	s := r.Reflect(&scenario.File{})
	s.Title = "Scenarios of pullback bench detection"
	s.Description = "Expressions may use t (seconds), rate, p0, weight and pi; sin, cos, exp, ln, min, max and abs; " +
		"arithmetic, comparisons and conditions (t < 300 ? p0 : 0.5). With the mechanism bursts there is burst, which is true or false."
	want, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("schema.json", append(want, '\n'), 0o644))
		return
	}
	assert.Equal(t, string(want)+"\n", string(scenario.Schema()), "run go test ./internal/bench/detection/scenario -update")
}
