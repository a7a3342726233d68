package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Difference is something that came out differently from the recording.
type Difference struct {
	Case       string `json:"case"`
	Deployment string `json:"deployment"`
	Field      string `json:"field"`
	Want       any    `json:"want"`
	Got        any    `json:"got"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s %s %s\n  want %s\n  got  %s", d.Case, d.Deployment, d.Field, shown(d.Want), shown(d.Got))
}

func shown(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// compare compares every field of an observation.
func compare(want, got Observation) ([]Difference, error) {
	found := differences{}
	found.add("result", want.Result, got.Result)
	found.add("failed_event", want.FailedEvent, got.FailedEvent)
	found.add("error_class", want.ErrorClass, got.ErrorClass)
	found.add("error_code", want.ErrorCode, got.ErrorCode)
	if want.ErrorExact == nil || *want.ErrorExact {
		found.add("error", want.Error, got.Error)
	} else {
		found.add("error (paths)", pathsIn(want.Error), pathsIn(got.Error))
	}
	found.addFiles(want.Target, got.Target)
	found.add("events_started", want.Started, got.Started)
	found.add("script_log", want.ScriptLog, got.ScriptLog)
	err := found.addGroup("", want.Group, got.Group)
	if want.OtherGroups != nil {
		found.add("other_groups", slices.Sorted(maps.Keys(want.OtherGroups)), slices.Sorted(maps.Keys(got.OtherGroups)))
		for _, name := range slices.Sorted(maps.Keys(want.OtherGroups)) {
			err = errors.Join(err, found.addGroup("other_groups "+name+" ", want.OtherGroups[name], got.OtherGroups[name]))
		}
	}
	return found, err
}

type differences []Difference

func (d *differences) add(field string, want, got any) {
	if !reflect.DeepEqual(want, got) {
		*d = append(*d, Difference{Field: field, Want: want, Got: got})
	}
}

func (d *differences) addGroup(prefix string, want, got Group) error {
	d.add(prefix+"last_successful", want.LastSuccessful, got.LastSuccessful)
	d.add(prefix+"most_recent", want.MostRecent, got.MostRecent)
	d.add(prefix+"archives", want.Archives, got.Archives)
	pattern, err := parsePattern(want.Cleanup)
	if err != nil {
		return err
	}
	var lines []string
	if err := json.Unmarshal(orNull(got.Cleanup), &lines); err != nil {
		return err
	}
	if (pattern == nil) != (lines == nil) || !pattern.matches(lines) {
		*d = append(*d, Difference{Field: prefix + "cleanup", Want: orNull(want.Cleanup), Got: lines})
	}
	return nil
}

// addFiles compares file by file, so that a difference is not a whole tree.
func (d *differences) addFiles(want, got []File) {
	if (want == nil) != (got == nil) {
		d.add("target", want, got)
		return
	}
	byPath := func(files []File) map[string]File {
		m := map[string]File{}
		for _, f := range files {
			m[f.Path] = f
		}
		return m
	}
	w, g := byPath(want), byPath(got)
	all := maps.Clone(w)
	maps.Copy(all, g)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		wf, wanted := w[p]
		gf, found := g[p]
		switch {
		case !found:
			d.add("target "+p, wf, nil)
		case !wanted:
			d.add("target "+p, nil, gf)
		default:
			d.add("target "+p, wf, gf)
		}
	}
}

// pathsIn are the paths that a message names.
func pathsIn(message string) []string {
	return regexp.MustCompile(`(?:TARGET|ROOT)[^\s"'(),:]*`).FindAllString(message, -1)
}

func orNull(m json.RawMessage) json.RawMessage {
	if m == nil {
		return json.RawMessage("null")
	}
	return m
}

// pattern is what the lines of a cleanup file may be: lines in their order, and
// blocks that may come in any order but not mixed.
type pattern []any // string, or []pattern for blocks

func parsePattern(m json.RawMessage) (pattern, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(orNull(m), &items); err != nil {
		return nil, fmt.Errorf("cleanup: %w", err)
	}
	if items == nil {
		return nil, nil
	}
	p := pattern{}
	for _, item := range items {
		var line string
		if json.Unmarshal(item, &line) == nil {
			p = append(p, line)
			continue
		}
		var blocks struct {
			Order []json.RawMessage `json:"any_order"`
		}
		d := json.NewDecoder(strings.NewReader(string(item)))
		d.DisallowUnknownFields()
		if err := d.Decode(&blocks); err != nil {
			return nil, fmt.Errorf("cleanup: %w", err)
		}
		var parsed []pattern
		for _, b := range blocks.Order {
			block, err := parsePattern(b)
			if err != nil {
				return nil, err
			}
			parsed = append(parsed, block)
		}
		p = append(p, parsed)
	}
	return p, nil
}

// matches says whether the lines are what the pattern allows.
func (p pattern) matches(lines []string) bool {
	return p.match(lines, func(rest []string) bool { return len(rest) == 0 })
}

// match matches the pattern at the beginning of the lines, and the rest with
// then.
func (p pattern) match(lines []string, then func([]string) bool) bool {
	if len(p) == 0 {
		return then(lines)
	}
	following := func(rest []string) bool { return p[1:].match(rest, then) }
	if line, ok := p[0].(string); ok {
		return len(lines) > 0 && lines[0] == line && following(lines[1:])
	}
	blocks, _ := p[0].([]pattern)
	return matchAny(blocks, lines, following)
}

// matchAny matches blocks in any order.
func matchAny(blocks []pattern, lines []string, then func([]string) bool) bool {
	if len(blocks) == 0 {
		return then(lines)
	}
	for i, b := range blocks {
		others := slices.Delete(slices.Clone(blocks), i, i+1)
		if b.match(lines, func(rest []string) bool { return matchAny(others, rest, then) }) {
			return true
		}
	}
	return false
}
