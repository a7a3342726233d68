package judge

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

// columns are what a file of points has, by name and in any order.
func columns() []string { return []string{"t", "dt", "n0", "x0", "n1", "x1"} }

// Reader reads points from CSV, one line each, below a header.
type Reader struct {
	csv   *csv.Reader
	place []int // where each of the columns is; nil before the header was read
	last  health.Point
	line  int // of the last point; 0 before the first
}

// NewReader returns a reader of CSV with a header. Line ends may be those of
// Windows, a byte order mark may come first, blank lines are skipped.
func NewReader(r io.Reader) *Reader {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // they have been read already
	}
	c := csv.NewReader(b)
	c.FieldsPerRecord, c.ReuseRecord = -1, true
	return &Reader{csv: c}
}

// Read returns the next point and its time as the file has it. At the end it
// returns [io.EOF]. Any other error says which line is wrong, and why.
func (r *Reader) Read() (health.Point, float64, error) {
	if r.place == nil {
		if err := r.header(); err != nil {
			return health.Point{}, 0, err
		}
	}
	fields, line, err := r.next()
	if err != nil {
		return health.Point{}, 0, err
	}
	p, t, err := r.point(fields)
	if err != nil {
		return health.Point{}, 0, fmt.Errorf("line %d: %w", line, err)
	}
	r.last, r.line = p, line
	return p, t, nil
}

// next returns the fields of the next line that is not blank.
func (r *Reader) next() (fields []string, line int, err error) {
	for {
		fields, err := r.csv.Read()
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, 0, fmt.Errorf("line %d: %w", broken.Line, broken.Err)
		}
		if errors.Is(err, io.EOF) {
			return nil, 0, io.EOF
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read points: %w", err)
		}
		for i, f := range fields {
			fields[i] = strings.TrimSpace(f)
		}
		if len(fields) > 1 || fields[0] != "" {
			line, _ := r.csv.FieldPos(0)
			return fields, line, nil
		}
	}
}

// header finds out where each column is.
func (r *Reader) header() error {
	want := strings.Join(columns(), ",")
	names, line, err := r.next()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("there are no points: the first line must be the header %s", want)
	}
	if err != nil {
		return err
	}
	for i, name := range names {
		if !slices.Contains(columns(), name) {
			return fmt.Errorf("line %d: %q is no column; the first line must be the header %s", line, name, want)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("line %d: column %s is there twice", line, name)
		}
	}
	var place []int
	for _, name := range columns() {
		i := slices.Index(names, name)
		if i < 0 {
			return fmt.Errorf("line %d: column %s is missing; the header is %s", line, name, want)
		}
		place = append(place, i)
	}
	r.place = place
	return nil
}

// far is a time beyond which seconds are more likely something else.
const far = 1e10

// point makes a point of the fields of a line.
func (r *Reader) point(fields []string) (health.Point, float64, error) {
	if len(fields) != len(r.place) {
		return health.Point{}, 0, fmt.Errorf("%d fields, and the header has %d", len(fields), len(r.place))
	}
	var v [6]float64
	for i, name := range columns() {
		var err error
		if v[i], err = number(name, fields[r.place[i]]); err != nil {
			return health.Point{}, 0, err
		}
	}
	t, dt := v[0], v[1]
	switch {
	case math.Abs(t) > far:
		return health.Point{}, 0, fmt.Errorf("t is %v; it is a number of seconds, up to %g", t, far)
	case dt <= 0:
		return health.Point{}, 0, fmt.Errorf("dt is %v; a period is longer than nothing", dt)
	case dt < 1e-6 || dt > 1e9:
		return health.Point{}, 0, fmt.Errorf("dt is %v; it is a number of seconds, from 1e-6 to 1e9", dt)
	}
	p := health.Point{At: at(t), Period: seconds(dt), Counts: evalue.Counts{N0: v[2], X0: v[3], N1: v[4], X1: v[5]}}
	if err := r.order(&p); err != nil {
		return health.Point{}, 0, err
	}
	return p, t, p.Counts.Check()
}

// order sees to it that a period begins after the last one's end. Microseconds
// are put down to how fractions of seconds are written.
func (r *Reader) order(p *health.Point) error {
	end := r.last.End()
	switch early := end.Sub(p.At); {
	case r.line == 0 || early <= 0:
		return nil
	case early < time.Microsecond:
		p.At = end
		return nil
	case p.At.Equal(r.last.At):
		return fmt.Errorf("t is %s, as in line %d: every period is told once", clock(p.At), r.line)
	case p.At.Before(r.last.At):
		return fmt.Errorf("t is %s, and line %d had %s: periods come in order", clock(p.At), r.line, clock(r.last.At))
	default:
		return fmt.Errorf("t is %s, and the period of line %d lasts until %s: periods do not overlap", clock(p.At), r.line, clock(end))
	}
}

// number reads a number as people and programs write them.
func number(name, text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return 0, fmt.Errorf("%s is empty", name)
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is %s, which is too large", name, text)
	case err != nil || strings.ContainsAny(text, "xX_"):
		return 0, fmt.Errorf("%s is %q, not a number", name, text)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s is %s, which counts nothing", name, text)
	}
	return v, nil
}

// seconds keeps nanoseconds, which is more than a float64 has of today's date.
func seconds(v float64) time.Duration { return time.Duration(math.Round(v * 1e9)) }

func at(t float64) time.Time {
	whole, part := math.Modf(t)
	return time.Unix(int64(whole), int64(seconds(part))).UTC()
}

// clock writes a time as the file does: in seconds.
func clock(t time.Time) string {
	return strconv.FormatFloat(float64(t.Unix())+float64(t.Nanosecond()/1e3)/1e6, 'f', -1, 64)
}
