package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/bluegreen"
)

// The lifecycle events of an ECS deployment (user guide, "AppSpec 'hooks'
// section for an Amazon ECS deployment").
const (
	ecsBeforeInstall = iota
	ecsInstall
	ecsAfterInstall
	ecsAllowTestTraffic
	ecsAfterAllowTestTraffic
	ecsBeforeAllowTraffic
	ecsAllowTraffic
	ecsAfterAllowTraffic
)

const (
	ecsAllAtOnce = predefinedPrefix + "ECSAllAtOnce"
	// ecsDefault is what an ECS deployment group without a configuration uses:
	// assumed, as for Lambda.
	ecsDefault = ecsAllAtOnce
)

func ecsEvents() []string {
	return []string{
		"BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic",
	}
}

// ecsExecutor replaces the task set of an ECS service and shifts the traffic of
// its load balancer.
type ecsExecutor struct{ s *Service }

// ecsRun is one ECS deployment on its way.
type ecsRun struct {
	s         *Service
	d         *deployment
	life      *lifecycle
	hooks     *hooks
	undoes    *ecsRun // what a rollback takes back; nil otherwise
	spec      appspec.ECS
	known     bool // the target was found
	installed bool // Install began, so that there is something to take back
	place     place
	blue      side  // the original task set
	green     side  // the replacement task set
	percent   int32 // of the production traffic, that green gets
	promoted  bool  // green is the primary task set
	status    cdtypes.TargetStatus
	todo      ecsTodo   // what happens next
	deadline  time.Time // of the replacement task set
}

// place is the service that is deployed to.
type place struct{ cluster, service, arn string }

// side is a task set and its target group.
type side struct {
	set   string // ID of the task set; empty before there is one
	group string // ARN
	name  string // of the target group
	last  cdtypes.ECSTaskSet
	runs  string // its task definition
}

func (r *ecsRun) pair() bluegreen.Pair {
	return bluegreen.Pair{Blue: r.blue.group, Green: r.green.group}
}

func (x *ecsExecutor) newRun(d *deployment) *ecsRun {
	r := &ecsRun{s: x.s, d: d, life: newLifecycle(x.s.w, ecsEvents()...), status: cdtypes.TargetStatusPending}
	r.hooks = x.s.newHooks(d, r.life, r.finish)
	r.hooks.anyName = true // AWSCodeDeployRoleForECS
	return r
}

func (x *ecsExecutor) deploy(d *deployment) run { return x.newRun(d) }

// undo reroutes the traffic to the original task set, which needs no earlier
// deployment. Before Install there is nothing to take back: "a rollback is not
// possible at this point" (user guide, "AppSpec 'hooks' section for an Amazon
// ECS deployment", BeforeInstall).
func (x *ecsExecutor) undo(failed *deployment) (how undoing, ok bool) {
	f, isECS := failed.run.(*ecsRun)
	if !isECS || !f.installed {
		return undoing{}, false
	}
	return undoing{to: f.original(), config: ecsAllAtOnce, deploy: func(d *deployment) run {
		r := x.newRun(d)
		r.undoes, r.spec, r.known, r.place = f, f.spec, true, f.place
		r.blue, r.green, r.percent, r.promoted = f.blue, f.green, f.percent, f.promoted
		return r
	}}, true
}

// served is the task set that gets the traffic when the deployment succeeds.
func (r *ecsRun) served() string {
	if r.undoes != nil {
		return r.blue.set
	}
	return r.green.set
}

// original is the revision of a rollback: the one that was last deployed
// successfully if it made the original task set, and otherwise one that says
// what that runs.
func (r *ecsRun) original() cdtypes.RevisionLocation {
	if good := r.d.group.succeeded; good != nil {
		if g, ok := good.run.(*ecsRun); ok && g.served() == r.blue.set {
			return *good.info.Revision
		}
	}
	spec := appspec.ECS{TaskDefinition: r.blue.runs, ContainerName: r.spec.ContainerName, ContainerPort: r.spec.ContainerPort}
	return inline(spec.Text())
}

func (r *ecsRun) start(ctx context.Context) {
	r.status = cdtypes.TargetStatusInProgress
	if r.undoes != nil {
		r.takeBack(ctx)
		return
	}
	r.life.begin(ecsBeforeInstall)
	for _, step := range []func(context.Context) *problem{r.read, r.inspect} {
		if p := step(ctx); p != nil {
			r.fail(ctx, p)
			return
		}
	}
	r.hook(ctx, ecsBeforeInstall)
}

// fail ends the deployment with a problem.
func (r *ecsRun) fail(ctx context.Context, p *problem) { r.s.fail(ctx, r.d, p.code, p.message) }

// finish ends a lifecycle event and goes on with what follows.
func (r *ecsRun) finish(ctx context.Context, event int) {
	r.life.close(event, cdtypes.LifecycleEventStatusSucceeded)
	r.plan(ctx, stepDelay, ecsFollow, event)
}

// follow goes on after a lifecycle event.
func (r *ecsRun) follow(ctx context.Context, event int) {
	switch event {
	case ecsAfterAllowTestTraffic:
		r.ready(ctx)
	case ecsAfterAllowTraffic:
		r.retire(ctx)
	default:
		r.next(ctx, event+1)
	}
}

// next begins a lifecycle event.
func (r *ecsRun) next(ctx context.Context, event int) {
	r.life.begin(event)
	switch event {
	case ecsInstall:
		r.install(ctx)
	case ecsAllowTestTraffic:
		r.allowTest(ctx)
	case ecsAllowTraffic:
		r.shift(ctx, 0)
	default:
		r.hook(ctx, event)
	}
}

func (r *ecsRun) halt(context.Context) {
	r.life.halt()
	r.status, r.todo = cdtypes.TargetStatusFailed, ecsTodo{}
}

// hook invokes the function of a lifecycle event. A rollback invokes none
// (observed).
func (r *ecsRun) hook(ctx context.Context, event int) {
	function := r.spec.Hooks[ecsEvents()[event]]
	if r.undoes != nil {
		function = ""
	}
	r.hooks.invoke(ctx, event, function)
}

func (r *ecsRun) report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error {
	return r.hooks.report(ctx, executionID, status)
}

// takeBack reroutes all traffic to the original task set at once and deletes
// the replacement task set. What a deployment does before that is not needed.
func (r *ecsRun) takeBack(ctx context.Context) {
	for event := range ecsAllowTraffic {
		r.life.begin(event)
		r.life.close(event, cdtypes.LifecycleEventStatusSucceeded)
	}
	r.life.begin(ecsAllowTraffic)
	if p := r.reroute(ctx); p != nil {
		r.fail(ctx, p)
		return
	}
	r.finish(ctx, ecsAllowTraffic)
}

// inline makes a revision of the text of an AppSpec file.
func inline(text string) cdtypes.RevisionLocation {
	sum, err := hash(aws.String(text), nil)
	if err != nil {
		return cdtypes.RevisionLocation{} // cannot be: the text is not empty
	}
	return cdtypes.RevisionLocation{
		RevisionType:   cdtypes.RevisionLocationTypeAppSpecContent,
		AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(text), Sha256: sum},
	}
}
