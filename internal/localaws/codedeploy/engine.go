package codedeploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// The times that CodeDeploy takes for itself. None is documented; they are
// rounded from published runs of Lambda canary deployments, in which a whole
// deployment took about five seconds more than its traffic shift and the
// rollback began within the second in which the deployment ended and took two.
const (
	queueDelay    = 500 * time.Millisecond // from Created to Queued
	startDelay    = 500 * time.Millisecond // from Queued to InProgress
	stopDelay     = time.Second            // from StopDeployment to Stopped
	rollbackDelay = 500 * time.Millisecond // from the end of a deployment to its rollback
)

// later lets do happen once, unless the deployment is stopped or over by then.
func (s *Service) later(d *deployment, after time.Duration, do func()) {
	if d.over() || d.stopping {
		return
	}
	d.timers = append(d.timers, s.w.After(after, do))
}

// quiet stops everything that was to happen later.
func (s *Service) quiet(d *deployment) {
	for _, t := range d.timers {
		s.w.Stop(t)
	}
	d.timers = nil
}

// launch sends a new deployment on its way.
func (s *Service) launch(ctx context.Context, d *deployment) {
	s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentStart)
	s.later(d, queueDelay, func() {
		d.info.Status = cdtypes.DeploymentStatusQueued
		s.announce(ctx, d, stateQueued)
		s.later(d, startDelay, func() { s.start(ctx, d) })
	})
}

func (s *Service) start(ctx context.Context, d *deployment) {
	d.info.Status = cdtypes.DeploymentStatusInProgress
	d.info.StartTime = aws.Time(s.w.Now())
	s.announce(ctx, d, stateStart)
	if d.isRollback() {
		s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentRollback)
	}
	if d.alarms != nil && d.alarms.Enabled {
		s.later(d, firstPoll, func() { s.poll(ctx, d) })
	}
	d.run.start(ctx)
}

// isRollback reports whether CodeDeploy made the deployment to roll another
// one back. No such deployment is rolled back itself, and none is stopped by
// an alarm: published runs show rollbacks that succeed while alarms stay in
// ALARM.
func (d *deployment) isRollback() bool {
	return d.info.Creator == cdtypes.DeploymentCreatorCodeDeployRollback
}

// succeed ends a deployment well.
func (s *Service) succeed(ctx context.Context, d *deployment) {
	if d.over() {
		return
	}
	s.end(d, cdtypes.DeploymentStatusSucceeded)
	if !d.aside {
		d.group.succeeded, d.group.active = d, nil
	}
	s.announce(ctx, d, stateSuccess)
	s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentSuccess)
	ended(ctx, d)
}

// ended tells a run that its deployment is over.
func ended(ctx context.Context, d *deployment) {
	if r, ok := d.run.(ender); ok {
		r.ended(ctx)
	}
}

// fail ends a deployment that could not be carried out.
func (s *Service) fail(ctx context.Context, d *deployment, code cdtypes.ErrorCode, message string) {
	if d.over() {
		return
	}
	s.broken(ctx, d, cdtypes.DeploymentStatusFailed, code, message)
	s.announce(ctx, d, stateFailure)
	s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentFailure)
	s.conclude(ctx, d, d.rollsBack(cdtypes.AutoRollbackEventDeploymentFailure))
}

// halt ends a deployment that was stopped, by an alarm or on request. Its
// status is Stopped, not Failed, in both cases.
func (s *Service) halt(ctx context.Context, d *deployment, code cdtypes.ErrorCode, message string, rollback bool) {
	if d.over() {
		return
	}
	s.broken(ctx, d, cdtypes.DeploymentStatusStopped, code, message)
	s.announce(ctx, d, stateStop)
	s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentStop)
	s.conclude(ctx, d, rollback)
}

func (s *Service) broken(ctx context.Context, d *deployment, status cdtypes.DeploymentStatus, code cdtypes.ErrorCode, message string) {
	d.run.halt(ctx)
	s.end(d, status)
	d.info.ErrorInformation = &cdtypes.ErrorInformation{Code: code, Message: aws.String(message)}
}

func (s *Service) end(d *deployment, status cdtypes.DeploymentStatus) {
	s.quiet(d)
	d.info.Status = status
	d.info.CompleteTime = aws.Time(s.w.Now())
}

// rollsBack reports whether an event triggers an automatic rollback.
func (d *deployment) rollsBack(on cdtypes.AutoRollbackEvent) bool {
	c := d.info.AutoRollbackConfiguration
	return c != nil && c.Enabled && slices.Contains(c.Events, on)
}

// conclude frees the group or rolls the deployment back. In between, the group
// is not free: a rollback that CodeDeploy decided on must not lose against
// another deployment. The ID of the rollback appears in the original a moment
// after its end (ecspresso polls for it; SNS messages of an ended deployment
// carry empty rollback information).
func (s *Service) conclude(ctx context.Context, d *deployment, rollback bool) {
	ended(ctx, d)
	if !rollback || d.isRollback() || d.aside {
		if !d.aside {
			d.group.active = nil
		}
		return
	}
	s.w.After(rollbackDelay, func() { s.rollBack(ctx, d) })
}

// rollBack makes the new deployment that takes back what failed did, without
// regard to alarms. The messages are AWS's.
func (s *Service) rollBack(ctx context.Context, failed *deployment) {
	g := failed.group
	g.active = nil
	how, ok := s.executors[failed.application.platform].undo(failed)
	if !ok {
		failed.info.RollbackInfo = &cdtypes.RollbackInfo{
			RollbackMessage: aws.String(fmt.Sprintf("Deployment %s terminated. Automatic rollback is not possible: there is nothing to roll back to.", failed.id())),
		}
		return
	}
	known, err := s.register(failed.application, how.to)
	if err != nil {
		return // cannot be: undo returns revisions with their text or place
	}
	config := s.configs[how.config]
	if config == nil {
		config = failed.config // it was deleted meanwhile
	}
	back := s.newDeployment(g, known, config)
	g.take(back)
	back.info.Creator = cdtypes.DeploymentCreatorCodeDeployRollback
	back.run = how.deploy(back)
	back.info.AutoRollbackConfiguration = nil
	back.info.RollbackInfo = &cdtypes.RollbackInfo{
		RollbackTriggeringDeploymentId: failed.info.DeploymentId,
		RollbackMessage:                aws.String(fmt.Sprintf("Deployment %s is triggered to roll back deployment %s.", back.id(), failed.id())),
	}
	failed.info.RollbackInfo = &cdtypes.RollbackInfo{
		RollbackDeploymentId: back.info.DeploymentId,
		RollbackMessage:      aws.String(fmt.Sprintf("Deployment %s terminated. Automatic rollback is triggered with a DeploymentId %s.", failed.id(), back.id())),
	}
	s.launch(ctx, back)
}
