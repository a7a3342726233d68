package outcome

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Batch is what one batch of log events says.
type Batch struct {
	Function  string // as the stream's name says; empty if it does not
	Parts     []Part // by time
	Ignored   int    // lines that say nothing about a request
	Malformed int    // lines that should and cannot be read
}

// streamName is how Lambda names a stream: with the function's name only where
// the log group is not its own. Source: Lambda developer guide, "Sending Lambda
// function logs to CloudWatch Logs", "Configuring CloudWatch log groups".
var streamName = regexp.MustCompile(`^\d{4}/\d{2}/\d{2}/([A-Za-z0-9_-]*)\[(\$LATEST|[0-9]+)\]`)

// Read counts the requests of a batch. A stream that is not a Lambda function's
// is an error.
func Read(l events.Logs) (Batch, error) {
	name := streamName.FindStringSubmatch(l.Stream)
	if name == nil {
		return Batch{}, fmt.Errorf("log stream %q of %s is not a Lambda function's: its name has no version", l.Stream, l.Group)
	}
	r := reader{
		batch: Batch{Function: name[1]},
		part:  Part{Batch: fingerprint(l), Stream: l.Stream, Version: deploy.Revision(name[2])},
	}
	for _, line := range l.Lines {
		r.read(line)
	}
	r.leave()
	slices.SortStableFunc(r.batch.Parts, func(a, b Part) int { return a.Slot.Compare(b.Slot) })
	return r.batch, nil
}

// fingerprint is a batch's name. What comes again comes with the same events.
func fingerprint(l events.Logs) string {
	h := sha256.New()
	write := func(s string) {
		_, _ = h.Write(strconv.AppendInt(nil, int64(len(s)), 10)) // a hash never fails
		_, _ = h.Write([]byte(" " + s))
	}
	write(l.Group)
	write(l.Stream)
	for _, line := range l.Lines {
		write(line.ID)
		write(strconv.FormatInt(line.At.UnixMilli(), 10))
		write(line.Text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// A reader goes through the lines of a stream, in which one request follows the
// other.
type reader struct {
	batch Batch
	part  Part // what all parts have in common

	request string   // under way, as far as it is known
	started bool     // its start is in this batch
	failed  Fragment // if it has failed
}

func (r *reader) read(l events.Line) {
	switch m := readLine(l.Text); m.kind {
	case nothing:
		r.batch.Ignored++
	case malformed:
		r.batch.Malformed++
	case start:
		r.begin(m.request)
	case failure:
		r.fail(m.request, l)
	case verdict:
		r.in(l.At).whole(m)
		r.forget()
	case report:
		r.report(m, l)
	}
}

// begin starts a request. A failure without a request before it was one of the
// initialisation, and is forgotten.
func (r *reader) begin(request string) {
	if r.request != "" {
		r.leave()
	}
	r.forget()
	r.request, r.started = request, true
}

// fail notes a failure of the request under way, or of another one if the line
// says so.
func (r *reader) fail(request string, l events.Line) {
	f := Fragment{Request: request, Line: l.ID, At: l.At, Failed: true}
	switch {
	case request == "" || request == r.request:
		f.Request = r.request
		r.failed = f
	case r.request == "":
		r.request, r.failed = request, f
	default:
		r.open(f)
	}
}

// report ends a request. If its start is in another batch, there may be a failure
// in that other batch too.
func (r *reader) report(m mark, l events.Line) {
	if r.request != "" && r.request != m.request {
		r.leave()
	}
	m.failed = m.failed || r.failed.Failed
	part := r.in(l.At)
	if r.started {
		part.whole(m)
	} else {
		part.Took.add(m.took)
		part.Open = append(part.Open, Fragment{Request: m.request, Line: l.ID, At: l.At, Reported: true, Failed: m.failed})
	}
	r.forget()
}

// leave keeps what is known of a request whose report is not in this batch.
func (r *reader) leave() {
	if r.failed.Failed {
		r.open(r.failed)
	}
	r.forget()
}

func (r *reader) forget() { r.request, r.started, r.failed = "", false, Fragment{} }

func (r *reader) open(f Fragment) {
	part := r.in(f.At)
	part.Open = append(part.Open, f)
}

// in returns the part of a time.
func (r *reader) in(t time.Time) *Part {
	slot := Slot(t)
	for i := range r.batch.Parts {
		if r.batch.Parts[i].Slot.Equal(slot) {
			return &r.batch.Parts[i]
		}
	}
	part := r.part
	part.Slot = slot
	r.batch.Parts = append(r.batch.Parts, part)
	return &r.batch.Parts[len(r.batch.Parts)-1]
}

// whole counts a request that needs nothing from another batch.
func (p *Part) whole(m mark) {
	p.Requests++
	if m.failed {
		p.Errors++
	}
	p.Took.add(m.took)
}
