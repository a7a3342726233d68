package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The states of clusters and services.
const (
	active   = "ACTIVE"
	draining = "DRAINING"
	inactive = "INACTIVE"
)

// cluster is a cluster with what runs in it.
type cluster struct {
	name     string
	info     ecstypes.Cluster // without what is counted
	services []*service       // oldest first; those that are INACTIVE, too
	tasks    []*task          // oldest first; those that stopped within the last hour, too
}

// cluster finds an active cluster by its name or ARN; nil is "default".
func (s *Service) cluster(ref *string) (*cluster, error) {
	if c := s.anyCluster(orDefault(ref)); c != nil && *c.info.Status == active {
		return c, nil
	}
	return nil, noCluster()
}

func (s *Service) anyCluster(ref string) *cluster {
	if name, ok := s.own(ref, "cluster"); ok {
		ref = name
	}
	for _, c := range s.clusters {
		if c.name == ref {
			return c
		}
	}
	return nil
}

func (s *Service) createCluster(_ *wire.Call, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	err := wire.Only(in, "ClusterName", "Tags", "Settings", "Configuration", "CapacityProviders", "DefaultCapacityProviderStrategy")
	if err != nil {
		return nil, err
	}
	name := orDefault(in.ClusterName)
	if !named(name) {
		return nil, invalid("Invalid cluster name: %s", name)
	}
	c := s.anyCluster(name)
	if c != nil && *c.info.Status == active { // a second call changes nothing
		return &ecs.CreateClusterOutput{Cluster: s.describeCluster(c, true)}, nil
	}
	if err := s.tag(s.arn("cluster/"+name), in.Tags); err != nil {
		return nil, err
	}
	if c == nil {
		c = &cluster{name: name}
		s.clusters = append(s.clusters, c)
	}
	c.info = ecstypes.Cluster{
		ClusterName: aws.String(name), ClusterArn: aws.String(s.arn("cluster/" + name)), Status: aws.String(active),
		CapacityProviders: slices.Clone(in.CapacityProviders), DefaultCapacityProviderStrategy: slices.Clone(in.DefaultCapacityProviderStrategy),
		Configuration: in.Configuration, Settings: slices.Clone(in.Settings), Statistics: []ecstypes.KeyValuePair{},
	}
	if len(c.info.Settings) == 0 {
		c.info.Settings = []ecstypes.ClusterSetting{{Name: ecstypes.ClusterSettingNameContainerInsights, Value: aws.String("disabled")}}
	}
	return &ecs.CreateClusterOutput{Cluster: s.describeCluster(c, true)}, nil
}

// describeCluster adds what is counted.
func (s *Service) describeCluster(c *cluster, tags bool) *ecstypes.Cluster {
	out := c.info
	for _, t := range c.tasks {
		switch {
		case t.stopped():
		case t.running():
			out.RunningTasksCount++
		case t.starting():
			out.PendingTasksCount++
		}
	}
	for _, svc := range c.services {
		if svc.status() == active {
			out.ActiveServicesCount++
		}
	}
	if tags {
		out.Tags = s.tagsOf(*out.ClusterArn)
	}
	return &out
}

func (s *Service) describeClusters(_ *wire.Call, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	refs := in.Clusters
	if len(refs) == 0 {
		refs = []string{"default"}
	}
	if len(refs) > pageSize {
		return nil, invalid("Clusters cannot have more than %d elements", pageSize)
	}
	tags := slices.Contains(in.Include, ecstypes.ClusterFieldTags)
	out := &ecs.DescribeClustersOutput{Clusters: []ecstypes.Cluster{}, Failures: []ecstypes.Failure{}}
	for _, ref := range refs {
		c := s.anyCluster(ref)
		if c == nil {
			if _, ok := s.own(ref, "cluster"); !ok {
				ref = s.arn("cluster/" + ref)
			}
			out.Failures = append(out.Failures, missing(ref))
			continue
		}
		out.Clusters = append(out.Clusters, *s.describeCluster(c, tags))
	}
	return out, nil
}

func (s *Service) listClusters(_ *wire.Call, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	var all []string
	for _, c := range s.clusters {
		if *c.info.Status == active {
			all = append(all, *c.info.ClusterArn)
		}
	}
	part, next, err := page(all, pageSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecs.ListClustersOutput{ClusterArns: part, NextToken: next}, nil
}

func (s *Service) deleteCluster(_ *wire.Call, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	if aws.ToString(in.Cluster) == "" {
		return nil, invalid("Cluster can not be blank.")
	}
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	for _, svc := range c.services {
		if svc.status() != inactive {
			return nil, &ecstypes.ClusterContainsServicesException{Message: aws.String("The Cluster cannot be deleted while Services are active.")}
		}
	}
	for _, t := range c.tasks {
		if !t.stopped() {
			return nil, &ecstypes.ClusterContainsTasksException{Message: aws.String("The Cluster cannot be deleted while Tasks are active.")}
		}
	}
	c.info.Status = aws.String(inactive)
	delete(s.tags, *c.info.ClusterArn)
	return &ecs.DeleteClusterOutput{Cluster: s.describeCluster(c, false)}, nil
}
