package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// PointID names a restore point.
type PointID string

// PointOf returns the id of the restore point of a deployment. It is derived from
// the two, so that an attempt that crashed is found again. Stored, must not
// change.
func PointOf(t deploy.Target, d deploy.ID) PointID {
	sum := sha256.Sum256([]byte(t.String() + "\x00" + string(d)))
	return PointID("rp-" + hex.EncodeToString(sum[:6]))
}

// PointKind is how data is kept.
type PointKind string

// The kinds. Stored, must not change.
const (
	Snapshots PointKind = "snapshots" // EBS snapshots of instances' volumes
	Backup    PointKind = "backup"    // jobs of AWS Backup
)

// PointState is how far a restore point is, or one thing in it.
type PointState string

// The states. Stored, must not change.
const (
	PointPending PointState = "pending" // asked for
	PointReady   PointState = "ready"   // whole
	PointFailed  PointState = "failed"  // there is none, or not all of it
)

// RestorePoint is data as it was before a deployment.
type RestorePoint struct {
	ID         PointID       `json:"id"`
	Target     deploy.Target `json:"target"`
	Deployment deploy.ID     `json:"deployment"`
	Kind       PointKind     `json:"kind"`
	State      PointState    `json:"state"`
	Because    string        `json:"because,omitempty"` // why it failed, or something in it
	Kept       []Kept        `json:"kept,omitempty"`
	At         time.Time     `json:"at"`
	Restored   []Restoration `json:"restored,omitempty"` // oldest first

	Rev int `json:"rev"` // counts writes; a write states the Rev it read
}

// Kept is one thing in a restore point: a volume of an instance, or a resource
// that AWS Backup knows.
type Kept struct {
	Resource string     `json:"resource"` // what AWS is asked to keep: an instance's id, of which all volumes are kept, or an ARN
	State    PointState `json:"state"`
	Because  string     `json:"because,omitempty"` // why it failed
	Asked    time.Time  `json:"asked,omitzero"`    // when AWS was last asked to keep it

	Instance   string `json:"instance,omitempty"` // that the volume is attached to
	Volume     string `json:"volume,omitempty"`
	Device     string `json:"device,omitempty"` // where the volume is attached
	Root       bool   `json:"root,omitempty"`   // the instance starts from it
	Zone       string `json:"zone,omitempty"`
	Type       string `json:"type,omitempty"` // of the volume
	IOPS       int32  `json:"iops,omitempty"`
	Throughput int32  `json:"throughput,omitempty"`
	Snapshot   string `json:"snapshot,omitempty"`

	Vault string `json:"vault,omitempty"`
	Role  string `json:"role,omitempty"` // with which AWS Backup works
	Job   string `json:"job,omitempty"`
	Point string `json:"point,omitempty"` // ARN of the recovery point
}

// Restoration is one time that a human put a restore point's data back.
type Restoration struct {
	By      string    `json:"by"`
	Because string    `json:"because"`
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended,omitzero"` // zero as long as it is not done to the end
}
