// Package fault makes the local AWS fail on purpose, by a seeded plan: throttled
// calls, errors of the server, connections that are cut before or after the
// effect, answers that are late or out of date, events that are lost, doubled or
// out of order, hooks that are never invoked, alarms that flap.
//
// A plan is a list of rules. A rule says which calls it is about and what
// becomes of them; calls of clients and calls between services are treated
// alike, so "EventBridge's SendMessage to the signals queue is lost" is a rule
// as "CodeDeploy throttles the rollbacker's second StopDeployment" is one. The
// plan has a source of randomness of its own: a rule changes nothing but what
// it is about.
package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"time"
)

// Kind is what becomes of a call.
type Kind string

// The kinds of faults.
const (
	Throttle Kind = "throttle"     // refused with the service's own throttling error; nothing happens
	Error    Kind = "error"        // refused with an error, a 500 unless the rule says more; nothing happens
	Before   Kind = "reset-before" // the connection is cut; nothing happens
	After    Kind = "reset-after"  // it happens, then the connection is cut
	Delay    Kind = "delay"        // it happens after a time
	Lose     Kind = "lose"         // answered as if it had happened; nothing happens
	Repeat   Kind = "repeat"       // it happens more than once
	Reorder  Kind = "reorder"      // it happens after the next call that the rule is about
	Stale    Kind = "stale"        // a read is answered as it was some time ago
	Flap     Kind = "flap"         // an alarm goes to and fro by itself
)

func kinds() []Kind {
	return []Kind{Throttle, Error, Before, After, Delay, Lose, Repeat, Reorder, Stale, Flap}
}

// Duration is a time.Duration that JSON writes as "90s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It refuses negative times.
func (d *Duration) UnmarshalText(b []byte) error {
	x, err := time.ParseDuration(string(b))
	if err != nil || x < 0 {
		return fmt.Errorf("%q is not a duration such as 90s", b)
	}
	*d = Duration(x)
	return nil
}

// Rule is one fault. Patterns are those of path.Match: "*" stands for anything
// but a slash; an empty pattern fits everything. Without nth, every and rate it
// is about every call that fits; they may be combined, and then all must hold.
type Rule struct {
	Name string `json:"name"` // unique in its plan

	// Which calls.
	Service   string   `json:"service,omitempty"`   // pattern: "codedeploy", "monitoring", "events"
	Operation string   `json:"operation,omitempty"` // pattern: "StopDeployment", "Describe*"
	Caller    string   `json:"caller,omitempty"`    // pattern for the name of the role or user, or the service that acts ("events.amazonaws.com")
	Contains  string   `json:"contains,omitempty"`  // a text in the request, written as JSON
	Nth       int      `json:"nth,omitempty"`       // only the nth such call, from 1
	Every     int      `json:"every,omitempty"`     // only every so many-th
	Rate      float64  `json:"rate,omitempty"`      // only this share of them, by chance: 0.1
	Times     int      `json:"times,omitempty"`     // at most so often
	From      Duration `json:"from,omitempty"`      // not before so long after the rule was added
	Until     Duration `json:"until,omitempty"`     // not so long after it

	// What becomes of them.
	Do      Kind     `json:"do"`
	Code    string   `json:"code,omitempty"`    // error, throttle: the service's error code
	Message string   `json:"message,omitempty"` // error, throttle
	Status  int      `json:"status,omitempty"`  // error, throttle: HTTP status
	For     Duration `json:"for,omitempty"`     // delay, stale: how long; reorder: at most; flap: between two changes
	Copies  int      `json:"copies,omitempty"`  // repeat: how often in all; 2
	Alarm   string   `json:"alarm,omitempty"`   // flap: which alarm; times is how many changes
}

// Parse reads a plan: a JSON list of rules. It refuses members that it does not
// know, and says which rule is wrong and why.
func Parse(b []byte) ([]Rule, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var rules []Rule
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("read the plan of faults, a JSON list of rules: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the plan of faults: something follows the list")
	}
	return rules, Check(rules)
}

// Check reports what is wrong with a plan, all of it.
func Check(rules []Rule) error {
	var all []error
	seen := map[string]bool{}
	for i, r := range rules {
		if r.Name == "" || seen[r.Name] {
			all = append(all, fmt.Errorf("rule %d: give it a name of its own", i+1))
		}
		seen[r.Name] = true
		if err := r.check(); err != nil {
			all = append(all, fmt.Errorf("rule %q: %w", r.Name, err))
		}
	}
	return errors.Join(all...)
}

func (r Rule) check() error {
	if !slices.Contains(kinds(), r.Do) {
		return fmt.Errorf("do is %q, not one of %v", r.Do, kinds())
	}
	for _, p := range []string{r.Service, r.Operation, r.Caller} {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
	}
	for _, w := range slices.Concat(r.numbers(), r.members()) {
		if w.wrong {
			return errors.New(w.why)
		}
	}
	return nil
}

// complaint is something that may be wrong with a rule.
type complaint struct {
	wrong bool
	why   string
}

// numbers are the complaints about values.
func (r Rule) numbers() []complaint {
	return []complaint{
		{min(r.Nth, r.Every, r.Times, r.Copies) < 0, "nth, every, times and copies are not negative"},
		{r.Rate < 0 || r.Rate > 1, "rate is between 0 and 1"},
		{r.Until != 0 && r.Until <= r.From, "until is after from"},
		{r.Status != 0 && (r.Status < 400 || r.Status > 599), "status is an HTTP status of an error, 400 to 599"},
	}
}

// members are the complaints about what a kind lacks, or would ignore.
func (r Rule) members() []complaint {
	needsTime := slices.Contains([]Kind{Delay, Stale, Flap}, r.Do)
	refuses := slices.Contains([]Kind{Error, Throttle}, r.Do)
	says := r.Code != "" || r.Message != "" || r.Status != 0
	kind := string(r.Do)
	return []complaint{
		{needsTime && r.For == 0, kind + " needs for: how long"},
		{!needsTime && r.Do != Reorder && r.For != 0, kind + " has no for"},
		{!refuses && says, kind + " has no code, message or status"},
		{r.Copies != 0 && r.Do != Repeat, kind + " has no copies"},
		{(r.Do == Flap) != (r.Alarm != ""), "flap needs alarm, and nothing else has it"},
		{r.Do == Flap && (r.Times == 0 || r.aboutCalls()), "flap needs times: how many changes; and it is about no calls"},
	}
}

func (r Rule) aboutCalls() bool {
	return r.Service+r.Operation+r.Caller+r.Contains != "" || r.Nth != 0 || r.Every != 0 || r.Rate != 0
}
