package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// object is a JSON object in the order in which it was written. Unlike a map
// it notices a name that comes twice, of which IAM accepts none.
type object []field

// field is a member of an object.
type field struct {
	name  string
	value json.RawMessage
}

// readObject reads a text that is one object.
func readObject(text string) (object, error) {
	if strings.TrimSpace(text) == "" {
		return nil, syntax("The policy is empty")
	}
	d := json.NewDecoder(strings.NewReader(text))
	o, err := decodeObject(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, syntax("Syntax errors in policy. (text after the policy)")
	}
	return o, nil
}

func decodeObject(d *json.Decoder) (object, error) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, syntax("This policy contains invalid Json")
	}
	var o object
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, syntax("This policy contains invalid Json")
		}
		for _, f := range o {
			if f.name == name {
				return nil, syntax("Syntax errors in policy. (%s is given twice)", name)
			}
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, syntax("This policy contains invalid Json")
		}
		o = append(o, field{name, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, syntax("This policy contains invalid Json")
	}
	return o, nil
}

// object reads a member that is an object.
func (f field) object() (object, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(f.value), []byte("{")) {
		return nil, syntax("Syntax errors in policy. (%s must be an object)", f.name)
	}
	return decodeObject(json.NewDecoder(bytes.NewReader(f.value)))
}

// text reads a member that is a string.
func (f field) text() (string, error) {
	var s *string
	if err := json.Unmarshal(f.value, &s); err != nil || s == nil {
		return "", syntax("Syntax errors in policy. (%s must be a string)", f.name)
	}
	return *s, nil
}

// items reads a member that is a value or a list of values.
func (f field) items() []json.RawMessage {
	var list []json.RawMessage
	if err := json.Unmarshal(f.value, &list); err == nil {
		return list
	}
	return []json.RawMessage{f.value}
}

// objects reads a member that is an object or a list of them.
func (f field) objects() ([]object, error) {
	var all []object
	for _, raw := range f.items() {
		o, err := field{f.name, raw}.object()
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// texts reads a member that is a string or a list of them.
func (f field) texts() ([]string, error) {
	var all []string
	for _, raw := range f.items() {
		s, err := field{f.name, raw}.text()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, syntax("Syntax errors in policy. (%s is empty)", f.name)
	}
	return all, nil
}

// scalars reads the values of a condition, where numbers and booleans may
// stand without quotes.
func (f field) scalars() ([]string, error) {
	all := []string{}
	for _, raw := range f.items() {
		text := string(bytes.TrimSpace(raw))
		var s string
		switch {
		case json.Unmarshal(raw, &s) == nil && text != "null":
			all = append(all, s)
		case text == "" || strings.ContainsAny(text[:1], "{[n"):
			return nil, syntax("Syntax errors in policy. (the values of %s must be strings)", f.name)
		default:
			all = append(all, text)
		}
	}
	return all, nil
}

// patterns reads the values of an element that may be negated.
func (f field) patterns(check func(string) error) (patterns, error) {
	list, err := f.texts()
	if err != nil {
		return patterns{}, err
	}
	for _, v := range list {
		if err := check(v); err != nil {
			return patterns{}, err
		}
	}
	return patterns{not: strings.HasPrefix(f.name, "Not"), list: list}, nil
}
