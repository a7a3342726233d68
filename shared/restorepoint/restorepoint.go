// Package restorepoint decides about restore points: whether a deployment gets
// one, whether it may go on without, and by which calls a human puts the data
// back.
//
// It calls nothing. A plan is text until a human confirms it: no function of
// pullback restores data.
package restorepoint

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Tag is the tag by which the snapshots of a restore point are found again; its
// value is the point's id. CreateSnapshots has no client token.
const Tag = "pullback:restore-point"

// MadeBy is the tag of what a restoration has made; its value is the
// restoration's token.
const MadeBy = "pullback:restored-by"

// Most is how many volumes or resources one restore point holds: it is kept in
// one item of the ledger, which takes 400 KB (DynamoDB developer guide,
// "Quotas"), and one of them needs less than 1 KB.
const Most = 300

// ErrRefused says that AWS will not do it however often it is asked.
var ErrRefused = errors.New("refused by AWS")

// Policy is what is kept before a target is deployed to.
type Policy struct {
	Kind      ledger.PointKind // empty: nothing
	Instances bool             // all volumes of the instances that the deployment changes are kept
	Resources []string         // ARNs of what is kept, too: of volumes, or for a backup of anything that AWS Backup knows
	Vault     string           // of a backup
	Role      string           // of a backup: ARN, with which AWS Backup works
	Wait      bool             // the deployment waits until the snapshots are complete, and is refused if one fails
}

// Check reports everything that is wrong with a policy.
func (p Policy) Check() error {
	var errs []error
	switch p.Kind {
	case "":
		return nil
	case ledger.Snapshots:
	case ledger.Backup:
		errs = append(errs, p.checkBackup()...)
	default:
		errs = append(errs, fmt.Errorf("kind is none, %s or %s, not %q", ledger.Snapshots, ledger.Backup, p.Kind))
	}
	if !p.Instances && len(p.Resources) == 0 {
		errs = append(errs, errors.New("there is nothing to keep: keep the volumes of instances, or name resources"))
	}
	for _, arn := range p.Resources {
		_, isVolume := VolumeIn(arn)
		switch {
		case !strings.HasPrefix(arn, "arn:"):
			errs = append(errs, fmt.Errorf("resource %q is not an ARN", arn))
		case p.Kind == ledger.Snapshots && !isVolume:
			errs = append(errs, fmt.Errorf("resource %q is not a volume: only kind backup keeps it", arn))
		}
	}
	return errors.Join(errs...)
}

func (p Policy) checkBackup() []error {
	var errs []error
	if p.Wait {
		// Developer guide, "Creating an on-demand backup": a job begins at any time
		// within its start window, which is an hour at least.
		errs = append(errs, errors.New("wait is for kind snapshots: a backup job may wait for hours before it begins"))
	}
	if p.Vault == "" {
		errs = append(errs, errors.New("vault is missing: the name of a backup vault"))
	}
	if !strings.Contains(p.Role, ":role/") {
		errs = append(errs, fmt.Errorf("role is %q, not the ARN of a role that AWS Backup may take", p.Role))
	}
	return errs
}

// VolumeIn returns the EBS volume that an ARN names.
func VolumeIn(arn string) (volume string, ok bool) {
	before, volume, ok := strings.Cut(arn, ":volume/")
	return volume, ok && strings.HasPrefix(before, "arn:") && strings.Contains(before, ":ec2:")
}

// Wanted reports whether a deployment gets a restore point: not if the policy
// says so, not if it has ended, and never if it is a rollback, which nothing may
// hold up.
func Wanted(p Policy, d deploy.Deployment) bool {
	return p.Kind != "" && d.Running() && !d.IsRollback()
}

// Begin returns the restore point of a deployment before anything is kept, where
// found is what there is to keep.
func Begin(p Policy, d deploy.Deployment, found []ledger.Kept) ledger.RestorePoint {
	r := ledger.RestorePoint{ID: ledger.PointOf(d.Target, d.ID), Target: d.Target, Deployment: d.ID, Kind: p.Kind, Kept: found}
	switch {
	case len(found) == 0:
		r.State, r.Because = ledger.PointFailed, "the deployment changes no EC2 instances, and no resources are named: there is nothing to keep"
	case len(found) > Most:
		r.State, r.Because = ledger.PointFailed, fmt.Sprintf("there are %d volumes and resources: at most %d are kept", len(found), Most)
		r.Kept = nil
	default:
		r.State = ledger.PointPending
	}
	return r
}

// Judge returns how far a restore point is by what it keeps, with the reason if
// something of it failed. One thing that is missing makes it fail, once the rest is
// settled: half of the data of one moment is no way back.
func Judge(kept []ledger.Kept) (state ledger.PointState, because string) {
	pending, failed := false, 0
	for _, k := range kept {
		switch k.State {
		case ledger.PointReady:
		case ledger.PointFailed:
			if failed++; failed == 1 {
				because = fmt.Sprintf("%s: %s", Name(k), k.Because)
			}
		default:
			pending = true
		}
	}
	if failed > 1 {
		because += fmt.Sprintf(", and %d more", failed-1)
	}
	switch {
	case pending:
		return ledger.PointPending, because
	case failed > 0:
		return ledger.PointFailed, because
	default:
		return ledger.PointReady, ""
	}
}

// Name says for people what is kept.
func Name(k ledger.Kept) string {
	switch {
	case k.Volume != "" && k.Instance != "":
		return fmt.Sprintf("%s of %s", k.Volume, k.Instance)
	case k.Volume != "":
		return k.Volume
	}
	return k.Resource
}

// Gate returns why a deployment must not go on now; empty if it may. While the
// point is pending and nothing of it has failed, that will change. What a snapshot holds is what was written
// when it was begun (API reference, CreateSnapshot), so it need not be complete.
func Gate(p Policy, r ledger.RestorePoint) string {
	switch {
	case r.State == ledger.PointReady:
		return ""
	case p.Wait && r.Because != "":
		return fmt.Sprintf("there is no restore point (%s): %s", r.ID, r.Because)
	case r.State == ledger.PointPending && !begun(r.Kept):
		return fmt.Sprintf("restore point %s is not known to be begun yet", r.ID)
	case r.State == ledger.PointPending && p.Wait:
		return fmt.Sprintf("restore point %s is not complete yet", r.ID)
	default:
		return ""
	}
}

// Waits reports whether a deployment has to wait for its restore point, which may yet
// become whole.
func Waits(p Policy, r ledger.RestorePoint) bool {
	return r.State == ledger.PointPending && r.Because == "" && Gate(p, r) != ""
}

// TooLate says that a deployment has waited for its restore point as long as it may.
func TooLate(r ledger.RestorePoint, limit time.Duration) string {
	return fmt.Sprintf("restore point %s was not complete after %s, and hookTimeout is no longer; next: say a longer hookTimeout for %s, up to 59m, or no wait, and deploy again",
		r.ID, limit, r.Target)
}

// Describe says for people how a restore point is.
func Describe(r ledger.RestorePoint) string {
	what := map[ledger.PointKind]string{ledger.Snapshots: "EBS snapshots", ledger.Backup: "jobs of AWS Backup"}[r.Kind]
	next := fmt.Sprintf("next, if it is needed: pullback restore %s --plan", r.Target)
	switch {
	case r.State == ledger.PointReady:
		return fmt.Sprintf("restore point %s is complete (%s: %d); %s", r.ID, what, len(r.Kept), next)
	case r.State == ledger.PointFailed:
		return fmt.Sprintf("there is no restore point (%s): %s", r.ID, r.Because)
	case r.Because != "":
		return fmt.Sprintf("restore point %s will not be whole: %s", r.ID, r.Because)
	default:
		return fmt.Sprintf("restore point %s is begun (%s: %d); %s", r.ID, what, len(r.Kept), next)
	}
}

func begun(kept []ledger.Kept) bool {
	for _, k := range kept {
		if k.State == ledger.PointPending && k.Snapshot == "" && k.Job == "" {
			return false
		}
	}
	return true
}
