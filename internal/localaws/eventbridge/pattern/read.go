package pattern

import (
	"encoding/json"
	"strings"
)

// kind is the type of a JSON value.
type kind int

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is a JSON value that remembers where it stood and in which order its
// keys came.
type value struct {
	kind   kind
	offset int
	text   string // of a string, number or bool
	items  []value
	keys   []string // of an object; items are its values
}

// fault is a mistake at an offset.
type fault struct {
	reason string
	offset int
}

func (v value) bad(reason string) *fault { return &fault{reason: reason, offset: v.offset} }

func (f *fault) at(source string) *Error {
	line, column := position(source, f.offset)
	return &Error{Reason: f.reason, Source: source, Line: line, Column: column}
}

// reader reads one JSON text.
type reader struct {
	source string
	d      *json.Decoder
}

func read(source string) (value, *fault) {
	r := reader{source: source, d: json.NewDecoder(strings.NewReader(source))}
	r.d.UseNumber()
	v, err := r.value()
	if err != nil {
		return v, err
	}
	if _, end := r.d.Token(); end == nil {
		return v, &fault{reason: "Something follows the pattern", offset: int(r.d.InputOffset())}
	}
	return v, nil
}

// value reads the next value.
func (r *reader) value() (value, *fault) {
	start := r.start()
	token, err := r.d.Token()
	if err != nil {
		return value{}, &fault{reason: "Unexpected end or character: " + err.Error(), offset: int(r.d.InputOffset())}
	}
	v := value{offset: start}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			v.kind = kindArray
			return r.items(v)
		}
		v.kind = kindObject
		return r.fields(v)
	case string:
		v.kind, v.text = kindString, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case bool:
		v.kind, v.text = kindBool, "false"
		if t {
			v.text = "true"
		}
	}
	return v, nil
}

func (r *reader) items(v value) (value, *fault) {
	for r.d.More() {
		item, err := r.value()
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	return v, r.close()
}

// fields reads an object. Of a key that comes twice the last value counts.
func (r *reader) fields(v value) (value, *fault) {
	at := map[string]int{}
	for r.d.More() {
		key, err := r.value()
		if err != nil {
			return v, err
		}
		item, err := r.value()
		if err != nil {
			return v, err
		}
		if i, twice := at[key.text]; twice {
			v.items[i] = item
			continue
		}
		at[key.text] = len(v.keys)
		v.keys, v.items = append(v.keys, key.text), append(v.items, item)
	}
	return v, r.close()
}

// close reads the end of an array or object.
func (r *reader) close() *fault {
	if _, err := r.d.Token(); err != nil {
		return &fault{reason: "Unexpected end or character: " + err.Error(), offset: int(r.d.InputOffset())}
	}
	return nil
}

// start is where the next value begins: after white space, commas and colons.
func (r *reader) start() int {
	offset := int(r.d.InputOffset())
	rest := r.source[min(offset, len(r.source)):]
	return offset + len(rest) - len(strings.TrimLeft(rest, " \t\r\n,:"))
}
