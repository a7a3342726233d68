package emf

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Limits (CloudWatch user guide, "Specification: Embedded metric format"; of
// names and values: CloudWatch API reference, MetricDatum, Dimension and
// PutMetricData, which are the narrower ones).
const (
	maxMetrics    = 100
	maxValues     = 100
	maxDimensions = 30
	maxName       = 255
	maxDimension  = 1024
)

const (
	// maxTotal keeps a line below the 256 KB that log events had for long; now they
	// have 1 MB (CloudWatch Logs user guide, "CloudWatch Logs quotas").
	maxTotal = 4000
	// maxValue is the largest value that CloudWatch takes (API reference, MetricDatum).
	maxValue = 1 << 360
)

// meta is the member of a document that says what the others are.
const meta = "_aws"

// Unit is what a value is measured in, in CloudWatch's words.
type Unit string

// The units that applications measure in most. Any other of CloudWatch's may be
// given as text, with the same spelling (API reference, MetricDatum).
const (
	Count        Unit = "Count"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
	Microseconds Unit = "Microseconds"
	Bytes        Unit = "Bytes"
	Percent      Unit = "Percent"
	None         Unit = "None"
)

// known reports whether CloudWatch has the unit.
func (u Unit) known() bool {
	base, rate, _ := strings.Cut(string(u), "/")
	switch base {
	case "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count":
		return string(u) == base || rate == "Second"
	case "Seconds", "Microseconds", "Milliseconds", "Percent", "None":
		return string(u) == base
	default:
		return false
	}
}

func checkNamespace(name string) error {
	const more = ".-_/#: "
	switch {
	case name == "":
		return errors.New("namespace is empty: give the application's own name, such as \"Shop\"")
	case len(name) > maxName:
		return fmt.Errorf("namespace has %d characters, and CloudWatch takes %d", len(name), maxName)
	case strings.HasPrefix(name, "AWS/"):
		return fmt.Errorf("namespace %q begins with AWS/: those are for AWS services only", name)
	case name[0] == ':', strings.TrimSpace(name) == "":
		return fmt.Errorf("namespace %q begins with a colon or is blank", name)
	}
	for _, r := range name {
		if !letter(r) && !strings.ContainsRune(more, r) {
			return fmt.Errorf("namespace %q has the character %q: only letters, digits, spaces and %s are allowed", name, r, strings.TrimSpace(more))
		}
	}
	return nil
}

// letter reports whether it is a letter or digit of ASCII.
func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func checkDimensions(all []Dimension) error {
	if len(all) > maxDimensions {
		return fmt.Errorf("there are %d dimensions with that of the version, and CloudWatch takes %d", len(all), maxDimensions)
	}
	seen := make(map[string]bool)
	for _, s := range requests() {
		seen[s.name] = true
	}
	for _, d := range all {
		if err := checkName(d.Name); err != nil {
			return fmt.Errorf("dimension %q: %w", d.Name, err)
		}
		if err := checkText(d.Value, maxDimension); err != nil {
			return fmt.Errorf("dimension %q: value %q: %w", d.Name, d.Value, err)
		}
		if seen[d.Name] {
			return fmt.Errorf("dimension %q stands there twice, or has the name of a metric", d.Name)
		}
		seen[d.Name] = true
	}
	return nil
}

// checkName says what is wrong with the name of a metric or dimension.
func checkName(name string) error {
	switch {
	case name == meta:
		return errors.New("that name is the format's own")
	case strings.HasPrefix(name, ":"):
		return errors.New("it begins with a colon")
	default:
		return checkText(name, maxName)
	}
}

// checkText says what is wrong with a name, or with the value of a dimension.
func checkText(s string, longest int) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("it is blank")
	case len(s) > longest:
		return fmt.Errorf("it has %d characters, and CloudWatch takes %d", len(s), longest)
	}
	for _, r := range s {
		if r < ' ' || r > '~' {
			return fmt.Errorf("it has the character %q: only ASCII without control characters is allowed", r)
		}
	}
	return nil
}

// check says why a value cannot be added to what is kept of its metric.
func (d *document) check(at time.Time, kept *series, s series, value float64) error {
	if kept != nil {
		if kept.unit != s.unit || kept.sums != s.sums {
			return fmt.Errorf("it was a %s before and is a %s now: one metric has one kind and one unit", kept.kind(), s.kind())
		}
	} else if err := d.checkNew(s); err != nil {
		return err
	}
	if at.Unix() <= 0 {
		return fmt.Errorf("its time %s is before 1970", at)
	}
	if math.IsNaN(value) || math.Abs(value) > maxValue {
		return fmt.Errorf("its value %v is no number that CloudWatch takes", value)
	}
	return nil
}

// checkNew says what is wrong with a metric that the document does not have yet.
func (d *document) checkNew(s series) error {
	if err := checkName(s.name); err != nil {
		return err
	}
	if !s.unit.known() {
		return fmt.Errorf("unit %q is none of CloudWatch's (API reference, MetricDatum)", s.unit)
	}
	for _, dimension := range d.dimensions {
		if dimension.Name == s.name {
			return errors.New("it has the name of a dimension")
		}
	}
	for _, one := range requests() {
		if s.name == one.name && (s.unit != one.unit || s.sums != one.sums) {
			return fmt.Errorf("it is a %s here: count requests with Request", one.kind())
		}
	}
	return nil
}

// kind says for people what a metric is.
func (s series) kind() string {
	if s.sums {
		return "count"
	}
	return fmt.Sprintf("value in %s", s.unit)
}
