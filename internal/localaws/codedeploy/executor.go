package codedeploy

import (
	"context"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// An executor runs the deployments of one compute platform. The engine
// (engine.go) owns the status, alarms, stops, rollbacks and events of a
// deployment; the executor owns its target and lifecycle events.
type executor interface {
	// deploy prepares the run of a deployment. Nothing happens before start.
	deploy(d *deployment) run
	// undo returns the revision that takes back what failed did and prepares
	// the run that deploys it. ok is false if there is nothing to go back to.
	undo(failed *deployment) (to cdtypes.RevisionLocation, deploy func(back *deployment) run, ok bool)
}

// A run is one deployment on its way. It tells the engine how it ends with
// succeed or fail, and does everything else through later, so that nothing
// happens any more once the deployment is stopped.
type run interface {
	// start begins with the first lifecycle event.
	start(ctx context.Context)
	// halt marks what is going on as failed and what did not begin as skipped.
	halt()
	// target describes the target; nil as long as it is not known.
	target() *cdtypes.DeploymentTarget
	// report takes the answer of a lifecycle hook.
	report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error
}
