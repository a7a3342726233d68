package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/batch"
)

// The lifecycle events of instances.
const (
	applicationStop        = "ApplicationStop"
	downloadBundle         = "DownloadBundle"
	beforeBlockTraffic     = "BeforeBlockTraffic"
	blockTraffic           = "BlockTraffic"
	afterBlockTraffic      = "AfterBlockTraffic"
	beforeAllowTrafficHook = "BeforeAllowTraffic"
	allowTrafficEvent      = "AllowTraffic"
	afterAllowTrafficHook  = "AfterAllowTraffic"
)

// The groups of lifecycle events (user guide, "Lifecycle event hook
// availability", and the drawings of the run order below it).
func blockEvents() []string { return []string{beforeBlockTraffic, blockTraffic, afterBlockTraffic} }

func installEvents() []string {
	return []string{applicationStop, downloadBundle, "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService"}
}

func allowEvents() []string {
	return []string{beforeAllowTrafficHook, allowTrafficEvent, afterAllowTrafficHook}
}

// How long an event takes besides what its scripts do: in the sample of the AWS
// CLI reference (get-deployment-instance), seven events take six seconds.
const eventDelay = time.Second

// startLimit is how long an event may wait for the agent (user guide,
// "CodeDeploy quotas"), and agentPoll how often it is looked for.
const (
	startLimit = 5 * time.Minute
	agentPoll  = 5 * time.Second
)

// agentSilent is AWS's message about an agent that did not ask for its event.
const agentSilent = "CodeDeploy agent was not able to receive the lifecycle event. Check the CodeDeploy agent logs on your host and make sure the agent is running " +
	"and can connect to the CodeDeploy server."

// task is the deployment to one instance.
type task struct {
	r        *serverRun
	m        machine
	label    cdtypes.TargetLabel // in blue/green deployments
	life     *lifecycle
	next     int // the event that is going on or comes next
	to       int // how far it goes for now
	status   cdtypes.TargetStatus
	progress batch.Progress // in the stage that goes on
	healthy  bool           // before the deployment
	revision batch.Revision // before the deployment
}

func (r *serverRun) newTask(m machine, label cdtypes.TargetLabel, events ...[]string) {
	var all []string
	for _, part := range events {
		all = append(all, part...)
	}
	t := &task{r: r, m: m, label: label, life: newLifecycle(r.s.w, all...), status: cdtypes.TargetStatusPending}
	t.healthy, t.revision = r.d.group.condition(m.id)
	r.tasks = append(r.tasks, t)
}

func (t *task) describe() cdtypes.DeploymentTarget {
	return cdtypes.DeploymentTarget{DeploymentTargetType: cdtypes.DeploymentTargetTypeInstanceTarget, InstanceTarget: &cdtypes.InstanceTarget{
		DeploymentId: t.r.d.info.DeploymentId, InstanceLabel: t.label, LastUpdatedAt: aws.Time(t.life.updated), LifecycleEvents: t.life.list(),
		Status: t.status, TargetArn: aws.String(t.m.arn), TargetId: aws.String(t.m.id),
	}}
}

// begin begins or goes on with the events up to the given one.
func (t *task) begin(ctx context.Context, to int) {
	t.to, t.progress = to, batch.Running
	first := t.status == cdtypes.TargetStatusPending
	t.status = cdtypes.TargetStatusInProgress
	if first {
		t.tell(ctx, stateStart, cdtypes.TriggerEventTypeInstanceStart)
	}
	t.proceed(ctx)
}

// proceed begins the next event, or ends what is to be done for now.
func (t *task) proceed(ctx context.Context) {
	if t.next == t.to {
		t.finish(ctx)
		return
	}
	t.life.begin(t.next)
	t.r.s.later(t.r.d, eventDelay, func() { t.carryOut(ctx, t.r.s.w.Now().Add(startLimit-eventDelay)) })
}

func (t *task) finish(ctx context.Context) {
	t.progress = batch.Succeeded
	if t.next < len(t.life.events) {
		t.status = cdtypes.TargetStatusReady
		t.tell(ctx, stateReady, cdtypes.TriggerEventTypeInstanceReady)
	} else {
		t.status = cdtypes.TargetStatusSucceeded
		t.r.d.group.record(t.m.id, true, t.installs(), key(t.r.d.info.Revision))
		t.tell(ctx, stateSuccess, cdtypes.TriggerEventTypeInstanceSuccess)
	}
	t.r.step(ctx)
}

// installs reports whether a revision is installed on the instance, and not
// only its traffic moved.
func (t *task) installs() bool { return len(t.life.events) >= len(installEvents()) }

func (t *task) name() string { return aws.ToString(t.life.events[t.next].LifecycleEventName) }

// carryOut carries the event out that is going on.
func (t *task) carryOut(ctx context.Context, deadline time.Time) {
	switch t.name() {
	case blockTraffic, allowTrafficEvent:
		t.traffic(ctx)
		return
	}
	s := t.r.s
	if !s.agentRuns(ctx, &t.m) {
		if left := deadline.Sub(s.w.Now()); left > 0 {
			s.later(t.r.d, min(agentPoll, left), func() { t.carryOut(ctx, deadline) })
			return
		}
		t.fail(ctx, &cdtypes.Diagnostics{ErrorCode: cdtypes.LifecycleErrorCodeUnknownError, Message: aws.String(agentSilent)})
		return
	}
	d, err := t.instruct(ctx)
	if err != nil {
		t.fail(ctx, &cdtypes.Diagnostics{ErrorCode: cdtypes.LifecycleErrorCodeUnknownError, Message: aws.String(err.Error())})
		return
	}
	event := t.next
	s.carryOut(ctx, t.m.id, t.name(), d, func(out agent.Outcome) {
		if t.life.running(event) { // else it was stopped meanwhile
			t.outcome(ctx, out)
		}
	})
}

// outcome takes what came of an event on the instance.
func (t *task) outcome(ctx context.Context, out agent.Outcome) {
	if out.Diagnostics == nil {
		t.succeed(ctx)
		return
	}
	d := &cdtypes.Diagnostics{
		ErrorCode: cdtypes.LifecycleErrorCode(out.Diagnostics.ErrorCode), Message: aws.String(out.Diagnostics.Message),
		ScriptName: aws.String(out.Diagnostics.ScriptName), LogTail: aws.String(out.Diagnostics.LogTail),
	}
	t.fail(ctx, d)
}

func (t *task) succeed(ctx context.Context) {
	t.life.close(t.next, cdtypes.LifecycleEventStatusSucceeded)
	t.next++
	t.onward(ctx)
}

// onward goes on unless the deployment was stopped. The next event does not
// begin within the call that ended the last.
func (t *task) onward(ctx context.Context) {
	t.r.s.later(t.r.d, 0, func() { t.proceed(ctx) })
}

// fail ends an event that failed, and with it the deployment to the instance,
// unless it is one whose failure the request ignores (API reference,
// CreateDeployment, ignoreApplicationStopFailures).
func (t *task) fail(ctx context.Context, why *cdtypes.Diagnostics) {
	t.life.close(t.next, cdtypes.LifecycleEventStatusFailed)
	t.life.events[t.next].Diagnostics = why
	switch t.name() {
	case applicationStop, beforeBlockTraffic, afterBlockTraffic:
		if t.r.d.info.IgnoreApplicationStopFailures {
			t.next++
			t.onward(ctx)
			return
		}
	}
	t.broken(ctx)
	if !t.r.d.stopping {
		t.r.step(ctx)
	}
}

// broken marks the deployment to the instance as failed.
func (t *task) broken(ctx context.Context) {
	t.life.halt()
	t.progress, t.status = batch.Failed, cdtypes.TargetStatusFailed
	t.r.d.group.record(t.m.id, false, t.installs(), "")
	t.tell(ctx, stateFailure, cdtypes.TriggerEventTypeInstanceFailure)
}

// halt ends the deployment to the instance because that as a whole is over.
func (t *task) halt(ctx context.Context) {
	switch t.status {
	case cdtypes.TargetStatusInProgress:
		t.broken(ctx)
	case cdtypes.TargetStatusPending, cdtypes.TargetStatusReady:
		t.life.halt()
		t.status = cdtypes.TargetStatusSkipped
	default: // over already
	}
}

// instruct makes what the agent is told of the deployment. The bundle comes
// with the event that needs it.
func (t *task) instruct(ctx context.Context) (agent.Deployment, error) {
	d := t.r.d
	spec := agent.Deployment{
		ID: d.id(), ApplicationName: d.application.name, GroupID: aws.ToString(d.group.info.DeploymentGroupId), GroupName: d.group.name(),
		Creator: string(d.info.Creator), DeploymentType: string(d.info.DeploymentStyle.DeploymentType), FileExistsBehavior: string(d.info.FileExistsBehavior),
	}
	if l := d.info.Revision.GitHubLocation; l != nil {
		spec.Bundle.Type, spec.Bundle.Commit = "tar", aws.ToString(l.CommitId)
		if t.name() == downloadBundle {
			return spec, fmt.Errorf("the revision %s of %s cannot be downloaded: %w", aws.ToString(l.CommitId), aws.ToString(l.Repository), errNoGitHub)
		}
		return spec, nil
	}
	o := d.info.Revision.S3Location
	spec.Bundle = agent.Bundle{
		Type: string(o.BundleType), Bucket: aws.ToString(o.Bucket), Key: aws.ToString(o.Key), Version: aws.ToString(o.Version), ETag: aws.ToString(o.ETag),
	}
	if t.name() != downloadBundle {
		return spec, nil
	}
	var err error
	spec.Bundle.Bytes, err = t.r.s.fetch(ctx, t.m.as, o)
	return spec, err
}

var errNoGitHub = errors.New("this local AWS has no way to GitHub")
