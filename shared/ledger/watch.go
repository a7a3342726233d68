package ledger

import (
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// Plane is where a watch's counts come from.
type Plane string

// The planes. Stored, must not change.
const (
	Minutes Plane = "minutes" // CloudWatch's metrics, by the minute
	Logs    Plane = "logs"    // what functions log, in ten seconds
)

// Watch is the look-out over one deployment, from its start to the end of its
// bake. Nothing waits while it is on: each tick begins with what the one before
// has written here.
type Watch struct {
	ID         deploy.Incident `json:"id"` // of the incident that a failure opens
	Target     deploy.Target   `json:"target"`
	Deployment deploy.ID       `json:"deployment"`
	Alias      deploy.Alias    `json:"alias,omitzero"` // empty until CodeDeploy says it
	Old        deploy.Revision `json:"old,omitempty"`
	New        deploy.Revision `json:"new,omitempty"`
	Arms       measure.Arms    `json:"arms,omitzero"` // how both are counted, as it was when that began

	Terms Terms `json:"terms,omitzero"` // without a Config until they are known

	Opened time.Time `json:"opened"`
	Next   time.Time `json:"next"`  // when the next tick is due
	Ticks  int       `json:"ticks"` // how many there have been
	Closed time.Time `json:"closed,omitzero"`

	Plane     Plane     `json:"plane,omitempty"`
	LogGroups []string  `json:"logGroups,omitempty"` // their subscriptions have to be removed before the watch may close
	LogsFrom  time.Time `json:"logsFrom,omitzero"`   // from when on the logs are whole
	Distrust  string    `json:"distrust,omitempty"`  // why the logs are not used
	Compared  time.Time `json:"compared,omitzero"`   // when the logs were last held against the metrics

	Canary Stretch `json:"canary,omitzero"` // while both versions serve
	Bake   Stretch `json:"bake,omitzero"`   // afterwards

	Finding health.Finding `json:"finding,omitzero"` // the newest; once it is FAIL it stays
	Failed  time.Time      `json:"failed,omitzero"`  // when it was first found to be FAIL
	Doubted time.Time      `json:"doubted,omitzero"` // until when there was enough evidence to believe an alarm
	Shared  time.Time      `json:"shared,omitzero"`  // until when both versions have been shown to suffer alike

	Rev int `json:"rev"` // counts writes; a write states the Rev it read
}

// Terms are the choices of a team by which a watch judges, as they were when it
// began. They hold until it ends, whatever becomes of the configuration meanwhile:
// the chance of taking a good version back is promised for a whole deployment, and a
// rule that changed on the way, after somebody has seen how it goes, would keep no
// such promise. They are kept here and not found again by their hash, because tags
// and the functions' settings speak in them, too, and have none.
type Terms struct {
	Rule    health.Rule    `json:"rule,omitzero"`     // of the canary
	Weights health.Weights `json:"weights,omitempty"` // of its metrics
	Bake    time.Duration  `json:"bake,omitempty"`    // how long a finished deployment is watched on
	WarmUp  time.Duration  `json:"warmUp,omitempty"`  // how much of the canary's beginning is not counted: cold starts
	Logs    bool           `json:"logs,omitempty"`    // read what functions log
	Config  string         `json:"config,omitempty"`  // hash of the configuration that they are of
}

// Stretch is a part of a watch in which one rule judges. What it remembers is
// folded up to Through and may be thrown away: the points are counted again.
type Stretch struct {
	Rule    health.Rule                   `json:"rule,omitzero"`
	Weights health.Weights                `json:"weights,omitempty"`
	Base    map[health.Metric]evalue.Base `json:"base,omitempty"`
	Slow    map[health.Metric]float64     `json:"slow,omitempty"` // milliseconds from which a request is slow
	State   health.State                  `json:"state,omitzero"`
	From    time.Time                     `json:"from,omitzero"`
	Through time.Time                     `json:"through,omitzero"`
}

// Over reports whether the watch has ended.
func (w Watch) Over() bool { return !w.Closed.IsZero() }
