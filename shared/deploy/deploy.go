// Package deploy names the things pullback talks about: deployments, the
// targets they change and the revisions they move between.
//
// It knows nothing of AWS clients, clocks or logs.
package deploy

import (
	"time"
)

// ID is CodeDeploy's name for one deployment, for example "d-ABCDEF123".
type ID string

// Revision names one thing that can be live, as its kind of target names it: a
// Lambda version ("7"), a task definition ("web:12"), a revision of CodeDeploy's
// on servers ("s3://bucket/key?etag=…"), a version of a launch template
// ("lt-0abc:3"), an execution of a pipeline. The empty Revision means "not known".
type Revision string

// Digest names a revision's code, as AWS states it: CodeSha256 of a Lambda
// version, the digests of a task definition's images, the ETag of a bundle. Two
// revisions with one digest are the same code.
type Digest string

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
	ID           ID
	Target       Target
	Platform     Platform // of a deployment group; empty for other kinds of target
	Status       Status
	Creator      string // CodeDeploy's creator, for example "user" or "codeDeployRollback"
	Description  string
	Alias        Alias    // empty as long as CodeDeploy does not say
	From, To     Revision // empty as long as CodeDeploy does not say
	Created      time.Time
	Started      time.Time // zero before it starts
	Shifted      time.Time // when traffic began to move to To; zero if it has not
	Alone        time.Time // when To began to serve alone while the deployment goes on, with what served before still there; zero if it did not, or if that is not known
	Ended        time.Time // zero while it runs
	Cause        string    // CodeDeploy's error code, for example "ALARM_ACTIVE"
	FailedIn     string    // the lifecycle event that failed first, on servers, for example "ApplicationStop"
	RolledBack   ID        // the deployment that rolls this one back, if there is one
	RollsBack    ID        // the deployment that this one rolls back, if it does
	Content      string    // what CodeDeploy does with files that are there already, on servers: DISALLOW, OVERWRITE, RETAIN
	Waiting      string    // the hook that it waits for; empty if it waits for none
	WaitingSince time.Time
	Terminating  bool // all traffic has moved: it runs on until what served before is terminated
	Automatic    bool // it ended badly in a way after which CodeDeploy rolls it back by itself, be that now or in a moment
}

// Running reports whether the deployment may still move traffic.
func (d Deployment) Running() bool { return !d.Status.Ended() }

// Settled returns since when To serves alone: zero while it does not.
func (d Deployment) Settled() time.Time {
	if !d.Alone.IsZero() {
		return d.Alone
	}
	if d.Status == Succeeded {
		return d.Ended
	}
	return time.Time{}
}

// IsRollback reports whether the deployment is itself a rollback: CodeDeploy's
// own, CloudFormation's, CodePipeline's, or ours. A rollback is never rolled back.
func (d Deployment) IsRollback() bool {
	_, _, ours := ParseMarker(d.Description)
	if ours || d.RollsBack != "" {
		return true
	}
	switch d.Creator {
	case "codeDeployRollback", stackRollback, "ManualRollback", "AutomatedRollback":
		return true
	default:
		return false
	}
}

// stackRollback is CodeDeploy's word for CloudFormation that takes the update of a
// stack back.
const stackRollback = "CloudFormationRollback"

// OfStack reports whether CloudFormation takes the update of a stack back. It then
// goes to what the stack said before, and that may be what was taken back since: a
// stack does not know of that.
func (d Deployment) OfStack() bool { return d.Creator == stackRollback }

// Place returns where the deployment moves revisions.
func (d Deployment) Place() Place {
	return Place{Target: d.Target, Platform: d.Platform, Alias: d.Alias}
}

// Live is what serves a target now.
type Live struct {
	Place   Place
	Version Revision             // that serves most; empty if nothing serves
	Weights map[Revision]float64 // share of other versions, from 0 to 1; empty when one version serves alone
	Token   string               // for a conditional update, such as the RevisionId of an alias
	Stuck   string               // why a new deployment would fail on what is left of the last one, so that it has to be healed first; empty if none would
}

// Only reports whether r alone serves the target.
func (l Live) Only(r Revision) bool { return l.Version == r && len(l.Weights) == 0 }

// Restore is a deployment that puts a revision back.
type Restore struct {
	Place    Place
	From, To Revision
	Marker   string // for the description, where there is one; see [Marker]
	Attempt  int    // 1 for the first; a further one goes past what stopped the one before, where AWS can
	Content  string // Deployment.Content of the deployment that brought To
}

// Success is a deployment that ended well, as AWS remembers it.
type Success struct {
	Deployment ID
	Revision   Revision
	Ended      time.Time
	Content    string // see Deployment.Content
}
