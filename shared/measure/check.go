package measure

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

const (
	// awsNamespaces are for AWS services only (CloudWatch API reference,
	// "PutMetricData").
	awsNamespaces = "AWS/"
	// maxDimensions is how many a metric has at most (same page).
	maxDimensions = 30
)

// Check says why two arms cannot be compared, or not in such periods. One of
// them may be empty: then the other one stands alone.
func Check(old, fresh Arm, p Plane) error {
	if err := p.Check(); err != nil {
		return err
	}
	if !old.Counted() && !fresh.Counted() {
		return errors.New("no metric counts either version")
	}
	for _, a := range []Arm{old, fresh} {
		if !a.Counted() {
			continue
		}
		if err := a.check(); err != nil {
			return err
		}
		if strings.HasPrefix(a.Requests.Namespace, awsNamespaces) && p.Period < time.Minute {
			return fmt.Errorf("%s cannot be read every %s: AWS services publish by the minute", a.Requests, p.Period)
		}
	}
	if !old.Counted() || !fresh.Counted() {
		return nil
	}
	return alike(old, fresh)
}

// alike says how the arms differ in more than the values of dimensions, or that
// they do not differ at all.
func alike(old, fresh Arm) error {
	olds, news := old.Metrics(), fresh.Metrics()
	if len(old.Errors) != len(fresh.Errors) || old.Timed() != fresh.Timed() {
		return fmt.Errorf("the versions are counted in different ways: %v and %v", olds, news)
	}
	for i, o := range olds {
		n := news[i]
		switch {
		case o.Namespace != n.Namespace || o.Name != n.Name || o.Stat != n.Stat:
			return fmt.Errorf("the versions are counted by different metrics: the old one by %s of %s, the new one by %s of %s", o.Stat, o, n.Stat, n)
		case !slices.Equal(names(o), names(n)):
			return fmt.Errorf("the versions are counted with different dimensions: the old one by %s, the new one by %s", o, n)
		case slices.Equal(sorted(o), sorted(n)):
			return fmt.Errorf("both versions are counted by %s, which does not tell them apart", o)
		}
	}
	return nil
}

// Same says how an arm is not the one that counted before. What was counted
// with other dimensions is another metric: a watch that goes on with it would
// compare what cannot be compared, and must begin anew.
func Same(before, now Arm) error {
	old, fresh := before.Metrics(), now.Metrics()
	for i := range max(len(old), len(fresh)) {
		switch {
		case i >= len(old):
			return fmt.Errorf("the metrics have changed on the way: %s was not counted before", fresh[i])
		case i >= len(fresh):
			return fmt.Errorf("the metrics have changed on the way: %s is not counted any more", old[i])
		}
		o, n := old[i], fresh[i]
		o.Dimensions, n.Dimensions = sorted(o), sorted(n)
		if !reflect.DeepEqual(o, n) {
			return fmt.Errorf("the metrics have changed on the way: %s of %s was counted before, and now %s of %s", o.Stat, o, n.Stat, n)
		}
	}
	return nil
}

// check says what is wrong with an arm for itself.
func (a Arm) check() error {
	if len(a.Errors) == 0 {
		return fmt.Errorf("requests are counted by %s, and no metric counts those that fail", a.Requests)
	}
	for _, m := range a.Metrics() {
		if err := m.check(); err != nil {
			return fmt.Errorf("metric %s: %w", m, err)
		}
	}
	return nil
}

func (m Metric) check() error {
	switch {
	case m.Namespace == "" || m.Name == "":
		return errors.New("it needs a namespace and a name")
	case len(m.Dimensions) == 0:
		return errors.New("it has no dimension, so it does not tell versions apart")
	case len(m.Dimensions) > maxDimensions:
		return fmt.Errorf("it has %d dimensions, and CloudWatch takes %d", len(m.Dimensions), maxDimensions)
	}
	for _, d := range m.Dimensions {
		if d.Name == "" || d.Value == "" {
			return fmt.Errorf("dimension %q has the value %q: neither may be empty", d.Name, d.Value)
		}
	}
	if all := names(m); len(slices.Compact(slices.Clone(all))) < len(all) {
		return errors.New("a dimension stands there twice")
	}
	return nil
}

// sorted are the dimensions by name: their order makes no difference.
func sorted(m Metric) []Dimension {
	all := slices.Clone(m.Dimensions)
	slices.SortFunc(all, func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func names(m Metric) []string {
	var all []string
	for _, d := range sorted(m) {
		all = append(all, d.Name)
	}
	return all
}
