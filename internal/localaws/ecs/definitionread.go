package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) describeTaskDefinition(_ *wire.Call, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	d := s.revision(aws.ToString(in.TaskDefinition))
	if d == nil {
		return nil, refused("Unable to describe task definition.")
	}
	info := d.info
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &info}
	if slices.Contains(in.Include, ecstypes.TaskDefinitionFieldTags) {
		out.Tags = s.tagsOf(d.arn())
	}
	return out, nil
}

// deregisterTaskDefinition makes a revision INACTIVE. Services and tasks that
// use it go on.
func (s *Service) deregisterTaskDefinition(_ *wire.Call, in *ecs.DeregisterTaskDefinitionInput) (*ecs.DeregisterTaskDefinitionOutput, error) {
	ref := aws.ToString(in.TaskDefinition)
	if !strings.Contains(last(ref), ":") {
		return nil, invalid("Revision is missing.")
	}
	d := s.revision(ref)
	if d == nil {
		return nil, invalid("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
	}
	if d.active() {
		d.info.Status, d.info.DeregisteredAt = ecstypes.TaskDefinitionStatusInactive, aws.Time(s.w.Now())
	}
	info := d.info
	return &ecs.DeregisterTaskDefinitionOutput{TaskDefinition: &info}, nil
}

func (s *Service) listTaskDefinitions(_ *wire.Call, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	status := in.Status
	if status == "" {
		status = ecstypes.TaskDefinitionStatusActive
	}
	var all []string
	for _, f := range s.families {
		if in.FamilyPrefix != nil && *in.FamilyPrefix != f.name {
			continue
		}
		for _, d := range f.revisions {
			if d.info.Status == status {
				all = append(all, d.arn())
			}
		}
	}
	if in.Sort == ecstypes.SortOrderDesc {
		slices.Reverse(all)
	}
	part, next, err := page(all, pageSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: part, NextToken: next}, nil
}

func (s *Service) listTaskDefinitionFamilies(_ *wire.Call, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	var all []string
	for _, f := range s.families {
		live := slices.ContainsFunc(f.revisions, (*definition).active)
		wanted := in.Status == "" || in.Status == ecstypes.TaskDefinitionFamilyStatusAll || live == (in.Status == ecstypes.TaskDefinitionFamilyStatusActive)
		if wanted && strings.HasPrefix(f.name, aws.ToString(in.FamilyPrefix)) {
			all = append(all, f.name)
		}
	}
	part, next, err := page(all, pageSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecs.ListTaskDefinitionFamiliesOutput{Families: part, NextToken: next}, nil
}
