package instances

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// maxDeployments is how far back a mixed fleet is looked at, deployment by
// deployment. What an instance runs that none of them has touched is not known.
const maxDeployments = 10

// Live returns what the instances of a group run, by their share: deploy.ErrUnknown.
//
// CodeDeploy does not say it, but what its deployments did to each instance. The
// instances are those of the last deployment to all of them, and those that joined
// since; one that has gone meanwhile counts until the next deployment. An instance
// whose deployment failed counts for the new revision from the moment that the old
// one was stopped: it does not run that any more. One that was not come to, or that
// did not get further than ApplicationStop, counts for what it ran before. Where
// that is not known it counts for no revision.
//
// After a deployment that succeeded everywhere it costs two calls, otherwise a few
// for each deployment that is looked at, and one for 25 instances that failed.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	f, newer, looked := newFleet(), []cdtypes.DeploymentInfo(nil), 0
	for info, err := range c.past(ctx, &codedeploy.ListDeploymentsInput{ApplicationName: &p.Target.Application, DeploymentGroupName: &p.Target.Group}) {
		if err != nil {
			return deploy.Live{}, err
		}
		if !touched(info) {
			continue
		}
		if newer = append(newer, info); !f.whole && partial(info) {
			continue
		}
		if r, ok := uniform(newer); ok && !f.whole {
			return deploy.Live{Place: p, Version: r}, nil
		}
		if err := c.lookAll(ctx, p.Target, f, newer); err != nil {
			return deploy.Live{}, err
		}
		looked, newer = looked+len(newer), nil
		if f.settled() || looked >= maxDeployments {
			break
		}
	}
	if err := c.lookAll(ctx, p.Target, f, newer); err != nil {
		return deploy.Live{}, err
	}
	return f.live(p), nil
}

// touched says whether a deployment has come to any instance.
func touched(info cdtypes.DeploymentInfo) bool {
	if info.Status == cdtypes.DeploymentStatusCreated || info.Status == cdtypes.DeploymentStatusQueued {
		return false
	}
	o := info.DeploymentOverview
	return o == nil || o.Pending+o.InProgress+o.Succeeded+o.Failed+o.Skipped+o.Ready > 0
}

// partial says whether a deployment goes to some instances only.
func partial(info cdtypes.DeploymentInfo) bool {
	return aside(info) || info.UpdateOutdatedInstancesOnly
}

// uniform says whether some deployments brought one revision, and everywhere. An
// instance to which one of them alone goes, and which did not get it, is taken away
// by Auto Scaling.
func uniform(all []cdtypes.DeploymentInfo) (deploy.Revision, bool) {
	to := revision(all[len(all)-1].Revision)
	for _, info := range all {
		if aside(info) && info.Status != cdtypes.DeploymentStatusSucceeded {
			continue
		}
		o := info.DeploymentOverview
		if o == nil || o.Succeeded == 0 || o.Pending+o.InProgress+o.Failed+o.Skipped+o.Ready > 0 || revision(info.Revision) != to {
			return "", false
		}
	}
	return to, to != ""
}

// fleet is what is known of the instances of a group.
type fleet struct {
	whole bool                       // all of them are known
	runs  map[string]deploy.Revision // what an instance runs
	open  map[string]bool            // instances of which that is not known yet
	gone  map[string]bool            // instances that do not serve
}

func newFleet() *fleet {
	return &fleet{runs: map[string]deploy.Revision{}, open: map[string]bool{}, gone: map[string]bool{}}
}

// settled says whether older deployments have nothing to add.
func (f *fleet) settled() bool { return f.whole && len(f.open) == 0 }

// meet adds an instance that is not known yet, unless all are.
func (f *fleet) meet(id string) {
	if _, known := f.runs[id]; !f.whole && !known && !f.gone[id] {
		f.open[id] = true
	}
}

// settle notes what an instance runs, unless a later deployment has told.
func (f *fleet) settle(id string, r deploy.Revision) {
	if f.open[id] {
		delete(f.open, id)
		f.runs[id] = r
	}
}

// leave notes that an instance does not serve.
func (f *fleet) leave(id string) {
	if f.open[id] {
		delete(f.open, id)
		f.gone[id] = true
	}
}

func (f *fleet) live(p deploy.Place) deploy.Live {
	n, total := make(map[deploy.Revision]int), len(f.runs)+len(f.open)
	for _, r := range f.runs {
		n[r]++
	}
	if len(f.open) > 0 {
		n[""] += len(f.open)
	}
	live := deploy.Live{Place: p}
	for i, r := range slices.Sorted(maps.Keys(n)) {
		if i == 0 || n[r] > n[live.Version] {
			live.Version = r
		}
	}
	for r, count := range n {
		if r != live.Version {
			if live.Weights == nil {
				live.Weights = make(map[deploy.Revision]float64)
			}
			live.Weights[r] = float64(count) / float64(total)
		}
	}
	return live
}

// lookAll looks at deployments, newest first.
func (c *Client) lookAll(ctx context.Context, t deploy.Target, f *fleet, all []cdtypes.DeploymentInfo) error {
	for _, info := range all {
		var err error
		switch {
		case aside(info) && info.Status != cdtypes.DeploymentStatusSucceeded: // the instance does not serve
		case blueGreen(info):
			err = c.lookBlueGreen(ctx, t, f, info)
		default:
			err = c.lookInPlace(ctx, f, info)
		}
		if err != nil {
			return fmt.Errorf("what deployment %s did: %w", aws.ToString(info.DeploymentId), err)
		}
		f.whole = f.whole || !partial(info)
	}
	return nil
}

// lookInPlace notes what a deployment to the instances themselves did.
func (c *Client) lookInPlace(ctx context.Context, f *fleet, info cdtypes.DeploymentInfo) error {
	to := revision(info.Revision)
	done, err := c.ids(ctx, info, cdtypes.TargetStatusSucceeded)
	if err != nil {
		return err
	}
	for _, id := range done {
		f.meet(id)
		f.settle(id, to)
	}
	waiting, err := c.ids(ctx, info, cdtypes.TargetStatusPending)
	if err != nil {
		return err
	}
	for _, id := range waiting {
		f.meet(id)
	}
	others, err := c.ids(ctx, info, cdtypes.TargetStatusInProgress, cdtypes.TargetStatusFailed, cdtypes.TargetStatusSkipped,
		cdtypes.TargetStatusUnknown, cdtypes.TargetStatusReady)
	if err != nil {
		return err
	}
	return c.each(ctx, info, others, func(t cdtypes.InstanceTarget) {
		f.meet(aws.ToString(t.TargetId))
		if changed(t) {
			f.settle(aws.ToString(t.TargetId), to)
		}
	})
}

// changed says whether a deployment got further on an instance than to the end of
// what ran before.
func changed(t cdtypes.InstanceTarget) bool {
	return slices.ContainsFunc(t.LifecycleEvents, func(e cdtypes.LifecycleEvent) bool {
		begun := e.Status == cdtypes.LifecycleEventStatusInProgress || e.Status == cdtypes.LifecycleEventStatusSucceeded || e.Status == cdtypes.LifecycleEventStatusFailed
		name := aws.ToString(e.LifecycleEventName)
		return begun && name != blockTraffic && !deploy.StopsOld(name)
	})
}

// lookBlueGreen notes which instances of a deployment that replaces instances have
// traffic: what they run is theirs from the beginning. The original instances run
// what was before, or, in a rollback, what it goes back to.
func (c *Client) lookBlueGreen(ctx context.Context, t deploy.Target, f *fleet, info cdtypes.DeploymentInfo) error {
	green, blue := revision(info.Revision), deploy.Revision("")
	var err error
	if info.RollbackInfo != nil && info.RollbackInfo.RollbackTriggeringDeploymentId != nil {
		blue = green
		green, err = c.brought(ctx, *info.RollbackInfo.RollbackTriggeringDeploymentId)
	} else {
		blue, err = c.before(ctx, t, info)
	}
	if err != nil {
		return err
	}
	ids, err := c.ids(ctx, info)
	if err != nil {
		return err
	}
	return c.each(ctx, info, ids, func(t cdtypes.InstanceTarget) {
		id := aws.ToString(t.TargetId)
		f.meet(id)
		switch {
		case !hasTraffic(t):
			f.leave(id)
		case t.InstanceLabel == cdtypes.TargetLabelBlue:
			f.settle(id, blue)
		default:
			f.settle(id, green)
		}
	})
}

// brought returns the revision of a deployment.
func (c *Client) brought(ctx context.Context, id string) (deploy.Revision, error) {
	out, err := c.deployments.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: []string{id}})
	if err != nil {
		return "", fmt.Errorf("get deployment %s: %w", id, classify(err))
	}
	if len(out.DeploymentsInfo) == 0 {
		return "", nil
	}
	return revision(out.DeploymentsInfo[0].Revision), nil
}

// hasTraffic says whether an instance of a blue/green deployment is behind the load
// balancer: one that is given traffic from AllowTraffic on, one from which it is
// taken until BlockTraffic.
func hasTraffic(t cdtypes.InstanceTarget) bool {
	for _, e := range t.LifecycleEvents {
		on := e.Status == cdtypes.LifecycleEventStatusInProgress || e.Status == cdtypes.LifecycleEventStatusSucceeded
		switch aws.ToString(e.LifecycleEventName) {
		case allowTraffic:
			return on
		case blockTraffic:
			return !on
		}
	}
	return false
}
