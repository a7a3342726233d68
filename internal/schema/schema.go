// Package schema makes the JSON Schema of pullback.yaml of the Go types that it
// is parsed into, for editors.
//
// It decides nothing: what a schema cannot say (that a name is there twice, that
// text is JSON, that a backup needs a vault) only config.Parse knows.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/pullback-dev/pullback/shared/config"
)

// draft is the newest that the YAML language server of most editors reads:
// https://github.com/redhat-developer/yaml-language-server#readme
const draft = "http://json-schema.org/draft-07/schema#"

// JSON returns the schema.
func JSON() ([]byte, error) {
	s := reflector(shared).Reflect(config.File{})
	s.Version, s.Title = draft, config.FileName
	s.Description = "What pullback does with which target. See docs/configuration.md."
	durations(s, reflect.TypeFor[config.File]())
	for _, tag := range config.Tags() {
		if tag.Default != `""` {
			at(s, "defaults."+strings.TrimPrefix(tag.Name, config.TagPrefix), tag.Default)
		}
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(text, '\n'), nil
}

func reflector(mapper func(reflect.Type) *jsonschema.Schema) *jsonschema.Reflector {
	return &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, ExpandedStruct: true, RequiredFromJSONSchemaTags: true, Mapper: mapper,
	}
}

// shared gives the types a form that are written otherwise than they are kept.
func shared(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: config.DurationPattern}
	case reflect.TypeFor[config.FileMember]():
		long := reflector(nil).Reflect(config.FileMember{})
		long.Version = ""
		short, _ := long.Properties.Get(config.FileMember{}.Short())
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{short, long}}
	default:
		return nil
	}
}

// durations forbids a duration of nothing where it means nothing.
func durations(s *jsonschema.Schema, t reflect.Type) {
	if t.Kind() == reflect.Slice {
		s, t = s.Items, t.Elem()
	}
	if t.Kind() != reflect.Struct || s.Properties == nil {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		p, ok := s.Properties.Get(f.Tag.Get("json"))
		switch {
		case !ok:
		case f.Type == reflect.TypeFor[time.Duration]():
			if f.Tag.Get("zero") == "" {
				p.Not = &jsonschema.Schema{Pattern: "^[0.hms]+$"}
			}
		default:
			durations(p, f.Type)
		}
	}
}

// at says the default of a value, by its path.
func at(s *jsonschema.Schema, path, value string) {
	for name := range strings.SplitSeq(path, ".") {
		s, _ = s.Properties.Get(name)
	}
	if s.Default = any(value); s.Type != "string" {
		s.Default = json.RawMessage(value)
	}
}
