package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// rollout is a service deployment: the way of a service from its revisions to
// another one, and back if it fails.
type rollout struct {
	service  *service
	arn      string
	status   ecstypes.ServiceDeploymentStatus
	reason   string                            // of the status
	config   *ecstypes.DeploymentConfiguration // when it was created
	target   *deployment
	sources  []*deployment
	base     *deployment // of the sources: the one that serves production
	rollback *ecstypes.Rollback
	back     *deployment // that it is rolled back to
	cause    failure     // why it is rolled back
	broken   bool        // the circuit breaker has triggered

	created, started, finished, stopped, updated time.Time

	blind     bool      // an alarm was in ALARM at the start: none of them counts
	triggered []string  // alarms
	polled    time.Time // when the alarms were read last
	baked     time.Time // end of the bake time, once it has begun
	until     time.Time // nothing but health is to be looked at before; zero: nobody knows
	final     *counts   // once it is over

	journey
}

// counts are the tasks of the revisions.
type counts struct {
	target  ecstypes.ServiceRevisionSummary
	sources []ecstypes.ServiceRevisionSummary
}

// over says whether a rollout has ended.
func (r *rollout) over() bool { return !r.finished.IsZero() }

// wait notes that nothing happens before a time, if that is the earliest one.
func (r *rollout) wait(until time.Time) {
	if r.until.IsZero() || until.Before(r.until) {
		r.until = until
	}
}

// returning says whether a rollout is on its way back.
func (r *rollout) returning() bool {
	return r.status == ecstypes.ServiceDeploymentStatusRollbackInProgress
}

// native says whether traffic is shifted between two sets of tasks.
func (r *rollout) native() bool { return native(r.config.Strategy) }

func native(strategy ecstypes.DeploymentStrategy) bool {
	return strategy != "" && strategy != ecstypes.DeploymentStrategyRolling
}

// release starts a rollout to a new deployment. One that is under way is
// stopped.
func (s *Service) release(svc *service, d *deployment) {
	if old := svc.ongoing; old != nil {
		s.mark(old, ecstypes.ServiceDeploymentStatusStopRequested, "A newer service deployment was started.")
	}
	config := *svc.config()
	r := &rollout{
		service: svc,
		arn:     s.arn("service-deployment/" + svc.cluster.name + "/" + svc.name + "/" + s.short()),
		status:  ecstypes.ServiceDeploymentStatusPending, config: &config, target: d, created: s.w.Now(), updated: s.w.Now(),
	}
	for _, x := range svc.deployments {
		if len(x.tasks) > 0 || x == svc.completed {
			r.sources = append(r.sources, x)
		}
	}
	if slices.Contains(r.sources, svc.completed) {
		r.base = svc.completed
	}
	r.assign()
	svc.rollouts = append(svc.rollouts, r)
	svc.next = r
	s.lead(svc, d, "ECS deployment "+d.id+" in progress.")
}

func (s *Service) mark(r *rollout, status ecstypes.ServiceDeploymentStatus, reason string) {
	r.status, r.reason, r.updated = status, reason, s.w.Now()
}

// turnOver lets the newest rollout begin, when the one before has stopped.
func (s *Service) turnOver(svc *service) {
	if svc.next == nil {
		return
	}
	if old := svc.ongoing; old != nil {
		s.finish(svc, old, ecstypes.ServiceDeploymentStatusStopped, old.reason)
	}
	r := svc.next
	svc.ongoing, svc.next = r, nil
	r.started = s.w.Now()
	if r.status == ecstypes.ServiceDeploymentStatusPending {
		s.mark(r, ecstypes.ServiceDeploymentStatusInProgress, "")
	}
	s.glance(r)
}

// finish ends a rollout.
func (s *Service) finish(svc *service, r *rollout, status ecstypes.ServiceDeploymentStatus, reason string) {
	r.final = svc.count(r)
	s.mark(r, status, reason)
	r.finished = s.w.Now()
	if status == ecstypes.ServiceDeploymentStatusStopped {
		r.stopped = s.w.Now()
	}
	if svc.ongoing == r {
		svc.ongoing = nil
	}
}

// count counts the tasks of a rollout's revisions.
func (svc *service) count(r *rollout) *counts {
	if r.final != nil {
		return r.final
	}
	c := &counts{target: svc.summary(r, r.target), sources: []ecstypes.ServiceRevisionSummary{}}
	for _, d := range r.sources {
		c.sources = append(c.sources, svc.summary(r, d))
	}
	return c
}

func (svc *service) summary(r *rollout, d *deployment) ecstypes.ServiceRevisionSummary {
	out := ecstypes.ServiceRevisionSummary{
		Arn: aws.String(d.revision), RequestedTaskCount: count(svc.target(d)),
		RunningTaskCount: count(d.running()), PendingTaskCount: count(d.pending()),
	}
	if r.native() {
		production, test := r.weightsOf(d)
		out.RequestedProductionTrafficWeight = aws.Float64(production)
		out.RequestedTestTrafficWeight = test
	}
	return out
}

// complete ends a rollout well: the deployment that leads has arrived.
func (s *Service) complete(svc *service, r *rollout) {
	d := svc.deployments[0]
	s.turn(d, ecstypes.DeploymentRolloutStateCompleted, "ECS deployment "+d.id+" completed.")
	svc.completed = d
	status := ecstypes.ServiceDeploymentStatusSuccessful
	if r.returning() {
		status = ecstypes.ServiceDeploymentStatusRollbackSuccessful
	}
	s.finish(svc, r, status, r.reason)
	s.say(svc, "(deployment %s) deployment completed.", d.id)
	s.tell(svc, d, deploymentCompleted, d.reason)
}
