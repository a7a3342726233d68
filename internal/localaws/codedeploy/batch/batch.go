// Package batch decides which instances CodeDeploy deploys to next.
//
// It is arithmetic on instances and their health as the user guide describes it
// ("CodeDeploy instance health"), and knows nothing of time, events or AWS.
package batch

import (
	"cmp"
	"slices"
)

// Kind says how a minimum of healthy hosts is counted.
type Kind string

// The kinds. MostConcurrency is what CodeDeployDefault.OneAtATime has: all
// hosts but that many.
const (
	HostCount       Kind = "HOST_COUNT"
	FleetPercent    Kind = "FLEET_PERCENT"
	MostConcurrency Kind = "MOST_CONCURRENCY"
)

// Minimum is how many hosts must remain healthy.
type Minimum struct {
	Kind  Kind
	Value int
}

// Of returns the minimum for a number of hosts. Fractions are rounded up.
func (m Minimum) Of(hosts int) int {
	const percent = 100
	switch m.Kind {
	case FleetPercent:
		return (hosts*m.Value + percent - 1) / percent
	case MostConcurrency:
		return max(hosts-m.Value, 0)
	default:
		return m.Value
	}
}

// Progress says how far the deployment to a host is.
type Progress string

// How far a deployment to a host can be.
const (
	Waiting   Progress = "Waiting"
	Running   Progress = "Running"
	Succeeded Progress = "Succeeded"
	Failed    Progress = "Failed"
)

// Revision is the revision health of a host.
type Revision int

// The values of revision health, in the order in which hosts get their turn.
const (
	Unknown Revision = iota // nothing was installed successfully
	Old
	Current // that of the group's last successful deployment
)

// Host is a host in a deployment.
type Host struct {
	ID       string
	Zone     string // its Availability Zone
	Healthy  bool   // the last deployment to it succeeded
	Revision Revision
	Progress Progress
}

// Config is what a deployment configuration says about hosts.
type Config struct {
	Minimum Minimum
	Zonal   bool    // deploy to one zone after the other
	PerZone Minimum // of each zone, if Zonal
}

// Verdict is what becomes of the deployment as a whole.
type Verdict string

// The verdicts.
const (
	GoOn       Verdict = "GoOn"
	Success    Verdict = "Success"
	Failure    Verdict = "Failure"    // too few hosts would remain healthy
	Impossible Verdict = "Impossible" // the same before anything was tried
)

// Step is what to do next.
type Step struct {
	Verdict Verdict
	Start   []string // hosts to deploy to now, in this order; none while others are running
	Zone    string   // their zone, if the configuration is zonal
}

// Next decides what to do next. Hosts are taken in batches: the next begins
// when the last is over. A batch is as large as it can be without any risk that
// too few hosts remain healthy: all hosts but the minimum and those that have
// failed. Unhealthy hosts have their turn first, and alone, because what
// becomes of them decides whether healthy ones may be touched.
func (c Config) Next(hosts []Host) Step {
	all := tally(hosts)
	switch {
	case all.running > 0:
		return Step{Verdict: GoOn}
	case all.waiting == 0:
		return Step{Verdict: c.outcome(all)}
	}
	candidates := waiting(hosts)
	room := all.room(c.Minimum)
	var zone string
	if c.Zonal {
		zone = candidates[0].Zone
		for _, h := range candidates {
			zone = min(zone, h.Zone)
		}
		inZone := func(h Host) bool { return h.Zone != zone }
		candidates = slices.DeleteFunc(candidates, inZone)
		room = min(room, c.zoneRoom(hosts))
	}
	if room <= 0 {
		if all.succeeded+all.failed == 0 {
			return Step{Verdict: Impossible}
		}
		return Step{Verdict: Failure}
	}
	return Step{Verdict: GoOn, Start: first(candidates, room), Zone: zone}
}

// outcome is what becomes of a deployment that has been everywhere. At least
// one host must have succeeded, even if none has to be healthy.
func (c Config) outcome(all counts) Verdict {
	if all.succeeded == 0 || all.hosts-all.failed < c.Minimum.Of(all.hosts) {
		return Failure
	}
	return Success
}

// zoneRoom is the room in the zone that has the least among those with hosts
// that still wait: if one of them must fail, the deployment fails everywhere.
func (c Config) zoneRoom(hosts []Host) int {
	zones := map[string][]Host{}
	for _, h := range hosts {
		zones[h.Zone] = append(zones[h.Zone], h)
	}
	least := len(hosts)
	for _, inZone := range zones {
		if n := tally(inZone); n.waiting > 0 {
			least = min(least, n.room(c.PerZone))
		}
	}
	return least
}

type counts struct{ hosts, waiting, running, succeeded, failed int }

func tally(hosts []Host) counts {
	n := counts{hosts: len(hosts)}
	for _, h := range hosts {
		switch h.Progress {
		case Waiting:
			n.waiting++
		case Running:
			n.running++
		case Succeeded:
			n.succeeded++
		case Failed:
			n.failed++
		}
	}
	return n
}

// room is how many hosts may be taken out of service at once.
func (n counts) room(m Minimum) int { return n.hosts - m.Of(n.hosts) - n.failed }

// waiting lists the hosts that wait in the order of their turn. Hosts that are
// equal take it by their ID: AWS picks them at random.
func waiting(hosts []Host) []Host {
	var all []Host
	for _, h := range hosts {
		if h.Progress == Waiting {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b Host) int {
		return cmp.Or(bools(a.Healthy, b.Healthy), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func bools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// first takes up to n hosts, all of the health of the first.
func first(sorted []Host, n int) []string {
	var ids []string
	for _, h := range sorted[:min(n, len(sorted))] {
		if h.Healthy == sorted[0].Healthy {
			ids = append(ids, h.ID)
		}
	}
	return ids
}
