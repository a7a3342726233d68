package watch

import (
	"fmt"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// Of returns the watch over a deployment as it begins.
func Of(d deploy.Deployment, now time.Time) ledger.Watch {
	return ledger.Watch{
		ID: deploy.IncidentOf(d.Target, d.ID), Target: d.Target, Deployment: d.ID, Alias: d.Alias, Old: d.From, New: d.To, Opened: now, Next: now,
	}
}

// Found writes down what a panel says. A failure stays one.
func Found(w ledger.Watch, p *health.Panel) ledger.Watch {
	f := p.Finding()
	if w.Finding.Verdict != health.Fail {
		w.Finding = f
	}
	if p.Confirms() {
		w.Doubted = f.To
	}
	if p.Vetoes() {
		w.Shared = f.To
	}
	return w
}

// lingering is how long before the end of a canary trouble may last have been
// seen that was not over then: a minute that had not settled, and the one before.
const lingering = 2*MinutePeriod + MinuteLag

// Clouded reports whether both versions suffered alike when the canary ended. What
// the new one suffers from afterwards may be the same, and the old one's past does
// not know it.
func Clouded(w ledger.Watch, ended time.Time) bool {
	return !w.Shared.IsZero() && ended.Sub(w.Shared) <= lingering && !w.Doubted.After(w.Shared)
}

// ByTheMinute goes over to CloudWatch's metrics. What was found by the log is
// forgotten and counted again.
func ByTheMinute(w ledger.Watch, because string) ledger.Watch {
	w.Plane, w.Distrust = ledger.Minutes, because
	w.Canary.State, w.Canary.Through = health.State{}, w.Canary.From
	return w
}

// Groups returns the log groups of sources, each once.
func Groups(sources []outcome.Source) []string {
	var groups []string
	for _, s := range sources {
		if !slices.Contains(groups, s.Group) {
			groups = append(groups, s.Group)
		}
	}
	return groups
}

// Shares reports whether another watch reads the same log as w, or is about to.
func Shares(other, w ledger.Watch) bool {
	return other.ID != w.ID && !other.Over() && other.Plane != ledger.Minutes && (other.Target == w.Target || other.Alias == w.Alias)
}

const (
	// Canonical is how long a canary usually lasts: CodeDeploy's predefined
	// ones take 5 to 30 minutes (user guide, "Predefined deployment configurations
	// for AWS Lambda").
	Canonical = 30 * time.Minute
	// usualShare is what those canaries get.
	usualShare = 0.1
)

// Usual is the traffic that a deployment may expect by what the old version did
// in the time before.
func Usual(before []health.Point, during time.Duration) health.Traffic {
	b := base(before)[health.Errors]
	t := health.Traffic{Rate: b.Requests / during.Seconds(), Share: usualShare}
	if b.Requests > 0 {
		t.Base = b.Events / b.Requests
	}
	return t
}

// Same says why what a watch has counted and what a deployment says now are not
// of the same versions: counts of both together would mean nothing.
func Same(w ledger.Watch, d deploy.Deployment) error {
	if w.New == "" || w.Alias == d.Alias && w.Old == d.From && w.New == d.To {
		return nil
	}
	return fmt.Errorf("%s moves %s from version %s to %s, and was watched moving %s from version %s to %s", d.ID, d.Alias, d.From, d.To, w.Alias, w.Old, w.New)
}
