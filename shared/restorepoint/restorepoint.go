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

// Answer is what becomes of a deployment whose restore point cannot be had.
type Answer string

// The answers. Warn is meant where none is given.
const (
	Warn   Answer = "warn"
	Refuse Answer = "refuse"
)

// Policy is what is kept before a target is deployed to.
type Policy struct {
	Kind      ledger.PointKind // empty: nothing
	Wait      bool             // the deployment waits until the snapshots are complete
	Otherwise Answer           // if there is no restore point

	// Of a backup.
	Vault     string
	Role      string   // ARN, with which AWS Backup works
	Resources []string // ARNs
}

// Check reports everything that is wrong with a policy.
func (p Policy) Check() error {
	var errs []error
	if p.Otherwise != "" && p.Otherwise != Warn && p.Otherwise != Refuse {
		errs = append(errs, fmt.Errorf("otherwise is %s or %s, not %q", Warn, Refuse, p.Otherwise))
	}
	switch p.Kind {
	case "":
	case ledger.Snapshots:
		if p.Vault != "" || p.Role != "" || len(p.Resources) > 0 {
			errs = append(errs, errors.New("vault, role and resources are for kind backup: snapshots are taken of the instances that the deployment changes"))
		}
	case ledger.Backup:
		errs = append(errs, p.checkBackup()...)
	default:
		errs = append(errs, fmt.Errorf("kind is none, %s or %s, not %q", ledger.Snapshots, ledger.Backup, p.Kind))
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
	if len(p.Resources) == 0 {
		errs = append(errs, errors.New("resources are missing: the ARNs of what to back up"))
	}
	if len(p.Resources) > Most {
		errs = append(errs, fmt.Errorf("%d resources are too many: at most %d", len(p.Resources), Most))
	}
	for _, arn := range p.Resources {
		if !strings.HasPrefix(arn, "arn:") {
			errs = append(errs, fmt.Errorf("resource %q is not an ARN", arn))
		}
	}
	return errs
}

// Wanted reports whether a deployment gets a restore point: not if the policy
// says so, not if it has ended, and never if it is a rollback, which nothing may
// hold up.
func Wanted(p Policy, d deploy.Deployment) bool {
	return p.Kind != "" && d.Running() && !d.IsRollback()
}

// resources are what a backup keeps by this policy.
func (p Policy) resources() []ledger.Kept {
	var all []ledger.Kept
	for _, arn := range p.Resources {
		all = append(all, ledger.Kept{Resource: arn, State: ledger.PointPending, Vault: p.Vault, Role: p.Role})
	}
	return all
}

// Begin returns the restore point of a deployment before anything is kept. found
// are the volumes that the deployment changes; a backup keeps what the policy
// names.
func Begin(p Policy, d deploy.Deployment, found []ledger.Kept) ledger.RestorePoint {
	r := ledger.RestorePoint{ID: ledger.PointOf(d.Target, d.ID), Target: d.Target, Deployment: d.ID, Kind: p.Kind, State: ledger.PointPending, Kept: found}
	if p.Kind == ledger.Backup {
		r.Kept = p.resources()
	}
	switch {
	case len(r.Kept) == 0:
		r.State, r.Because = ledger.PointFailed, "the deployment changes no EC2 instances: there are no volumes to take snapshots of; kind backup keeps other resources"
	case len(r.Kept) > Most:
		r.State, r.Because = ledger.PointFailed, fmt.Sprintf("the deployment changes %d volumes: at most %d are kept", len(r.Kept), Most)
		r.Kept = nil
	}
	return r
}

// Judge returns how far a restore point is by what it keeps, with the reason for
// a failure. One thing that is missing makes it fail: half of the data of one
// moment is no way back.
func Judge(kept []ledger.Kept) (ledger.PointState, string) {
	state, failed, because := ledger.PointReady, 0, ""
	for _, k := range kept {
		switch k.State {
		case ledger.PointReady:
		case ledger.PointFailed:
			if failed++; failed == 1 {
				because = fmt.Sprintf("%s: %s", Name(k), k.Because)
			}
		default:
			state = ledger.PointPending
		}
	}
	if failed == 0 {
		return state, ""
	}
	if failed > 1 {
		because += fmt.Sprintf(", and %d more", failed-1)
	}
	return ledger.PointFailed, because
}

// Name says for people what is kept.
func Name(k ledger.Kept) string {
	if k.Volume != "" {
		return fmt.Sprintf("%s of %s", k.Volume, k.Resource)
	}
	return k.Resource
}

// Gate returns why a deployment must not go on now; empty if it may. While the
// point is pending, that may change. What a snapshot holds is what was written
// when it was begun (API reference, CreateSnapshot), so it need not be complete.
func Gate(p Policy, r ledger.RestorePoint) string {
	switch {
	case r.State == ledger.PointReady:
		return ""
	case r.State == ledger.PointPending && !begun(r.Kept):
		return fmt.Sprintf("restore point %s is not known to be begun yet", r.ID)
	case r.State == ledger.PointPending && p.Wait:
		return fmt.Sprintf("restore point %s is not complete yet", r.ID)
	case r.State == ledger.PointFailed && p.Otherwise == Refuse:
		return fmt.Sprintf("there is no restore point (%s): %s", r.ID, r.Because)
	default:
		return ""
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
