package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse reads a file. Its error is an *Error with everything that is wrong, and
// then there is no Config.
func Parse(text []byte) (Config, error) {
	if p, bad := unreadable(text); bad {
		return Config{}, failed(p)
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) // behind a comment the parser counts them as two lines
	body, err := document(text)
	if err != nil {
		return Config{}, err
	}
	if p, other := otherVersion(body); other {
		return Config{}, failed(p)
	}
	var f File
	d := decoder{at: map[string]place{}}
	d.decode(body, reflect.ValueOf(&f).Elem(), rules{}, "")
	c := d.config(f)
	d.check(c, f)
	if len(d.problems) > 0 {
		return Config{}, failed(d.problems...)
	}
	return c, nil
}

// unreadable refuses what Parameter Store could not hold, and what is not text.
func unreadable(text []byte) (Problem, bool) {
	if len(text) > Most {
		return Problem{Line: 1, Column: 1, Message: fmt.Sprintf(
			"the file has %d bytes; a parameter holds %d at most: give many targets one policy in defaults, or configure them by tags", len(text), Most)}, true
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			return Problem{Line: i + 1, Column: 1, Message: "this line is not UTF-8"}, true
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if at := bytes.IndexFunc(line, control); at >= 0 {
			return Problem{Line: i + 1, Column: utf8.RuneCount(line[:at]) + 1, Message: fmt.Sprintf("the character %U cannot be in YAML", line[at])}, true
		}
	}
	return Problem{}, false
}

// control reports whether YAML does not allow a character: https://yaml.org/spec/1.2.2/#51-character-set.
// Lines end with LF, or CR and LF.
func control(r rune) bool { return r != '\t' && unicode.IsControl(r) }

// syntaxError is what the parser's errors are, whose type it does not export.
type syntaxError interface {
	error
	GetToken() *token.Token
	GetMessage() string
}

// document returns the content of the file, if it is one YAML document.
func document(text []byte) (ast.Node, error) {
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // duplicates are reported with the rest
	if err != nil {
		if bad, ok := errors.AsType[syntaxError](err); ok && bad.GetToken() != nil {
			at := bad.GetToken().Position
			return nil, failed(Problem{Line: at.Line, Column: at.Column, Message: syntax(text, at.Line, bad.GetMessage())})
		}
		return nil, failed(Problem{Line: 1, Column: 1, Message: "not YAML: " + err.Error()})
	}
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			at := start(d.Body)
			return nil, failed(Problem{Line: at.line, Column: at.column, Message: "a second document begins here; there may be only one"})
		default:
			body = d.Body
		}
	}
	if body == nil {
		return nil, failed(Problem{Line: 1, Column: 1, Message: "the file says nothing; the least it can say is apiVersion: " + Version})
	}
	return body, nil
}

// syntax says what is wrong with a line's syntax.
func syntax(text []byte, line int, message string) string {
	lines := strings.Split(string(text), "\n")
	if line <= len(lines) {
		indent := lines[line-1][:len(lines[line-1])-len(strings.TrimLeft(lines[line-1], " \t"))]
		if strings.Contains(indent, "\t") {
			return "a tab: YAML is indented with spaces"
		}
	}
	return "not YAML: " + message
}

// otherVersion recognises a file of another version, of which this package can
// say nothing else.
func otherVersion(body ast.Node) (Problem, bool) {
	m, ok := body.(*ast.MappingNode)
	if !ok {
		return Problem{}, false
	}
	for _, v := range m.Values {
		s, ok := v.Value.(*ast.StringNode)
		if keyText(v) != "apiVersion" || !ok || s.Value == Version || !strings.HasPrefix(s.Value, "pullback.dev/") {
			continue
		}
		at := start(v.Value)
		return Problem{Line: at.line, Column: at.column, Path: "apiVersion", Message: fmt.Sprintf(
			"%q is not a version that this pullback reads: it reads %s", s.Value, Version)}, true
	}
	return Problem{}, false
}

// place is where something is in the file, from 1 on.
type place struct{ line, column int }

// start returns where a node begins.
func start(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	at := n.GetToken().Position
	return place{at.Line, at.Column}
}

func keyText(v *ast.MappingValueNode) string { return v.Key.GetToken().Value }
