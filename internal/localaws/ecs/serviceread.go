package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// describeLimit is the most services of one DescribeServices call, listSize how
// many ListServices answers with if it is not told (API reference).
const (
	describeLimit = 10
	listSize      = 10
)

func (s *Service) describeServices(_ *wire.Call, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Services) == 0:
		return nil, invalid("Services cannot be empty.")
	case len(in.Services) > describeLimit:
		return nil, invalid("Services cannot have more than %d elements", describeLimit)
	}
	tags := slices.Contains(in.Include, ecstypes.ServiceFieldTags)
	out := &ecs.DescribeServicesOutput{Services: []ecstypes.Service{}, Failures: []ecstypes.Failure{}}
	for _, ref := range in.Services {
		if svc := s.anyService(c, ref); svc != nil {
			out.Services = append(out.Services, *s.describeService(svc, tags))
			continue
		}
		if !strings.HasPrefix(ref, "arn:") {
			ref = s.arn("service/" + c.name + "/" + ref)
		}
		out.Failures = append(out.Failures, missing(ref))
	}
	return out, nil
}

func (s *Service) listServices(_ *wire.Call, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	if err := wire.Only(in, "Cluster", "LaunchType", "SchedulingStrategy", "MaxResults", "NextToken"); err != nil {
		return nil, err
	}
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, svc := range c.services {
		if svc.status() == active && (in.LaunchType == "" || svc.info.LaunchType == in.LaunchType) &&
			(in.SchedulingStrategy == "" || svc.info.SchedulingStrategy == in.SchedulingStrategy) {
			all = append(all, svc.arn())
		}
	}
	part, next, err := page(all, listSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecs.ListServicesOutput{ServiceArns: part, NextToken: next}, nil
}

// deleteService stops all tasks of a service. It is DRAINING until they have
// stopped, then INACTIVE.
func (s *Service) deleteService(_ *wire.Call, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	svc := s.anyService(c, aws.ToString(in.Service))
	if svc == nil || svc.status() == inactive {
		return nil, noService()
	}
	if !aws.ToBool(in.Force) {
		switch {
		case svc.info.DesiredCount > 0:
			return nil, invalid("The service cannot be stopped while it is scaled above 0.")
		case len(svc.sets) > 0 && svc.controller() == ecstypes.DeploymentControllerTypeExternal:
			return nil, invalid("The service cannot be stopped while it has task sets.")
		}
	}
	svc.info.Status = aws.String(draining)
	svc.info.DesiredCount = 0
	for _, set := range svc.sets {
		set.status = draining
	}
	s.poke(svc)
	return &ecs.DeleteServiceOutput{Service: s.describeService(svc, false)}, nil
}
