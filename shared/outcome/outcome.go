// Package outcome counts what became of a Lambda function's requests, from the
// lines that Lambda and the runtimes write about every request to the function's
// log group: per version, in groups of ten seconds.
//
// It is pure. It guesses nothing: a request counts when its report is there, and
// has failed when its report or a line of the runtime says so; lines that say
// neither are ignored. What the lines do not show (which alias a request came
// through, an error that a runtime does not write down) it cannot know, which is
// why [Reconcile] holds its counts against CloudWatch's own.
//
// Batches of lines come more than once, in any order, and cut in the middle of a
// request. So each batch becomes [Part]s that can be stored again without harm,
// and only [Sum] joins the pieces of a request that two batches have.
//
// docs/fast-plane.md has the facts and their sources.
package outcome

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Width is how long a group lasts. Groups begin at multiples of it.
const Width = 10 * time.Second

// Lookback is how much earlier than a request's report a line about its failure
// may be. Between the two, extensions finish their work.
const Lookback = 3 * Width

// ErrUnavailable says that a function's log shows no outcomes, or not to us. The
// reason is in the text. CloudWatch's metrics by the minute are left.
var ErrUnavailable = errors.New("no outcomes from the log")

// Slot returns the beginning of the group that a time belongs to.
func Slot(t time.Time) time.Time { return t.UTC().Truncate(Width) }

// Count is what became of the requests that one version answered in one group.
type Count struct {
	Version  deploy.Revision
	Slot     time.Time
	Requests int
	Errors   int // never more than Requests
	Took     Durations
}

// Part is what one batch of log events says about one group. Stored, must not
// change.
type Part struct {
	Batch    string          `json:"batch"` // the same for the same log events
	Stream   string          `json:"stream"`
	Version  deploy.Revision `json:"version"`
	Slot     time.Time       `json:"slot"`
	Requests int             `json:"requests,omitempty"` // that are whole in the batch
	Errors   int             `json:"errors,omitempty"`   // of these
	Took     Durations       `json:"took,omitempty"`
	Open     []Fragment      `json:"open,omitempty"`
}

// Fragment is the part of a request that a batch has: its report without its
// start, or a failure without its report. Stored, must not change.
type Fragment struct {
	Request  string    `json:"request,omitempty"` // empty if no line says it
	Line     string    `json:"line"`              // of the report, or of the failure; grows within a stream
	At       time.Time `json:"at"`                // of that line
	Reported bool      `json:"reported,omitempty"`
	Failed   bool      `json:"failed,omitempty"`
}

// Sum counts the groups that begin at or after from and before to, in order of
// time and version. parts has those since from minus [Lookback], each batch once.
func Sum(parts []Part, from, to time.Time) []Count {
	counts := make(map[group]*Count)
	open := make(map[stream][]Fragment)
	for _, p := range parts {
		if p.Requests+len(p.Took) > 0 {
			countOf(counts, p.Version, p.Slot).add(p.Requests, p.Errors, p.Took)
		}
		key := stream{p.Stream, p.Version}
		open[key] = append(open[key], p.Open...)
	}
	for s, fragments := range open {
		for _, f := range join(fragments) {
			failed := 0
			if f.Failed {
				failed = 1
			}
			countOf(counts, s.version, Slot(f.At)).add(1, failed, nil)
		}
	}
	var sum []Count
	for _, c := range counts {
		if !c.Slot.Before(from) && c.Slot.Before(to) {
			sum = append(sum, *c)
		}
	}
	slices.SortFunc(sum, func(a, b Count) int {
		return cmp.Or(a.Slot.Compare(b.Slot), cmp.Compare(len(a.Version), len(b.Version)), cmp.Compare(a.Version, b.Version))
	})
	return sum
}

// A group is what is counted together; a stream is what is in order.
type (
	group struct {
		version deploy.Revision
		slot    int64
	}
	stream struct {
		name    string
		version deploy.Revision
	}
)

func countOf(counts map[group]*Count, v deploy.Revision, slot time.Time) *Count {
	key := group{v, slot.Unix()}
	c, ok := counts[key]
	if !ok {
		c = &Count{Version: v, Slot: slot.UTC()}
		counts[key] = c
	}
	return c
}

func (c *Count) add(requests, failed int, took Durations) {
	c.Requests += requests
	c.Errors += failed
	c.Took = c.Took.plus(took)
}

// join returns the reported fragments of one stream, failed if any piece of the
// request shows it. A stream is one execution environment, which has one request
// at a time: a failure without a name belongs to the next report.
func join(fragments []Fragment) []Fragment {
	slices.SortFunc(fragments, inOrder)
	var reported []Fragment
	var nameless time.Time
	failures := make(map[string]time.Time)
	for _, f := range fragments {
		switch {
		case f.Reported:
			f.Failed = f.Failed || recent(failures[f.Request], f.At) || recent(nameless, f.At)
			reported, nameless = append(reported, f), time.Time{}
		case f.Request == "":
			nameless = f.At
		default:
			failures[f.Request] = f.At
		}
	}
	return reported
}

func recent(failure, report time.Time) bool {
	return !failure.IsZero() && report.Sub(failure) <= Lookback
}

// inOrder orders by time and then by line. The names of lines are numbers.
func inOrder(a, b Fragment) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(len(a.Line), len(b.Line)), cmp.Compare(a.Line, b.Line))
}
