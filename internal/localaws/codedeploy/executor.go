package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// An executor is what CodeDeploy knows about one compute platform: how its
// groups and deployments are checked, and how its deployments run. The engine
// (engine.go) owns the status, alarms, stops, rollbacks and events of a
// deployment; the executor owns its targets and their lifecycle events.
type executor interface {
	// settle completes the settings of a group and refuses those that do not
	// fit. It is called for every change of a group, with all that it would
	// be afterwards.
	settle(ctx context.Context, info *cdtypes.DeploymentGroupInfo) error
	// admit refuses a request for a deployment that does not fit.
	admit(ctx context.Context, g *group, in *codedeploy.CreateDeploymentInput) error
	// deploy prepares the run of a deployment. Nothing happens before start.
	deploy(d *deployment) run
	// undo says how what failed did is taken back. ok is false if there is
	// nothing to go back to.
	undo(failed *deployment) (how undoing, ok bool)
}

// undoing is how a deployment is taken back: by deploying something else.
type undoing struct {
	to     cdtypes.RevisionLocation
	config string                     // the name of the deployment configuration
	deploy func(back *deployment) run // prepares the run of the rollback
}

// A run is one deployment on its way. It tells the engine how it ends with
// succeed or fail, and does everything else through later, so that nothing
// happens any more once the deployment is stopped.
type run interface {
	// start begins with the first lifecycle event.
	start(ctx context.Context)
	// halt marks what is going on as failed and what did not begin as skipped.
	halt(ctx context.Context)
	// targets describes the targets; it is empty as long as they are not known.
	targets() []cdtypes.DeploymentTarget
	// report takes the answer of a lifecycle hook.
	report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error
}

// A waiter is a run that may wait for ContinueDeployment.
type waiter interface {
	// proceed ends a wait. It is called while the deployment is not over.
	proceed(ctx context.Context, wait cdtypes.DeploymentWaitType) error
}

// An ender is a run that has something to do when its deployment is over.
type ender interface {
	ended(ctx context.Context)
}
