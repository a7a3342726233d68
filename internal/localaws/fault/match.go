package fault

import (
	"encoding/json"
	"math/rand/v2"
	"path"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// call is what a rule looks at.
type call struct {
	service, operation string
	caller             wire.Principal
	input              any
	at                 time.Time
}

// callerName is what a rule's caller is compared with: the name of the role or
// user, or of the service that acts for itself.
//
//	arn:aws:sts::123456789012:assumed-role/rollbacker/session  rollbacker
//	arn:aws:iam::123456789012:role/service/rollbacker          rollbacker
//	arn:aws:iam::123456789012:root                             root
func callerName(p wire.Principal) string {
	if p.ARN == "" {
		return p.Service
	}
	name := p.ARN[strings.LastIndexByte(p.ARN, ':')+1:]
	parts := strings.Split(name, "/")
	if parts[0] == "assumed-role" && len(parts) > 1 {
		return parts[1]
	}
	return parts[len(parts)-1]
}

// armed is a rule in force.
type armed struct {
	Rule
	added   time.Time
	rng     *rand.Rand
	seen    int // calls that fit
	fired   int
	waiting func()       // reorder: the call that waits for the next one
	limit   *world.Timer // reorder: when it does not wait any longer
}

// decides counts a call and says whether the rule is about it.
func (a *armed) decides(c call) bool {
	if a.Do == Flap || !a.fits(c) {
		return false
	}
	a.seen++
	switch {
	case a.Nth != 0 && a.seen != a.Nth:
		return false
	case a.Every != 0 && a.seen%a.Every != 0:
		return false
	case a.Rate != 0 && a.rng.Float64() >= a.Rate:
		return false
	case a.Times != 0 && a.fired >= a.Times:
		return false
	}
	a.fired++
	return true
}

func (a *armed) fits(c call) bool {
	since := c.at.Sub(a.added)
	if since < time.Duration(a.From) || a.Until != 0 && since >= time.Duration(a.Until) {
		return false
	}
	return glob(a.Service, c.service) && glob(a.Operation, c.operation) && glob(a.Caller, callerName(c.caller)) &&
		(a.Contains == "" || strings.Contains(textOf(c.input), a.Contains))
}

// glob compares a text with a pattern that was checked when the rule was added.
func glob(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return pattern == "" || ok && err == nil
}

// textOf is a request as JSON, for Contains. What cannot be written is empty.
func textOf(in any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(in) != nil {
		return ""
	}
	// An event's detail is JSON in a string; a rule says it as it reads there.
	return strings.ReplaceAll(b.String(), `\"`, `"`)
}

// source makes a rule's own randomness out of the plan's seed and its name.
func source(seed uint64, name string) *rand.Rand {
	var h uint64 = 14695981039346656037 // FNV-1a, 64 bits
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h)) //nolint:gosec // a reproducible fault is the point
}
