// Package emf is for applications: it writes what an application counts in
// CloudWatch's embedded metric format, at high resolution, so that CloudWatch
// Logs makes metrics of it that can be read by the second and by version. It is
// three lines to use:
//
//	metrics, err := emf.New(os.Stdout, emf.Options{Namespace: "Shop", Version: os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")})
//	defer metrics.Flush() // in a Lambda function: at the end of each invocation
//	metrics.Request(began, time.Since(began), failed)
//
// A function's log and, by the awslogs driver, that of a container on ECS reach
// CloudWatch Logs from stdout. What pullback reads of it is what
// measure.Custom(Namespace, measure.Names{Requests: emf.Requests, Errors:
// []string{emf.Errors}, Latency: emf.Latency}, Dimensions, {"Version", Version})
// names.
//
// It keeps no more than one document of at most 100 metrics with at most 100
// values each, calls no clock, starts nothing and calls no service. CloudWatch
// may count a line twice (CloudWatch user guide, "Specification: Embedded metric
// format": "at least one time delivery"): it is for rates, not for accounts.
package emf

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// The metrics of requests.
const (
	Requests = "Requests" // how many
	Errors   = "Errors"   // how many of them failed; 0 where none did
	Latency  = "Latency"  // how long each took, in milliseconds
)

// Dimension is one name and value that a metric has.
type Dimension struct{ Name, Value string }

// Options say whose metrics they are.
type Options struct {
	Namespace  string
	Version    string      // of what runs: that which a deployment moves, such as the version of a function or the revision of a task definition
	VersionKey string      // name of the dimension that has Version; empty: "Version"
	Dimensions []Dimension // that all versions share, such as the service; their values must be few, since each set of them is a metric and costs as one
}

// Metrics collects what an application counts and writes it, one line for each
// second in which there was any. It is safe for concurrent use.
type Metrics struct {
	mu  sync.Mutex
	out io.Writer
	doc document
}

// New returns what counts for one version of an application, and writes to out,
// each line with one call.
func New(out io.Writer, o Options) (*Metrics, error) {
	if o.VersionKey == "" {
		o.VersionKey = "Version"
	}
	if o.Version == "" {
		return nil, errors.New("embedded metrics: Version is empty: without it the metrics mix all versions, and none can be judged")
	}
	dimensions := append(append([]Dimension(nil), o.Dimensions...), Dimension{Name: o.VersionKey, Value: o.Version})
	if err := checkNamespace(o.Namespace); err != nil {
		return nil, fmt.Errorf("embedded metrics: %w", err)
	}
	if err := checkDimensions(dimensions); err != nil {
		return nil, fmt.Errorf("embedded metrics: %w", err)
	}
	return &Metrics{out: out, doc: newDocument(o.Namespace, dimensions)}, nil
}

// requests are the metrics of requests. That which may be full comes first, so
// that a request is in one document.
func requests() [3]series {
	return [...]series{{name: Latency, unit: Milliseconds}, {name: Requests, unit: Count, sums: true}, {name: Errors, unit: Count, sums: true}}
}

// Request counts a request that was answered at a time, how long it took, and
// whether it failed.
func (m *Metrics) Request(at time.Time, took time.Duration, failed bool) error {
	values := [...]float64{float64(took) / float64(time.Millisecond), 1, 0}
	if failed {
		values[2] = 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var lost error
	for i, s := range requests() {
		if err := m.add(at, s, values[i]); err != nil {
			lost = errors.Join(lost, err)
		}
	}
	return lost
}

// Count adds to a number of things that happened, such as "Refunds". What never
// happens should be counted with 0 now and then, so that CloudWatch tells "none"
// from "nothing known".
func (m *Metrics) Count(at time.Time, name string, n float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(at, series{name: name, unit: Count, sums: true}, n)
}

// Value adds one measured value, such as a duration or a size.
func (m *Metrics) Value(at time.Time, name string, unit Unit, value float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(at, series{name: name, unit: unit}, value)
}

// Flush writes what was counted and is not written yet, as one line, or nothing
// if there is nothing. What could not be written is lost: memory is bounded.
func (m *Metrics) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.flush()
}

func (m *Metrics) flush() error {
	if m.doc.empty() {
		return nil
	}
	defer m.doc.reset()
	if _, err := m.out.Write(m.doc.line()); err != nil {
		return fmt.Errorf("write embedded metrics (what they counted is lost): %w", err)
	}
	return nil
}

// add takes a value. One that is refused changes nothing. A document has the
// metrics of one second, since all its values have one time.
func (m *Metrics) add(at time.Time, s series, value float64) (err error) {
	kept := m.doc.find(s.name)
	if err := m.doc.check(at, kept, s, value); err != nil {
		return fmt.Errorf("metric %q: %w", s.name, err)
	}
	if !m.doc.takes(at, kept) {
		err = m.flush()
	}
	m.doc.add(at, kept, s, value)
	return err
}
