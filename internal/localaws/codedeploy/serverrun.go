package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/batch"
)

// serverRun is one deployment to instances on its way.
type serverRun struct {
	s      *Service
	d      *deployment
	undoes *serverRun // what a rollback takes back
	only   *machine   // the instance of a deployment that Auto Scaling asked for
	action *lifecycleAction

	tasks []*task
	stage stage
	zone  string // of the last batch, if the configuration is zonal

	provisioned string                     // the Auto Scaling group that was made for it
	waits       cdtypes.DeploymentWaitType // for ContinueDeployment
	goOn        func(ctx context.Context)  // what follows the wait
}

// stage is a part of a deployment: some instances go through some of their
// events, in batches.
type stage struct {
	tasks  []*task
	to     func(*task) int // how far they go
	config batch.Config
	strict bool // all at once, and none may fail
	then   func(ctx context.Context)
}

// all is the whole way.
func all(t *task) int { return len(t.life.events) }

func (r *serverRun) start(ctx context.Context) {
	switch {
	case r.only != nil:
		r.inPlace(ctx, []machine{*r.only})
	case r.d.blueGreen() && r.undoes != nil:
		r.reverse(ctx)
	case r.d.blueGreen():
		r.blueGreen(ctx)
	default:
		r.everywhere(ctx)
	}
}

// everywhere deploys in place to the instances of the group.
func (r *serverRun) everywhere(ctx context.Context) {
	if r.d.trafficControl() && r.d.info.LoadBalancerInfo == nil {
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeMissingElbInformation, "The deployment failed because no load balancer is specified for the deployment group.")
		return
	}
	machines, err := r.s.find(ctx, r.d.principal(), fleet(&r.d.settings))
	if err != nil {
		r.failRole(ctx, err)
		return
	}
	if r.d.info.UpdateOutdatedInstancesOnly {
		machines = r.outdated(machines)
	}
	if len(machines) == 0 {
		r.failEmpty(ctx, "for your deployment group")
		return
	}
	r.inPlace(ctx, machines)
}

// trafficControl reports whether instances are taken from their load balancer
// while they are deployed to.
func (d *deployment) trafficControl() bool {
	return d.info.DeploymentStyle.DeploymentOption == cdtypes.DeploymentOptionWithTrafficControl
}

// outdated leaves the instances that do not run the revision that is deployed.
func (r *serverRun) outdated(machines []machine) []machine {
	var left []machine
	for _, m := range machines {
		if c := r.d.group.conditions[m.id]; !c.healthy || c.revision != key(r.d.info.Revision) {
			left = append(left, m)
		}
	}
	return left
}

func (r *serverRun) inPlace(ctx context.Context, machines []machine) {
	for _, m := range machines {
		if r.d.trafficControl() && r.only == nil {
			r.newTask(m, "", blockEvents(), installEvents(), allowEvents())
		} else {
			r.newTask(m, "", installEvents())
		}
	}
	r.enter(ctx, stage{tasks: r.tasks, to: all, config: r.batches(), then: func(ctx context.Context) { r.s.succeed(ctx, r.d) }})
}

// batches returns what the configuration says about batches.
func (r *serverRun) batches() batch.Config {
	c := r.d.config
	var b batch.Config
	if h := c.MinimumHealthyHosts; h != nil {
		b.Minimum = batch.Minimum{Kind: batch.Kind(h.Type), Value: int(h.Value)}
	}
	if z := c.ZonalConfig; z != nil {
		b.Zonal = true
		if h := z.MinimumHealthyHostsPerZone; h != nil {
			b.PerZone = batch.Minimum{Kind: batch.Kind(h.Type), Value: int(h.Value)}
		}
	}
	return b
}

// enter begins a stage.
func (r *serverRun) enter(ctx context.Context, st stage) {
	r.stage, r.zone = st, ""
	for _, t := range st.tasks {
		t.progress = batch.Waiting
	}
	r.step(ctx)
}

// step goes on with the stage: with the next batch, with what follows it, or
// with the failure of the deployment.
func (r *serverRun) step(ctx context.Context) {
	if r.d.over() || r.d.stopping {
		return
	}
	next := r.stage.next()
	switch next.Verdict {
	case batch.Success:
		r.stage.then(ctx)
	case batch.Impossible:
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeHealthConstraintsInvalid, unhealthyAtStart)
	case batch.Failure:
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeHealthConstraints, unhealthy)
	case batch.GoOn:
		if len(next.Start) > 0 {
			r.s.later(r.d, r.bake(next.Zone), func() { r.begin(ctx, next.Start) })
		}
	}
}

// bake is how long the deployment waits before a zone: the first and the others
// may have times of their own (API reference, ZonalConfig).
func (r *serverRun) bake(zone string) time.Duration {
	last := r.zone
	r.zone = zone
	if last == "" || last == zone {
		return 0
	}
	z := r.d.config.ZonalConfig
	wait := z.MonitorDurationInSeconds
	if first := r.zones()[0]; last == first && z.FirstZoneMonitorDurationInSeconds != nil {
		wait = z.FirstZoneMonitorDurationInSeconds
	}
	return time.Duration(aws.ToInt64(wait)) * time.Second
}

// zones lists the Availability Zones of the stage in order.
func (r *serverRun) zones() []string {
	zones := map[string]bool{}
	for _, t := range r.stage.tasks {
		zones[t.m.zone] = true
	}
	return names(zones)
}

func (r *serverRun) begin(ctx context.Context, ids []string) {
	for _, id := range ids {
		for _, t := range r.stage.tasks {
			if t.m.id == id {
				t.begin(ctx, r.stage.to(t))
			}
		}
	}
}

func (st *stage) next() batch.Step {
	hosts := make([]batch.Host, 0, len(st.tasks))
	for _, t := range st.tasks {
		hosts = append(hosts, batch.Host{ID: t.m.id, Zone: t.m.zone, Healthy: t.healthy, Revision: t.revision, Progress: t.progress})
	}
	if st.strict {
		return together(hosts)
	}
	return st.config.Next(hosts)
}

// together deploys to all hosts at once and lets none fail.
func together(hosts []batch.Host) batch.Step {
	step := batch.Step{Verdict: batch.GoOn}
	done := 0
	for _, h := range hosts {
		switch h.Progress {
		case batch.Waiting:
			step.Start = append(step.Start, h.ID)
		case batch.Succeeded, batch.Failed:
			done++
		case batch.Running:
		}
	}
	if done < len(hosts) {
		return step
	}
	for _, h := range hosts {
		if h.Progress == batch.Failed {
			return batch.Step{Verdict: batch.Failure}
		}
	}
	return batch.Step{Verdict: batch.Success}
}

// failRole fails a deployment for which instances could not be looked up.
func (r *serverRun) failRole(ctx context.Context, err error) {
	r.s.fail(ctx, r.d, cdtypes.ErrorCodeIamRolePermissions, "The instances of the deployment group could not be looked up: "+err.Error())
}

func (r *serverRun) halt(ctx context.Context) {
	for _, t := range r.tasks {
		t.halt(ctx)
	}
}

func (r *serverRun) targets() []cdtypes.DeploymentTarget {
	list := make([]cdtypes.DeploymentTarget, 0, len(r.tasks))
	for _, t := range r.tasks {
		list = append(list, t.describe())
	}
	return list
}

// report refuses the answers of Lambda functions: the hooks of instances are
// scripts.
func (r *serverRun) report(context.Context, string, cdtypes.LifecycleEventStatus) error {
	return unsupportedAction()
}

// proceed ends a wait (ContinueDeployment).
func (r *serverRun) proceed(ctx context.Context, wait cdtypes.DeploymentWaitType) error {
	if !r.d.blueGreen() {
		return unsupportedAction()
	}
	if r.waits != wait {
		return notReady(r.d)
	}
	goOn := r.goOn
	r.waits, r.goOn = "", nil
	r.s.later(r.d, 0, func() { goOn(ctx) })
	return nil
}

// wait waits for ContinueDeployment, which goes on, or for a time, after which
// expired happens. Without a limit it waits for the call alone.
func (r *serverRun) wait(kind cdtypes.DeploymentWaitType, limit time.Duration, goOn func(ctx context.Context), expired func()) {
	r.waits, r.goOn = kind, goOn
	if limit <= 0 {
		return
	}
	r.s.later(r.d, limit, func() {
		if r.waits == kind {
			r.waits, r.goOn = "", nil
			expired()
		}
	})
}

// minutes is a number of minutes of the API.
func minutes(n int32) time.Duration { return time.Duration(n) * time.Minute }
