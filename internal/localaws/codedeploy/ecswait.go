package codedeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// readyLate is AWS's message (user guide, "Troubleshoot Amazon ECS deployment
// issues").
const readyLate = "The deployment timed out while waiting for a notification to continue. This time out period is %d minutes."

// ready waits for ContinueDeployment before production traffic moves, if the
// deployment group says so.
func (r *ecsRun) ready(ctx context.Context) {
	option := readyOption(r.d.info.BlueGreenDeploymentConfiguration)
	if option.ActionOnTimeout != cdtypes.DeploymentReadyActionStopDeployment {
		r.next(ctx, ecsBeforeAllowTraffic)
		return
	}
	r.status = cdtypes.TargetStatusReady
	r.s.ready(ctx, r.d)
	r.plan(ctx, time.Duration(option.WaitTimeInMinutes)*time.Minute, ecsGiveUp, 0)
}

// giveUp ends a deployment that nobody continued: "the deployment status is
// changed to Stopped" (API reference, DeploymentReadyOption).
func (r *ecsRun) giveUp(ctx context.Context) {
	minutes := readyOption(r.d.info.BlueGreenDeploymentConfiguration).WaitTimeInMinutes
	r.s.halt(ctx, r.d, cdtypes.ErrorCodeTimeout, fmt.Sprintf(readyLate, minutes), r.d.rollsBack(cdtypes.AutoRollbackEventDeploymentFailure))
}

func readyOption(c *cdtypes.BlueGreenDeploymentConfiguration) cdtypes.DeploymentReadyOption {
	if c == nil || c.DeploymentReadyOption == nil {
		return cdtypes.DeploymentReadyOption{}
	}
	return *c.DeploymentReadyOption
}

// retire ends the deployment: the task set that serves nobody any more is
// deleted, the original one after the termination wait. Until then the
// deployment is in progress, although all lifecycle events have succeeded
// (observed), and can be stopped and rolled back at once.
func (r *ecsRun) retire(ctx context.Context) {
	wait := time.Duration(0)
	if c := r.d.info.BlueGreenDeploymentConfiguration; r.undoes == nil && c != nil && c.TerminateBlueInstancesOnDeploymentSuccess != nil {
		wait = time.Duration(c.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes) * time.Minute
	}
	if wait == 0 {
		r.complete(ctx)
		return
	}
	r.d.info.InstanceTerminationWaitTimeStarted = true
	r.plan(ctx, wait, ecsTerminate, 0)
}

// complete deletes the task set that is left and ends the deployment.
func (r *ecsRun) complete(ctx context.Context) {
	old := r.blue.set
	if r.undoes != nil {
		old = r.green.set
	}
	if old != "" { // a rollback of a deployment that made no task set
		if err := r.remove(ctx, old); err != nil {
			r.fail(ctx, r.ecsProblem(err))
			return
		}
	}
	r.status, r.life.updated = cdtypes.TargetStatusSucceeded, r.s.w.Now()
	r.s.succeed(ctx, r.d)
}

// proceed ends a wait before its time (API reference, ContinueDeployment).
func (r *ecsRun) proceed(ctx context.Context, wait cdtypes.DeploymentWaitType) error {
	if wait == cdtypes.DeploymentWaitTypeTerminationWait {
		if r.todo.step != ecsTerminate {
			return &cdtypes.InvalidDeploymentStatusException{Message: aws.String("The deployment " + r.d.id() + " is not waiting to terminate its original task set.")}
		}
		r.plan(ctx, stepDelay, ecsComplete, 0)
		return nil
	}
	if r.todo.step != ecsGiveUp {
		return notReady(r.d)
	}
	r.status = cdtypes.TargetStatusInProgress
	r.s.resume(r.d)
	r.plan(ctx, stepDelay, ecsContinue, 0)
	return nil
}
