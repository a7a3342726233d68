package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// fieldOf is a field of a type of this package, by the tags on it.
type fieldOf struct {
	name  string
	index []int
	kind  reflect.Type
	rules rules
}

// rules is what a value must keep to.
type rules struct {
	enum     []string
	min, max float64
	pattern  string
	say      string // what is allowed, in words
	zero     bool   // a duration may be nothing
	below    time.Duration
	required bool
	unique   bool // a list has nothing twice
	minItems int
	or       string // JSON, or this word
}

// fieldsOf returns the fields of a type in their order, those of what it embeds
// among them.
func fieldsOf(t reflect.Type) []fieldOf {
	var all []fieldOf
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("json"); name != "" {
			all = append(all, fieldOf{name: name, index: f.Index, kind: f.Type, rules: rulesOf(f.Tag)})
		}
	}
	return all
}

// rulesOf reads the tags that package jsonschema reads, too, and our own. A
// mistake in them is a mistake in this package, which any test finds.
func rulesOf(tag reflect.StructTag) rules {
	r := rules{say: tag.Get("say"), zero: tag.Get("zero") != "", or: tag.Get("or")}
	r.below, _ = time.ParseDuration(tag.Get("below"))
	for word := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "enum":
			r.enum = append(r.enum, value)
		case "minimum":
			r.min, _ = strconv.ParseFloat(value, 64)
		case "maximum":
			r.max, _ = strconv.ParseFloat(value, 64)
		case "pattern":
			r.pattern = value
		case "required":
			r.required = true
		case "uniqueItems":
			r.unique = true
		case "minItems":
			r.minItems, _ = strconv.Atoi(value)
		}
	}
	return r
}

// allowed says which values are allowed.
func (r rules) allowed(t reflect.Type) string {
	switch {
	case r.say != "":
		return r.say
	case len(r.enum) > 0:
		return either(r.enum)
	case t == reflect.TypeFor[time.Duration]():
		return r.duration()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return fmt.Sprintf("a whole number from %v to %v", r.min, r.max)
	case reflect.Float64:
		return fmt.Sprintf("a number from %s to %s", write(r.min), write(r.max))
	case reflect.Slice:
		return "a list"
	default:
		return "text"
	}
}

func (r rules) duration() string {
	switch {
	case r.below > 0:
		return "a duration such as 2m, and less than " + brief(r.below)
	case r.zero:
		return "a duration such as 30m or 0s"
	default:
		return "a duration such as 30m"
	}
}

// either joins words with "or".
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// set writes text into v, if it is allowed.
func set(v reflect.Value, r rules, text string) error {
	var made any
	var ok bool
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		made, ok = r.readDuration(text)
	case v.Kind() == reflect.Bool:
		made, ok = text == "true", text == "true" || text == "false"
	case v.Kind() == reflect.Int:
		f, number := r.readNumber(text)
		made, ok = int(f), number && f == math.Trunc(f)
	case v.Kind() == reflect.Float64:
		made, ok = r.readNumber(text)
	default:
		made, ok = text, r.text(text)
	}
	if !ok {
		return fmt.Errorf("%q is not %s", text, r.allowed(v.Type()))
	}
	v.Set(reflect.ValueOf(made).Convert(v.Type()))
	return nil
}

// readNumber reads a number as JSON writes it: 012 and 0x1F mean different
// things to different readers.
func (r rules) readNumber(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && json.Valid([]byte(text)) && f >= r.min && f <= r.max
}

func (r rules) readDuration(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	ok := err == nil && matches(DurationPattern, text) && (d > 0 || r.zero) && (d < r.below || r.below == 0)
	return d, ok
}

func (r rules) text(text string) bool {
	return (len(r.enum) == 0 || slices.Contains(r.enum, text)) &&
		(r.pattern == "" || matches(r.pattern, text)) &&
		(r.or == "" || text == r.or || json.Valid([]byte(text)))
}

// DurationPattern is what a duration looks like. It is narrower than Go's: no
// sign, nothing shorter than a millisecond.
const DurationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// brief writes a duration without the zeros that Go puts behind it.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// scalarOf returns a node's text and what it is, if it is one value.
func scalarOf(n ast.Node) (text, kind string) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, "text"
	case *ast.LiteralNode:
		return n.Value.Value, "text"
	case *ast.BoolNode:
		return strconv.FormatBool(n.Value), "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, "a number"
	default:
		return "", ""
	}
}

// bare reports whether a text has no quotes. The parser takes some numbers for
// text, such as 1e-3.
func bare(n ast.Node) bool { return n.GetToken().Type == token.StringType }

// what says what a node is, to somebody who wrote something else.
func what(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "these are keys with values"
	case *ast.SequenceNode:
		return "this is a list"
	default:
		text, kind := scalarOf(n)
		if kind == "text" {
			return fmt.Sprintf("%q is text", text)
		}
		return fmt.Sprintf("%s is %s", text, kind)
	}
}

func names(fields []fieldOf) []string {
	all := make([]string, 0, len(fields))
	for _, f := range fields {
		all = append(all, f.name)
	}
	return all
}

func index(fields []fieldOf, name string) int {
	return slices.IndexFunc(fields, func(f fieldOf) bool { return f.name == name })
}
