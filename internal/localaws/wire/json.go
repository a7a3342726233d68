package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// readJSON parses one JSON document. No document at all is an empty structure.
func readJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		if errors.Is(err, io.EOF) {
			return map[string]any{}, nil
		}
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read JSON: something follows the document")
	}
	return tree, nil
}

// writeJSON writes a tree: timestamps as epoch seconds with milliseconds,
// blobs as base64, what is not a number as a string (Smithy 2.0, "AWS JSON 1.0
// protocol").
func writeJSON(tree any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(jsonTree(tree)); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// jsonTree replaces what encoding/json would write differently.
func jsonTree(tree any) any {
	switch x := tree.(type) {
	case map[string]any:
		for k, v := range x {
			x[k] = jsonTree(v)
		}
	case []any:
		for i, v := range x {
			x[i] = jsonTree(v)
		}
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	case time.Time:
		return epoch(x)
	case float64:
		switch {
		case math.IsNaN(x):
			return "NaN"
		case math.IsInf(x, 1):
			return "Infinity"
		case math.IsInf(x, -1):
			return "-Infinity"
		}
	}
	return tree
}

// epoch writes a time as seconds, with milliseconds only if there are any.
func epoch(at time.Time) json.Number {
	ms := at.UnixMilli()
	if ms%1000 == 0 {
		return json.Number(fmt.Sprint(ms / 1000))
	}
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return json.Number(fmt.Sprintf("%s%d.%03d", sign, ms/1000, ms%1000))
}
