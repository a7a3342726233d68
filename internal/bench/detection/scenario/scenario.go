// Package scenario reads the cases that the bench plays: files in YAML or JSON
// which say, by expressions of the time, how many requests come and how many of
// them each version fails.
//
// It guesses nothing: an unknown field, a misspelled variable or a probability
// that is not a number is an error that names the line, or the scenario, the
// cell and the second.
package scenario

import (
	_ "embed"
	"fmt"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// Kind is what a rule should do with a scenario.
type Kind string

// The kinds.
const (
	Regression Kind = "regression" // the new version is worse from the onset on: roll it back
	Null       Kind = "null"       // it is not: leave it alone
	NoData     Kind = "no_data"    // from the onset on nothing is heard of the new version: say so
)

// File is what a scenario file holds.
type File struct {
	Scenarios []Scenario `json:"scenarios" jsonschema:"minItems=1,description=the cases to play"`
}

// Scenario is a case, in one or more sizes.
type Scenario struct {
	Name      string        `json:"name" jsonschema:"pattern=^[a-z0-9][a-z0-9-]*$,description=unique in the file"`
	About     string        `json:"about,omitempty" jsonschema:"description=what it stands for in one sentence"`
	Kind      Kind          `json:"kind" jsonschema:"description=what a rule should do: roll back (regression) or leave alone (null) or say that it hears nothing of the new version (no_data)"`
	Onset     float64       `json:"onset_s,omitempty" jsonschema:"minimum=0,exclusiveMaximum=1800,description=second in which the trouble begins; delays are counted from here"`
	Rate      Expression    `json:"rate,omitempty" jsonschema:"default=rate,description=requests a second to both versions together"`
	Baseline  Expression    `json:"p_baseline,omitempty" jsonschema:"default=p0,description=probability that the old version fails a request; clamped to 0..1"`
	Canary    Expression    `json:"p_canary,omitempty" jsonschema:"description=the same of the new version; p_baseline if absent"`
	Mechanism sim.Mechanism `json:"mechanism,omitempty" jsonschema:"enum=retries,enum=sticky,enum=badclient,enum=bursts,description=what no expression can say: see the package sim"`
	Cells     []Cell        `json:"cells" jsonschema:"minItems=1,description=the sizes in which it is played"`
}

// Expression is a formula of t (in seconds), rate, p0, weight and pi.
type Expression string

// Cell is a size: how much traffic there is and how bad it is anyway.
type Cell struct {
	Rate   float64 `json:"rate_rps" jsonschema:"exclusiveMinimum=0,maximum=100000,description=requests a second"`
	Weight float64 `json:"weight" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1,description=the new version's share of them"`
	Base   float64 `json:"base_rate" jsonschema:"minimum=0,maximum=1,description=the old version's probability of failure"`
}

// String names the cell as tables do.
func (c Cell) String() string {
	return fmt.Sprintf("%g rps, w %g %%, p0 %g %%", c.Rate, 100*c.Weight, 100*c.Base)
}

//go:embed default.yaml
var defaults []byte

//go:embed schema.json
var schema []byte

// Default returns the scenarios that are played when no file is given.
func Default() (*File, error) { return Parse("default.yaml", defaults) }

// DefaultText returns the file that Default reads, as an example to start from.
func DefaultText() []byte { return defaults }

// Schema returns the JSON Schema of scenario files.
func Schema() []byte { return schema }
