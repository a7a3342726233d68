package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of the operations on service deployments (API reference), and how
// long they are kept: "the most recent 90-day history".
const (
	rolloutLimit = 20
	rolloutSize  = 20
	keepRollouts = 90 * 24 * time.Hour
)

// times makes pointers of the times that have come.
func times(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// rollout finds a service deployment by its ARN.
func (s *Service) rollout(arn string) (*service, *rollout) {
	for _, c := range s.clusters {
		for _, svc := range c.services {
			for _, r := range svc.rollouts {
				if r.arn == arn && (!r.over() || s.w.Now().Sub(r.finished) <= keepRollouts) {
					return svc, r
				}
			}
		}
	}
	return nil, nil
}

// rolling finds a service that has service deployments.
func (s *Service) withRollouts(cluster, ref *string) (*service, error) {
	c, err := s.cluster(cluster)
	if err != nil {
		return nil, err
	}
	svc := s.anyService(c, aws.ToString(ref))
	switch {
	case svc == nil || svc.status() == inactive:
		return nil, noService()
	case svc.controller() != ecstypes.DeploymentControllerTypeEcs:
		return nil, unsupported("Service deployments are only available for services with the ECS deployment controller.")
	}
	return svc, nil
}

func (s *Service) listServiceDeployments(_ *wire.Call, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	svc, err := s.withRollouts(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	var names []string
	brief := map[string]ecstypes.ServiceDeploymentBrief{}
	for _, r := range slices.Backward(svc.rollouts) {
		if len(in.Status) > 0 && !slices.Contains(in.Status, r.status) || !between(r.created, in.CreatedAt) {
			continue
		}
		if _, kept := s.rollout(r.arn); kept == nil {
			continue
		}
		names = append(names, r.arn)
		brief[r.arn] = ecstypes.ServiceDeploymentBrief{
			ServiceDeploymentArn: aws.String(r.arn), ServiceArn: svc.info.ServiceArn, ClusterArn: svc.cluster.info.ClusterArn,
			Status: r.status, StatusReason: text(r.reason), TargetServiceRevisionArn: aws.String(r.target.revision),
			CreatedAt: aws.Time(r.created), StartedAt: times(r.started), FinishedAt: times(r.finished),
		}
	}
	part, next, err := page(names, rolloutSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecs.ListServiceDeploymentsOutput{ServiceDeployments: []ecstypes.ServiceDeploymentBrief{}, NextToken: next}
	for _, name := range part {
		out.ServiceDeployments = append(out.ServiceDeployments, brief[name])
	}
	return out, nil
}

func between(at time.Time, in *ecstypes.CreatedAt) bool {
	return in == nil || (in.After == nil || !at.Before(*in.After)) && (in.Before == nil || !at.After(*in.Before))
}

func (s *Service) describeServiceDeployments(_ *wire.Call, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if n := len(in.ServiceDeploymentArns); n == 0 || n > rolloutLimit {
		return nil, invalid("The number of service deployment ARNs must be between 1 and %d.", rolloutLimit)
	}
	out := &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []ecstypes.ServiceDeployment{}, Failures: []ecstypes.Failure{}}
	for _, arn := range in.ServiceDeploymentArns {
		if !strings.HasPrefix(arn, s.arn("service-deployment/")) {
			return nil, invalid("Invalid service deployment ARN: %s", arn)
		}
		if svc, r := s.rollout(arn); r != nil {
			out.ServiceDeployments = append(out.ServiceDeployments, svc.describeRollout(r))
		} else {
			out.Failures = append(out.Failures, missing(arn))
		}
	}
	return out, nil
}

func (svc *service) describeRollout(r *rollout) ecstypes.ServiceDeployment {
	c := svc.count(r)
	out := ecstypes.ServiceDeployment{
		ServiceDeploymentArn: aws.String(r.arn), ServiceArn: svc.info.ServiceArn, ClusterArn: svc.cluster.info.ClusterArn,
		Status: r.status, StatusReason: text(r.reason), DeploymentConfiguration: r.config, Rollback: r.rollback,
		CreatedAt: aws.Time(r.created), StartedAt: times(r.started), FinishedAt: times(r.finished), StoppedAt: times(r.stopped), UpdatedAt: aws.Time(r.updated),
		TargetServiceRevision: &c.target, SourceServiceRevisions: c.sources,
		LifecycleHookDetails: r.describeHooks(), LifecycleStage: ecstypes.ServiceDeploymentLifecycleStage(r.stage),
	}
	if b := r.config.DeploymentCircuitBreaker; b != nil {
		out.DeploymentCircuitBreaker = &ecstypes.ServiceDeploymentCircuitBreaker{Status: r.monitor(b.Enable, r.broken)}
		if b.Enable {
			out.DeploymentCircuitBreaker.FailureCount = count(r.target.failed)
			out.DeploymentCircuitBreaker.Threshold = count(svc.threshold(b))
		}
	}
	out.Alarms = &ecstypes.ServiceDeploymentAlarms{
		AlarmNames: []string{}, TriggeredAlarmNames: append([]string{}, r.triggered...),
		Status: r.monitor(r.alarmed() && !r.blind, len(r.triggered) > 0),
	}
	if a := r.config.Alarms; a != nil {
		out.Alarms.AlarmNames = a.AlarmNames
	}
	return out
}

func (s *Service) describeServiceRevisions(_ *wire.Call, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if n := len(in.ServiceRevisionArns); n == 0 || n > rolloutLimit {
		return nil, invalid("The number of service revision ARNs must be between 1 and %d.", rolloutLimit)
	}
	out := &ecs.DescribeServiceRevisionsOutput{ServiceRevisions: []ecstypes.ServiceRevision{}, Failures: []ecstypes.Failure{}}
	for _, arn := range in.ServiceRevisionArns {
		if !strings.HasPrefix(arn, s.arn("service-revision/")) {
			return nil, invalid("Invalid service revision ARN: %s", arn)
		}
		if svc, d := s.deploymentOf(arn); d != nil {
			out.ServiceRevisions = append(out.ServiceRevisions, svc.describeRevision(d))
		} else {
			out.Failures = append(out.Failures, missing(arn))
		}
	}
	return out, nil
}

// deploymentOf finds the deployment of a service revision.
func (s *Service) deploymentOf(arn string) (*service, *deployment) {
	for _, c := range s.clusters {
		for _, svc := range c.services {
			for _, d := range svc.revisions {
				if d.revision == arn {
					return svc, d
				}
			}
		}
	}
	return nil, nil
}

func (svc *service) describeRevision(d *deployment) ecstypes.ServiceRevision {
	out := ecstypes.ServiceRevision{
		ServiceRevisionArn: aws.String(d.revision), ServiceArn: svc.info.ServiceArn, ClusterArn: svc.cluster.info.ClusterArn,
		TaskDefinition: aws.String(d.definition.arn()), CreatedAt: aws.Time(d.created), LaunchType: d.launch.kind,
		CapacityProviderStrategy: d.launch.providers, PlatformVersion: d.launch.platform, PlatformFamily: d.launch.family(d.definition),
		NetworkConfiguration: d.launch.network, LoadBalancers: d.asked, ContainerImages: []ecstypes.ContainerImage{},
	}
	for _, c := range d.definition.info.ContainerDefinitions {
		out.ContainerImages = append(out.ContainerImages, ecstypes.ContainerImage{ContainerName: c.Name, Image: c.Image})
	}
	if len(d.balancers) > 0 {
		out.ResolvedConfiguration = &ecstypes.ResolvedConfiguration{}
	}
	for _, b := range d.balancers {
		l := ecstypes.ServiceRevisionLoadBalancer{TargetGroupArn: b.TargetGroupArn}
		if b.AdvancedConfiguration != nil {
			l.ProductionListenerRule = b.AdvancedConfiguration.ProductionListenerRule
		}
		out.ResolvedConfiguration.LoadBalancers = append(out.ResolvedConfiguration.LoadBalancers, l)
	}
	return out
}
