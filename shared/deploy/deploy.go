// Package deploy names the things pullback talks about: deployments, the
// targets they change and the revisions they move between.
//
// It knows nothing of AWS clients, clocks or logs.
package deploy

import (
	"fmt"
	"strings"
	"time"
)

// ID is CodeDeploy's name for one deployment, for example "d-ABCDEF123".
type ID string

// Revision names one thing that can be live: a Lambda version such as "7".
// The empty Revision means "not known".
type Revision string

// Digest is the hash of a revision's code, as AWS states it (CodeSha256 of a
// Lambda version). Two revisions with one digest are the same code.
type Digest string

// Target is what is rolled back: a CodeDeploy deployment group.
type Target struct {
	Application string `json:"application"`
	Group       string `json:"group"`
}

// String returns "application/group". It is a key of the ledger: stored, must
// not change.
func (t Target) String() string { return t.Application + "/" + t.Group }

// ParseTarget reads what String writes.
func ParseTarget(s string) (Target, error) {
	app, group, ok := strings.Cut(s, "/")
	if !ok || app == "" || group == "" || strings.Contains(group, "/") {
		return Target{}, fmt.Errorf("target %q is not APPLICATION/GROUP", s)
	}
	return Target{Application: app, Group: group}, nil
}

// Status is where a deployment stands, in CodeDeploy's words.
type Status string

// The statuses of CodeDeploy's API model. An unknown one is kept as it is and
// counts as running: what is not known to have ended may still move traffic.
const (
	Created    Status = "Created"
	Queued     Status = "Queued"
	InProgress Status = "InProgress"
	Baking     Status = "Baking"
	Ready      Status = "Ready"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	Stopped    Status = "Stopped"
)

// Ended reports whether the status is final.
func (s Status) Ended() bool { return s == Succeeded || s == Failed || s == Stopped }

// Alias is the Lambda alias through which a deployment moves traffic.
type Alias struct {
	Function string `json:"function"`
	Name     string `json:"name"`
}

// String returns "function:alias", the value of CloudWatch's Resource
// dimension.
func (a Alias) String() string { return a.Function + ":" + a.Name }

// Deployment is one attempt to move a target from one revision to another.
type Deployment struct {
	ID          ID
	Target      Target
	Status      Status
	Creator     string // CodeDeploy's creator, for example "user" or "codeDeployRollback"
	Description string
	Alias       Alias    // empty as long as CodeDeploy does not say
	From, To    Revision // empty as long as CodeDeploy does not say
	Created     time.Time
	Started     time.Time // zero before it starts
	Shifted     time.Time // when traffic began to move to To; zero if it has not
	Ended       time.Time // zero while it runs
	Cause       string    // CodeDeploy's error code, for example "ALARM_ACTIVE"
	RolledBack  ID        // the deployment that rolls this one back, if there is one
	RollsBack   ID        // the deployment that this one rolls back, if it does
	Automatic   bool      // it ended badly in a way after which CodeDeploy rolls it back by itself, be that now or in a moment
}

// Running reports whether the deployment may still move traffic.
func (d Deployment) Running() bool { return !d.Status.Ended() }

// IsRollback reports whether the deployment is itself a rollback: CodeDeploy's
// own, CloudFormation's, or ours. A rollback is never rolled back.
func (d Deployment) IsRollback() bool {
	_, _, ours := ParseMarker(d.Description)
	return ours || d.RollsBack != "" || d.Creator == "codeDeployRollback" || d.Creator == "CloudFormationRollback"
}

// Live is what serves a Lambda alias now.
type Live struct {
	Alias   Alias
	Version Revision
	Weights map[Revision]float64 // share of other versions; empty when one version serves alone
	Token   string               // RevisionId of the alias, for a conditional update
}

// Only reports whether r alone serves the alias.
func (l Live) Only(r Revision) bool { return l.Version == r && len(l.Weights) == 0 }

// Restore is a deployment that puts a revision back.
type Restore struct {
	Target   Target
	Alias    Alias
	From, To Revision
	Marker   string // for the description; see [Marker]
}
