package restorepoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Resumable is how long a restoration that did not end is gone on with. AWS
// remembers client tokens for a time only: EC2 a day at least (API reference,
// "Ensuring idempotency"), AWS Backup an hour (older editions of the API
// reference, StartRestoreJob; it has not said since).
const Resumable = time.Hour

// Place is how things are now where something kept would be put back.
type Place struct {
	Instance string            // its state in EC2's words; empty if there is no such instance
	Attached string            // the volume that is attached where the kept one was
	Done     bool              // what is there now was put there by this restoration
	Metadata map[string]string // what AWS Backup wants to be told, of a recovery point
}

// Plan is how a restore point's data is put back.
type Plan struct {
	Point      ledger.PointID `json:"point"`
	Target     deploy.Target  `json:"target"`
	Deployment deploy.ID      `json:"deployment"`
	At         time.Time      `json:"at"`    // when the data was like that
	Token      string         `json:"token"` // of the restoration; repeated calls with it have one effect
	Obstacles  []string       `json:"obstacles,omitempty"`
	Warnings   []string       `json:"warnings"`
	Steps      []Step         `json:"steps"`
}

// Number is which restoration of a point comes next, from 1, and whether it goes
// on with one that did not end.
func Number(p ledger.RestorePoint, now time.Time) (n int, resumed bool) {
	n = len(p.Restored)
	if n > 0 && p.Restored[n-1].Ended.IsZero() && now.Sub(p.Restored[n-1].Begun) < Resumable {
		return n, true
	}
	return n + 1, false
}

// Token names a point's restoration, as its tag and at the start of client
// tokens.
func Token(p ledger.PointID, number int) string { return fmt.Sprintf("%s:%d", p, number) }

// clientToken is a client token for one call of a restoration.
func clientToken(token, of string) string {
	sum := sha256.Sum256([]byte(token + "\x00" + of))
	return "pullback-" + hex.EncodeToString(sum[:16])
}

// Lay lays out how a point's data is put back, where places are those of p.Kept.
// set is told to AWS Backup besides what it has remembered.
//
// All new volumes are made before anything is taken away, data volumes are
// swapped before the root volume, because replacing that one reboots the
// instance, and nothing is deleted.
func Lay(p ledger.RestorePoint, token string, places []Place, set map[string]string) Plan {
	l := layout{Plan: Plan{Point: p.ID, Target: p.Target, Deployment: p.Deployment, At: p.At, Token: token, Warnings: []string{}, Steps: []Step{}}}
	l.check(p)
	for n, k := range p.Kept {
		switch {
		case k.State == ledger.PointPending:
			l.obstacle("%s is not kept yet: %s", Name(k), waitFor(k))
		case k.State == ledger.PointFailed:
			l.warn("%s was not kept and stays as it is: %s", Name(k), k.Because)
		case places[n].Done:
			l.warn("%s has been put back by this restoration already", Name(k))
			l.done = true
		case p.Kind == ledger.Backup:
			l.recover(n, k, places[n], set)
		case places[n].Instance == "" || places[n].Instance == "terminated":
			l.alone(n, k)
		case k.Root:
			l.root(n, k, places[n])
		default:
			l.data(n, k, places[n])
		}
	}
	l.Steps = append(append(append(l.Steps, l.swap...), l.roots...), l.jobs...)
	l.remind(p)
	return l.Plan
}

// layout is a plan that is being made.
type layout struct {
	Plan

	swap, roots, jobs []Step
	made, done        bool
}

func (l *layout) warn(format string, args ...any) {
	l.Warnings = append(l.Warnings, fmt.Sprintf(format, args...))
}

func (l *layout) obstacle(format string, args ...any) {
	l.Obstacles = append(l.Obstacles, fmt.Sprintf(format, args...))
}

func waitFor(k ledger.Kept) string {
	if k.Job != "" {
		return "aws backup describe-backup-job --backup-job-id " + k.Job
	}
	if k.Snapshot != "" {
		return "aws ec2 wait snapshot-completed --snapshot-ids " + k.Snapshot
	}
	return "nothing was begun for it"
}

func (l *layout) check(p ledger.RestorePoint) {
	if len(p.Kept) == 0 {
		l.obstacle("nothing was kept: %s", p.Because)
	}
}

// create makes a volume of a snapshot, as the kept one was.
func (l *layout) create(n int, k ledger.Kept, does string) string {
	name := fmt.Sprintf("VOLUME_%d", n+1)
	args := []argument{{"SnapshotId", k.Snapshot}, {"AvailabilityZone", k.Zone}}
	if k.Type != "" {
		args = append(args, argument{"VolumeType", k.Type})
	}
	// Volumes of type gp2, st1, sc1 and standard have figures that cannot be asked
	// for (API reference, CreateVolume).
	if k.IOPS > 0 && strings.HasPrefix(k.Type, "io") || k.IOPS > 0 && k.Type == "gp3" {
		args = append(args, argument{"Iops", k.IOPS})
	}
	if k.Throughput > 0 && k.Type == "gp3" {
		args = append(args, argument{"Throughput", k.Throughput})
	}
	args = append(args, argument{"ClientToken", clientToken(l.Token, k.Snapshot)}, argument{"TagSpecifications", tagged("volume", l.Token)})
	l.Steps = append(l.Steps, step(does, "ec2:CreateVolume", name, Available, variable(name), args...))
	l.made = true
	return variable(name)
}

type tagSpecification struct {
	ResourceType string
	Tags         []tag
}

type tag struct{ Key, Value string }

func tagged(kind, token string) []tagSpecification {
	return []tagSpecification{{ResourceType: kind, Tags: []tag{{MadeBy, token}}}}
}

// alone makes a volume for an instance that is gone.
func (l *layout) alone(n int, k ledger.Kept) {
	l.create(n, k, fmt.Sprintf("make a volume in %s of %s, which is %s as it was", k.Zone, k.Snapshot, Name(k)))
	if k.Instance == "" {
		l.warn("%s was attached to nothing, and so is the volume that is made of %s", k.Volume, k.Snapshot)
		return
	}
	l.warn("instance %s is gone: the volume that is made of %s is attached to nothing, and a human decides where it goes", k.Instance, k.Snapshot)
}

// data swaps a data volume.
func (l *layout) data(n int, k ledger.Kept, now Place) {
	if now.Instance != "running" && now.Instance != "stopped" {
		l.obstacle("instance %s is %s: volumes can be attached while it is running or stopped", k.Instance, now.Instance)
		return
	}
	fresh := l.create(n, k, fmt.Sprintf("make a volume of %s, which is %s as it was", k.Snapshot, Name(k)))
	if now.Attached != "" {
		l.swap = append(l.swap, step(fmt.Sprintf("take %s off %s", now.Attached, k.Instance), "ec2:DetachVolume", "", Available, now.Attached,
			argument{"VolumeId", now.Attached}, argument{"InstanceId", k.Instance}, argument{"Device", k.Device}))
		if now.Instance == "running" {
			l.warn("%s is detached from %s while it runs: stop what uses %s and unmount it first, or it stays busy and its newest writes are lost", now.Attached, k.Instance, k.Device)
		}
	}
	l.swap = append(l.swap, step(fmt.Sprintf("attach the new volume to %s as %s", k.Instance, k.Device), "ec2:AttachVolume", "", InUse, fresh,
		argument{"VolumeId", fresh}, argument{"InstanceId", k.Instance}, argument{"Device", k.Device}))
}

// root replaces a root volume, which reboots the instance (EC2 user guide,
// "Replace the root volume for an Amazon EC2 instance without stopping it").
func (l *layout) root(n int, k ledger.Kept, now Place) {
	if now.Instance != "running" {
		l.obstacle("instance %s is %s: its root volume can be replaced while it is running (aws ec2 start-instances --instance-ids %s)", k.Instance, now.Instance, k.Instance)
		return
	}
	name := fmt.Sprintf("TASK_%d", n+1)
	l.roots = append(l.roots, step(fmt.Sprintf("replace the root volume of %s by one of %s, which reboots it", k.Instance, k.Snapshot),
		"ec2:CreateReplaceRootVolumeTask", name, Replaced, variable(name),
		argument{"InstanceId", k.Instance}, argument{"SnapshotId", k.Snapshot}, argument{"ClientToken", clientToken(l.Token, k.Snapshot)},
		argument{"TagSpecifications", tagged("replace-root-volume-task", l.Token)}))
	l.warn("instance %s reboots, and serves nothing meanwhile; what was deployed to its root volume since is gone", k.Instance)
}

// recover lets AWS Backup make a new resource.
func (l *layout) recover(n int, k ledger.Kept, now Place, set map[string]string) {
	metadata := maps.Clone(now.Metadata)
	if metadata == nil {
		metadata = map[string]string{}
	}
	if k.Zone != "" {
		metadata["availabilityZone"] = k.Zone // developer guide, "Restoring an Amazon EBS volume"
	}
	maps.Copy(metadata, set)
	name := fmt.Sprintf("JOB_%d", n+1)
	l.jobs = append(l.jobs, step("let AWS Backup make a new resource of the backup of "+k.Resource, "backup:StartRestoreJob", name, Recovered, variable(name),
		argument{"RecoveryPointArn", k.Point}, argument{"IamRoleArn", k.Role}, argument{"IdempotencyToken", clientToken(l.Token, k.Point)}, argument{"Metadata", metadata}))
}

// remind warns of what is true of all restorations of a kind.
func (l *layout) remind(p ledger.RestorePoint) {
	if len(l.Steps) == 0 && len(l.Obstacles) == 0 && !l.done {
		l.obstacle("nothing of it can be restored")
	}
	l.warn("everything that was written since %s is missing from what is restored", p.At.UTC().Format(time.RFC3339))
	if p.Kind == ledger.Backup {
		l.warn("what is restored is NEW: the old resource stays as it is (%s), and a human moves the traffic", names(p.Kept))
		l.warn("a backup job keeps the data as it is when the job begins to run, which may have been after the deployment changed it")
		return
	}
	l.warn("the snapshots are crash-consistent: an application finds its data as after a power failure")
	if l.made {
		l.warn("new volumes load from S3 as they are read, so they are slow at first; they stay when their instance is terminated; the old ones are kept, and cost, until a human deletes them")
	}
}

func names(kept []ledger.Kept) string {
	var all []string
	for _, k := range kept {
		all = append(all, k.Resource)
	}
	return strings.Join(all, ", ")
}
