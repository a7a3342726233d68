// Package portable makes, of a template that the CDK synthesized, one that needs
// nothing of the CDK to be deployed: no bootstrap stack, no assets of its own, no app.
// Choices that an app makes in Go become parameters.
//
// It is a function from text to text. What changes which resources there are, as most
// of a configuration's restore points do, is no parameter: for that there is the app.
package portable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What the app has to be synthesized with, so that it is known where a choice comes in.
const (
	Hub           = "arn:aws:events:us-east-1:000000000000:event-bus/hub"  // stands for the ARN of the hub's bus
	Account       = "000000000000"                                         // stands for the accounts that may write to the own bus
	Peer          = "arn:aws:events:us-east-1:000000000000:event-bus/peer" // stands for the ARNs of peers' buses
	Configuration = "apiVersion: pullback.dev/v1\npeers: [" + Peer + "]\n" // stands for the text of pullback.yaml
)

// A Release is what a template is published with.
type Release struct {
	Version string            // such as v1.2.0
	Zips    map[string]string // names of the files with the functions' code, by the functions' folders
}

// synthesized is a template as the CDK writes it.
type synthesized struct {
	Description string                    `json:"Description,omitempty"`
	Metadata    map[string]any            `json:"Metadata,omitempty"`
	Parameters  map[string]parameter      `json:"Parameters,omitempty"`
	Rules       map[string]any            `json:"Rules,omitempty"`
	Mappings    map[string]any            `json:"Mappings,omitempty"`
	Conditions  map[string]any            `json:"Conditions,omitempty"`
	Resources   map[string]map[string]any `json:"Resources"`
	Outputs     map[string]map[string]any `json:"Outputs,omitempty"`
}

// Template returns the template of a release. It refuses one that needs something of the
// CDK, or in which a choice does not come in where it should.
func Template(text []byte, r Release) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var t synthesized
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("read the synthesized template: %w", err)
	}
	if own := slices.Sorted(maps.Keys(t.Parameters)); len(own) > 0 || len(t.Rules) > 0 {
		return nil, fmt.Errorf("the synthesized template has parameters %q and %d rules of its own: synthesize it without those for cdk bootstrap", own, len(t.Rules))
	}
	s := shape{template: t, release: r}
	if err := errors.Join(s.code(), s.ledger(), s.accounts(), s.configuration(), s.buses(), s.numbers()); err != nil {
		return nil, err
	}
	s.describe()
	out, err := marshal(s.template)
	if err != nil {
		return nil, err
	}
	return out, leftovers(string(out))
}

// leftovers looks for what must not be in a template that stands alone.
func leftovers(text string) error {
	var errs []error
	for _, word := range []string{"cdk-hnb659fds", "BootstrapVersion", "AssetParameters", Account} {
		if strings.Contains(text, word) {
			errs = append(errs, fmt.Errorf("the template still says %q: it was synthesized with something that has no parameter", word))
		}
	}
	return errors.Join(errs...)
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the template: %w", err)
	}
	return b.Bytes(), nil
}

// shape is a template on its way.
type shape struct {
	template synthesized
	release  Release
	optional []string // parameters that not every template has
}

// of returns the logical IDs of all resources of a type, sorted.
func (s *shape) of(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
		if s.template.Resources[id]["Type"] == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// one returns the only resource of a type.
func (s *shape) one(kind string) (string, error) {
	ids := s.of(kind)
	if len(ids) != 1 {
		return "", fmt.Errorf("the synthesized template has %d of %s, and not one: %q", len(ids), kind, ids)
	}
	return ids[0], nil
}

func (s *shape) properties(id string) map[string]any {
	return member(s.template.Resources[id], "Properties")
}

func member(m map[string]any, name string) map[string]any {
	v, _ := m[name].(map[string]any)
	return v
}
