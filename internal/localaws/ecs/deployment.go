package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// deployment is a revision of a service of the ECS controller, with its tasks.
type deployment struct {
	workload
	status  string // PRIMARY, ACTIVE or INACTIVE
	state   ecstypes.DeploymentRolloutState
	reason  string // of the state
	created time.Time
	updated time.Time
}

func (s *Service) newDeployment(svc *service, d *definition, l launch, balancers []ecstypes.LoadBalancer) *deployment {
	return &deployment{
		workload: workload{id: "ecs-svc/" + s.serial(), definition: d, launch: l, balancers: balancers},
		created:  s.w.Now(), updated: s.w.Now(),
	}
}

// release makes a deployment the one that counts.
func (s *Service) release(svc *service, d *deployment) {
	s.lead(svc, d, "ECS deployment "+d.id+" in progress.")
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
	s.tell(svc, d, deploymentInProgress)
}

// turn changes the rollout state of a deployment.
func (s *Service) turn(d *deployment, state ecstypes.DeploymentRolloutState, reason string) {
	d.state, d.reason, d.updated = state, reason, s.w.Now()
}

// target is how many tasks a deployment shall have in the end.
func (svc *service) target(d *deployment) int {
	if d.status != primary || svc.status() != active {
		return 0
	}
	return int(svc.info.DesiredCount)
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
