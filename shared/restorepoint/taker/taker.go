// Package taker takes the restore point of a deployment before the deployment
// changes anything, and keeps it in the ledger.
//
// It may be called again after a crash at any point, and by two at once: there is
// one restore point for a deployment. It never restores and never deletes.
package taker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// Store is what is needed of the ledger.
type Store interface {
	OpenRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, bool, error)
	RestorePoint(ctx context.Context, t deploy.Target, id ledger.PointID) (ledger.RestorePoint, error)
	SaveRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error)
}

// AWS is what is needed of AWS.
type AWS interface {
	// Find returns what there is to keep by a policy before a deployment:
	// deploy.ErrNotReady if AWS does not say yet what the deployment changes.
	Find(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) ([]ledger.Kept, error)
	// Look returns what a restore point keeps as it is now, in the same order.
	Look(ctx context.Context, p ledger.RestorePoint) ([]ledger.Kept, error)
	// Snapshot takes snapshots of all volumes of an instance, or of the volume that
	// an ARN names, tagged with the point, and returns them by volume. It makes one attempt: after an error that
	// leaves the outcome open, Look finds what there is. restorepoint.ErrRefused.
	Snapshot(ctx context.Context, p ledger.RestorePoint, resource string) (map[string]string, error)
	// Backup starts a backup job, or finds the one that was started, and returns k
	// with it: restorepoint.ErrRefused.
	Backup(ctx context.Context, p ledger.RestorePoint, k ledger.Kept) (ledger.Kept, error)
}

// Taker takes restore points.
type Taker struct {
	store Store
	aws   AWS
	now   func() time.Time
}

// New returns a taker.
func New(store Store, aws AWS, now func() time.Time) *Taker {
	return &Taker{store: store, aws: aws, now: now}
}

const (
	// tries is how often a point is read again that somebody else has written.
	tries = 10
	// patience is how long a snapshot that AWS was asked for is looked for before
	// AWS is asked again. What is made can be missing from lists for seconds, and
	// at most for a few minutes (EC2 developer guide, "Eventual consistency").
	patience = 2 * time.Minute
)

// Take takes the restore point of a deployment, or looks how far it is, and
// returns it as it is on record; an empty one if none is wanted. obstacle says
// why the deployment must not go on now. As long as the point is pending it may
// yet: take again later. After an error take again: what was begun is found.
// Until there is an answer without an error nothing is promised.
func (t *Taker) Take(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) (point ledger.RestorePoint, obstacle string, err error) {
	if !restorepoint.Wanted(p, d) {
		return ledger.RestorePoint{}, "", nil
	}
	if err := p.Check(); err != nil {
		return ledger.RestorePoint{}, "", fmt.Errorf("restore point for %s on %s: the policy is wrong: %w", d.ID, d.Target, err)
	}
	point, err = t.begun(ctx, d, p)
	for try := 1; err == nil && point.State == ledger.PointPending; try++ {
		var saved ledger.RestorePoint
		saved, err = t.advance(ctx, point)
		if !errors.Is(err, ledger.ErrFenced) || try == tries {
			point = saved
			break
		}
		point, err = t.store.RestorePoint(ctx, d.Target, point.ID)
	}
	if err != nil {
		return ledger.RestorePoint{}, "", fmt.Errorf("restore point for %s on %s: %w", d.ID, d.Target, err)
	}
	return point, restorepoint.Gate(p, point), nil
}

// Point returns the restore point of a deployment as it is on record:
// ledger.ErrNotFound.
func (t *Taker) Point(ctx context.Context, d deploy.Deployment) (ledger.RestorePoint, error) {
	return t.store.RestorePoint(ctx, d.Target, ledger.PointOf(d.Target, d.ID)) //nolint:wrapcheck // callers branch on it
}

// begun returns the point as it is on record, where it stands before anything is
// kept: what it is to keep is known after any crash.
func (t *Taker) begun(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) (ledger.RestorePoint, error) {
	point, err := t.Point(ctx, d)
	if !errors.Is(err, ledger.ErrNotFound) {
		return point, err
	}
	found, err := t.aws.Find(ctx, d, p)
	if err != nil {
		return ledger.RestorePoint{}, err
	}
	point = restorepoint.Begin(p, d, found)
	point.At = t.now()
	point, _, err = t.store.OpenRestorePoint(ctx, point)
	return point, err
}

// Refresh looks how far a restore point is and keeps that; it begins nothing.
func (t *Taker) Refresh(ctx context.Context, point ledger.RestorePoint) (ledger.RestorePoint, error) {
	if point.State != ledger.PointPending {
		return point, nil
	}
	kept, err := t.aws.Look(ctx, point)
	if err != nil {
		return ledger.RestorePoint{}, fmt.Errorf("look at restore point %s: %w", point.ID, err)
	}
	return t.save(ctx, point, kept)
}

// advance begins what was not begun and keeps how far it is.
func (t *Taker) advance(ctx context.Context, point ledger.RestorePoint) (ledger.RestorePoint, error) {
	kept, err := t.aws.Look(ctx, point)
	if err != nil {
		return ledger.RestorePoint{}, err
	}
	if point.Kind == ledger.Backup {
		err = t.backUp(ctx, point, kept)
	} else {
		point, kept, err = t.snapshot(ctx, point, kept)
	}
	if errors.Is(err, ledger.ErrFenced) {
		return ledger.RestorePoint{}, err
	}
	// What is known is kept even if something else failed.
	saved, failed := t.save(ctx, point, kept)
	return saved, errors.Join(err, failed)
}

func (t *Taker) save(ctx context.Context, point ledger.RestorePoint, kept []ledger.Kept) (ledger.RestorePoint, error) {
	state, because := restorepoint.Judge(kept)
	if state == point.State && because == point.Because && slices.Equal(kept, point.Kept) {
		return point, nil
	}
	point.Kept, point.State, point.Because = kept, state, because
	return t.store.SaveRestorePoint(ctx, point)
}

// backUp starts the jobs that were not started.
func (t *Taker) backUp(ctx context.Context, point ledger.RestorePoint, kept []ledger.Kept) error {
	for n, k := range kept {
		if k.Job != "" || k.State != ledger.PointPending {
			continue
		}
		started, err := t.aws.Backup(ctx, point, k)
		switch {
		case errors.Is(err, restorepoint.ErrRefused):
			kept[n].State, kept[n].Because = ledger.PointFailed, err.Error()
		case err != nil:
			return err
		default:
			kept[n] = started
		}
	}
	return nil
}

// snapshot takes snapshots of the instances that have none. That AWS is about to
// be asked is on record first: of two takers one asks, and after a lost answer
// nobody asks again until a look must have shown what there is.
func (t *Taker) snapshot(ctx context.Context, point ledger.RestorePoint, kept []ledger.Kept) (ledger.RestorePoint, []ledger.Kept, error) {
	for _, resource := range untaken(kept, t.now().Add(-patience)) {
		of(kept, resource, func(k *ledger.Kept) { k.Asked = t.now().UTC() })
		marked, err := t.save(ctx, point, kept)
		if err != nil {
			return point, kept, err
		}
		point, kept = marked, slices.Clone(kept)
		taken, err := t.aws.Snapshot(ctx, point, resource)
		switch {
		case errors.Is(err, restorepoint.ErrRefused):
			of(kept, resource, func(k *ledger.Kept) { k.State, k.Because = ledger.PointFailed, err.Error() })
		case err != nil:
			return point, kept, err
		default:
			of(kept, resource, func(k *ledger.Kept) { took(k, taken) })
		}
	}
	return point, kept, nil
}

// took notes the snapshot of a volume.
func took(k *ledger.Kept, snapshots map[string]string) {
	k.Snapshot = snapshots[k.Volume]
	if k.Snapshot == "" {
		k.State, k.Because = ledger.PointFailed, "the volume was detached before the snapshots were taken"
	}
}

// of changes what is kept of a resource.
func of(kept []ledger.Kept, resource string, change func(*ledger.Kept)) {
	for n := range kept {
		if kept[n].Resource == resource {
			change(&kept[n])
		}
	}
}

// untaken are the resources of which no snapshot is known and for which AWS was
// not asked since, in order. The snapshots of an instance are taken by one call.
func untaken(kept []ledger.Kept, since time.Time) []string {
	settled := map[string]bool{}
	for _, k := range kept {
		if k.Snapshot != "" || k.State != ledger.PointPending || k.Asked.After(since) {
			settled[k.Resource] = true
		}
	}
	var all []string
	for _, k := range kept {
		if !settled[k.Resource] {
			all = append(all, k.Resource)
			settled[k.Resource] = true
		}
	}
	return all
}
