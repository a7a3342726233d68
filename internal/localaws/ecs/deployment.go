package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// deployment is a revision of a service of the ECS controller, with its tasks.
// DescribeServices shows it as a deployment, DescribeServiceRevisions as a
// revision.
type deployment struct {
	*workload
	revision string                  // ARN of the service revision
	asked    []ecstypes.LoadBalancer // as configured; workload.balancers has the target groups that are used
	status   string                  // PRIMARY, ACTIVE or INACTIVE
	state    ecstypes.DeploymentRolloutState
	reason   string // of the state
	created  time.Time
	updated  time.Time
}

func (s *Service) newDeployment(svc *service, d *definition, l launch, balancers []ecstypes.LoadBalancer) *deployment {
	n := s.serial()
	x := &deployment{
		workload: &workload{id: "ecs-svc/" + n, definition: d, launch: l, balancers: slices.Clone(balancers)},
		revision: s.arn("service-revision/" + svc.cluster.name + "/" + svc.name + "/" + n),
		asked:    balancers, created: s.w.Now(), updated: s.w.Now(),
	}
	svc.revisions = append(svc.revisions, x)
	return x
}

// lead makes a deployment PRIMARY and starts it; reason says why.
func (s *Service) lead(svc *service, d *deployment, reason string) {
	for _, other := range svc.deployments {
		if other.status == primary {
			other.status, other.updated = active, s.w.Now()
		}
	}
	svc.deployments = slices.DeleteFunc(slices.Clone(svc.deployments), func(x *deployment) bool { return x == d })
	svc.deployments = slices.Insert(svc.deployments, 0, d)
	d.status, d.failed = primary, 0
	s.turn(d, ecstypes.DeploymentRolloutStateInProgress, reason)
	svc.steady, svc.impaired, svc.stuck = false, false, false
	s.show(svc, d)
	s.tell(svc, d, deploymentInProgress, reason)
}

// show lets a service show the configuration of a deployment as its own.
func (s *Service) show(svc *service, d *deployment) {
	i := &svc.info
	i.TaskDefinition, i.LoadBalancers = aws.String(d.definition.arn()), append([]ecstypes.LoadBalancer{}, d.asked...)
	i.NetworkConfiguration, i.LaunchType, i.CapacityProviderStrategy = d.launch.network, d.launch.kind, d.launch.providers
	i.PlatformVersion, i.PlatformFamily = d.launch.platform, d.launch.family(d.definition)
}

// turn changes the rollout state of a deployment.
func (s *Service) turn(d *deployment, state ecstypes.DeploymentRolloutState, reason string) {
	d.state, d.reason, d.updated = state, reason, s.w.Now()
}

// target is how many tasks a deployment shall have.
func (svc *service) target(d *deployment) int {
	if svc.status() != active {
		return 0
	}
	desired := int(svc.info.DesiredCount)
	if r := svc.ongoing; r != nil && r.native() {
		if !r.keeps(d) {
			return 0
		}
		return desired
	}
	if d.status != primary {
		return 0
	}
	return desired
}

// prune drops the deployments that have been replaced.
func (svc *service) prune() {
	svc.deployments = slices.DeleteFunc(slices.Clone(svc.deployments), func(d *deployment) bool {
		gone := d.status != primary && len(d.tasks) == 0 && svc.target(d) == 0
		if gone {
			d.status = inactive
		}
		return gone
	})
}

func (svc *service) describeDeployment(d *deployment) ecstypes.Deployment {
	return ecstypes.Deployment{
		Id: aws.String(d.id), Status: aws.String(d.status), TaskDefinition: aws.String(d.definition.arn()),
		DesiredCount: count(svc.target(d)), PendingCount: count(d.pending()), RunningCount: count(d.running()), FailedTasks: count(d.failed),
		CreatedAt: aws.Time(d.created), UpdatedAt: aws.Time(d.updated), LaunchType: d.launch.kind,
		CapacityProviderStrategy: d.launch.providers, PlatformVersion: d.launch.platform, PlatformFamily: d.launch.family(d.definition),
		NetworkConfiguration: d.launch.network, RolloutState: d.state, RolloutStateReason: aws.String(d.reason),
	}
}
