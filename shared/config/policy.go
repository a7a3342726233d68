package config

import (
	"time"

	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/settings"
)

// The tags of the fields are the only place that spells the names and limits:
// Parse, the tags on AWS and the JSON Schema all follow them. "say" is what is
// allowed, in words; "zero" allows a duration of nothing, "below" limits it; "or" is
// a word that may stand where JSON is expected.

// Defaults is what holds for every target.
type Defaults struct {
	Policy

	MaxPerAccount Cap `json:"maxPerAccount" jsonschema_description:"Stop the line: more automatic rollbacks than this, of different targets of the account, have a common cause; pullback halts and calls a human."`
}

// Policy is what pullback does with one target.
type Policy struct {
	Mode            settings.Mode   `json:"mode" jsonschema:"enum=enforce,enum=observe" jsonschema_description:"enforce: act. observe: record what would be done, and change nothing."`
	Bake            time.Duration   `json:"bake" jsonschema_description:"A revision that served alone this long without trouble is known good; for as long a finished deployment can be blamed."`
	Grace           time.Duration   `json:"grace" zero:"yes" jsonschema_description:"How long after the bake a signal about a deployment is still listened to."`
	Verify          time.Duration   `json:"verify" jsonschema_description:"A rollback that has not succeeded after this long is escalated."`
	Judge           Judge           `json:"judge" jsonschema_description:"How a new version's errors are judged."`
	Smoke           string          `json:"smoke" or:"off" say:"JSON or off" jsonschema_description:"JSON, as text, with which a new version is invoked before it has traffic. off: it is not invoked."`
	MaxPerTarget    Cap             `json:"maxPerTarget" jsonschema_description:"Automatic rollbacks of one target; after that it is held and a human called."`
	NotReady        NotReady        `json:"notReady" jsonschema:"enum=warn,enum=refuse" jsonschema_description:"What becomes of a deployment while the known-good revision could not be put back. warn: it goes on and people are told. refuse: it is stopped before it has traffic."`
	FirstDeployment FirstDeployment `json:"firstDeployment" jsonschema:"enum=hold,enum=scale-to-zero" jsonschema_description:"What to do with a bad first deployment, which has nothing to go back to. hold: hold the target and call a human. scale-to-zero: take it out of service, too."`
	Hold            Hold            `json:"hold" jsonschema_description:"What is held after a rollback besides the target."`
	RestorePoint    RestorePoint    `json:"restorePoint" jsonschema_description:"What is kept of the data before a deployment, for a human to go back to. pullback never restores data by itself."`
	HookTimeout     time.Duration   `json:"hookTimeout" below:"1h" jsonschema_description:"A hook that has not answered after this long is answered by the watchdog. Less than 1h, after which CodeDeploy fails it by itself."`
}

// Judge says how errors are judged. See docs/judging.md.
type Judge struct {
	Alpha   float64       `json:"alpha" jsonschema:"minimum=0.000001,maximum=0.5" jsonschema_description:"Probability of taking a good version back, per deployment."`
	Rho     float64       `json:"rho" jsonschema:"minimum=1,maximum=100" jsonschema_description:"Tolerated odds ratio: a new version may fail this many times as often."`
	Routing health.Mode   `json:"routing" jsonschema:"enum=request,enum=sticky" jsonschema_description:"request: each request finds its version by itself. sticky: clients stick to a version, so their requests fail together."`
	Phi     float64       `json:"phi" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"How many times more than by chance the old version's errors vary from minute to minute, with sticky routing."`
	Guard   int           `json:"guard" jsonschema:"minimum=0,maximum=12" jsonschema_description:"Points (of 10 s or 60 s) by which an outage of something common may reach one version later than the other; costs as much delay."`
	WarmUp  time.Duration `json:"warmUp" zero:"yes" jsonschema_description:"How much of a canary's beginning is not counted, for cold starts."`
	Latency bool          `json:"latency" jsonschema_description:"Judge latency, too."`
	Logs    bool          `json:"logs" jsonschema_description:"Read the log of functions while they are watched, by a subscription: finds trouble in seconds instead of minutes."`
	Strict  bool          `json:"strict" jsonschema_description:"Hooks refuse what could not be judged."`
}

// Cap is how often something may happen in a window of time.
type Cap struct {
	Count  int           `json:"count" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"How many automatic rollbacks; one more calls a human instead."`
	Window time.Duration `json:"window" jsonschema_description:"The time in which they are counted."`
}

// NotReady is what becomes of a deployment while the known-good revision could
// not be put back.
type NotReady string

// What may become of it.
const (
	Warn   NotReady = "warn"
	Refuse NotReady = "refuse"
)

// FirstDeployment is what to do with a bad first deployment.
type FirstDeployment string

// What can be done without anything to go back to.
const (
	HoldFirst   FirstDeployment = "hold"
	ScaleToZero FirstDeployment = "scale-to-zero"
)

// Hold says what is held after a rollback.
type Hold struct {
	Next bool `json:"next" jsonschema_description:"Hold the next stage of the target's pipelines, too."`
}

// RestorePoint is what is kept of the data before a deployment.
type RestorePoint struct {
	Kind      RestoreKind `json:"kind" jsonschema:"enum=none,enum=snapshots,enum=backup" jsonschema_description:"none. snapshots: EBS snapshots of volumes; what they hold is fixed when they are asked for. backup: AWS Backup jobs, which may begin an hour later."`
	VolumesOf VolumesOf   `json:"volumesOf" jsonschema:"enum=instances,enum=none" jsonschema_description:"instances: all volumes of the instances that the target deploys to. none: only what resources names."`
	Resources []string    `json:"resources" jsonschema:"pattern=^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$,uniqueItems=true" say:"an ARN" jsonschema_description:"ARNs of what is kept, too: volumes for snapshots; for backup anything that AWS Backup knows, such as a DynamoDB table."`
	Vault     string      `json:"vault" jsonschema:"pattern=^[a-zA-Z0-9_-]+$" say:"the name of a backup vault" jsonschema_description:"backup: the vault."`
	Role      string      `json:"role" jsonschema:"pattern=^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$" say:"the ARN of a role" jsonschema_description:"backup: ARN of the role with which AWS Backup reads."`
	Wait      bool        `json:"wait" jsonschema_description:"snapshots: the deployment waits until they are complete, and is refused if they cannot be made."`
}

// RestoreKind is the kind of a restore point.
type RestoreKind string

// The kinds.
const (
	NoRestorePoint RestoreKind = "none"
	Snapshots      RestoreKind = "snapshots"
	Backup         RestoreKind = "backup"
)

// VolumesOf says whose volumes are kept.
type VolumesOf string

// Whose.
const (
	OfInstances VolumesOf = "instances"
	OfNobody    VolumesOf = "none"
)
