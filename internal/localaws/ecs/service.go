package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// eventLimit is how many service events are kept (API reference, Service).
const eventLimit = 100

// service is a service of a cluster.
type service struct {
	cluster     *cluster
	name        string
	info        ecstypes.Service        // what was configured; what is counted is added by describeService
	token       string                  // of the client that made it
	sets        []*taskSet              // controllers CODE_DEPLOY and EXTERNAL; oldest first
	deployments []*deployment           // controller ECS; newest first
	revisions   []*deployment           // controller ECS: all deployments ever; oldest first
	completed   *deployment             // the last one that completed
	rollouts    []*rollout              // controller ECS: the service deployments; oldest first
	ongoing     *rollout                // the one that is under way
	next        *rollout                // the one that replaces it at the next pass
	events      []ecstypes.ServiceEvent // newest first
	steady      bool                    // it was said that the service has reached a steady state
	impaired    bool                    // it was said that it cannot start tasks
	stuck       bool                    // it was said that it can neither stop nor start tasks
	poked       bool                    `state:"-"` // the scheduler is about to look
	timer       *world.Timer            // of the scheduler's next look
	wake        *world.Timer            // of what the rollout under way waits for
}

func (svc *service) arn() string { return *svc.info.ServiceArn }

func (svc *service) status() string { return *svc.info.Status }

func (svc *service) controller() ecstypes.DeploymentControllerType {
	return svc.info.DeploymentController.Type
}

// config is the deployment configuration.
func (svc *service) config() *ecstypes.DeploymentConfiguration {
	return svc.info.DeploymentConfiguration
}

// workloads returns all that has tasks, in the order in which the scheduler
// looks at it: oldest first.
func (svc *service) workloads() []*workload {
	var all []*workload
	for _, set := range svc.sets {
		all = append(all, set.workload)
	}
	for _, d := range slices.Backward(svc.deployments) {
		all = append(all, d.workload)
	}
	return all
}

// wanted is how many tasks a workload shall have in the end.
func (svc *service) wanted(w *workload) int {
	for _, set := range svc.sets {
		if set.workload == w {
			return set.computed(svc)
		}
	}
	for _, d := range svc.deployments {
		if d.workload == w {
			return svc.target(d)
		}
	}
	return 0
}

// anyService finds a service of a cluster by its name or ARN, even if it was
// deleted; the youngest of a name.
func (s *Service) anyService(c *cluster, ref string) *service {
	for _, svc := range slices.Backward(c.services) {
		if svc.name == ref || svc.arn() == ref {
			return svc
		}
	}
	return nil
}

// service finds a service that was not deleted.
func (s *Service) service(cluster, ref *string) (*service, error) {
	c, err := s.cluster(cluster)
	if err != nil {
		return nil, err
	}
	svc := s.anyService(c, aws.ToString(ref))
	switch {
	case svc == nil:
		return nil, noService()
	case svc.status() != active:
		return nil, notActive()
	}
	return svc, nil
}

func (s *Service) serviceByARN(arn string) *service {
	for _, c := range s.clusters {
		if svc := s.anyService(c, arn); svc != nil && svc.arn() == arn {
			return svc
		}
	}
	return nil
}

// describeService adds what is counted and what is going on.
func (s *Service) describeService(svc *service, tags bool) *ecstypes.Service {
	out := svc.info
	out.Events = slices.Clone(svc.events)
	out.Deployments = []ecstypes.Deployment{}
	out.TaskSets = nil
	for _, w := range svc.workloads() {
		out.RunningCount += count(w.running())
		out.PendingCount += count(w.pending())
	}
	for _, set := range svc.sets {
		out.TaskSets = append(out.TaskSets, s.describeTaskSet(svc, set, false))
	}
	for _, d := range svc.deployments {
		out.Deployments = append(out.Deployments, svc.describeDeployment(d))
	}
	if svc.ongoing != nil {
		out.CurrentServiceDeployment = aws.String(svc.ongoing.arn)
	}
	for _, d := range slices.Backward(svc.deployments) {
		out.CurrentServiceRevisions = append(out.CurrentServiceRevisions, ecstypes.ServiceCurrentRevisionSummary{
			Arn: aws.String(d.revision), RequestedTaskCount: count(svc.target(d)), RunningTaskCount: count(d.running()), PendingTaskCount: count(d.pending()),
		})
	}
	if tags {
		out.Tags = s.tagsOf(svc.arn())
	}
	return &out
}
