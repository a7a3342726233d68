package emf

import (
	"strconv"
	"time"
)

// series is what one metric came to in a second.
type series struct {
	name   string
	unit   Unit
	sums   bool      // it is one number; else each value stands for itself
	values []float64 // reused from document to document
}

// document is the metrics of one second.
type document struct {
	dimensions []Dimension
	head       []byte // between the time and the metrics
	tail       []byte // after the metrics: the values of the dimensions
	at         int64  // the second
	series     []series
	used       int // of series
	total      int // of values
	buffer     []byte
}

func newDocument(namespace string, dimensions []Dimension) document {
	d := document{dimensions: dimensions}
	d.head = append(d.head, `000,"CloudWatchMetrics":[{"Namespace":`...)
	d.head = appendText(d.head, namespace)
	d.head = append(d.head, `,"Dimensions":[[`...)
	for i, one := range dimensions {
		if i > 0 {
			d.head = append(d.head, ',')
		}
		d.head = appendText(d.head, one.Name)
		d.tail = append(d.tail, ',')
		d.tail = appendText(d.tail, one.Name)
		d.tail = append(d.tail, ':')
		d.tail = appendText(d.tail, one.Value)
	}
	d.head = append(d.head, `]],"Metrics":[`...)
	return d
}

func (d *document) empty() bool { return d.used == 0 }

// reset forgets the values. Memory is kept for the next second.
func (d *document) reset() { d.used, d.total = 0, 0 }

func (d *document) find(name string) *series {
	for i := range d.series[:d.used] {
		if d.series[i].name == name {
			return &d.series[i]
		}
	}
	return nil
}

// takes reports whether there is room for one more value at a time, beside what is
// kept of its metric.
func (d *document) takes(at time.Time, kept *series) bool {
	if d.empty() {
		return true
	}
	if at.Unix() != d.at || d.total == maxTotal {
		return false
	}
	if kept != nil {
		return kept.sums || len(kept.values) < maxValues
	}
	return d.used < maxMetrics
}

func (d *document) add(at time.Time, kept *series, s series, value float64) {
	if d.empty() {
		d.at, kept = at.Unix(), nil
	}
	if kept == nil {
		if d.used == len(d.series) {
			d.series = append(d.series, series{})
		}
		kept = &d.series[d.used]
		d.used++
		s.values = kept.values[:0]
		*kept = s
	}
	if kept.sums && len(kept.values) > 0 {
		kept.values[0] += value
		return
	}
	kept.values = append(kept.values, value)
	d.total++
}

// line is the document and a line end. It is good until the next one.
func (d *document) line() []byte {
	b := append(d.buffer[:0], `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, d.at, 10)
	b = append(b, d.head...)
	for i, s := range d.series[:d.used] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Name":`...)
		b = appendText(b, s.name)
		b = append(b, `,"Unit":`...)
		b = appendText(b, string(s.unit))
		b = append(b, `,"StorageResolution":1}`...)
	}
	b = append(b, `]}]}`...)
	b = append(b, d.tail...)
	for _, s := range d.series[:d.used] {
		b = append(b, ',')
		b = appendText(b, s.name)
		b = append(b, ':')
		b = s.append(b)
	}
	d.buffer = append(b, '}', '\n')
	return d.buffer
}

// append writes the values: one as a number, more as a list.
func (s series) append(b []byte) []byte {
	if len(s.values) == 1 {
		return appendNumber(b, s.values[0])
	}
	b = append(b, '[')
	for i, v := range s.values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, v)
	}
	return append(b, ']')
}

// appendNumber writes whole numbers as such, which is faster.
func appendNumber(b []byte, v float64) []byte {
	const exact = 1 << 53
	if n := int64(v); v > -exact && v < exact && float64(n) == v {
		return strconv.AppendInt(b, n, 10)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendText writes a text that [checkText] has let through.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
