package autoscaling

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// setTags sets tags, in the order of their keys.
func (g *group) setTags(tags []astypes.Tag) error {
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if key == "" || strings.HasPrefix(key, "aws:") {
			return invalid("Tag key must not be empty and must not start with aws: %s", key)
		}
		d := astypes.TagDescription{
			Key: &key, Value: aws.String(aws.ToString(t.Value)), PropagateAtLaunch: aws.Bool(aws.ToBool(t.PropagateAtLaunch)),
			ResourceId: g.info.AutoScalingGroupName, ResourceType: aws.String("auto-scaling-group"),
		}
		at, found := g.tagAt(key)
		g.info.Tags = slices.Clone(g.info.Tags) // who described the group keeps what it got
		if found {
			g.info.Tags[at] = d
		} else {
			g.info.Tags = slices.Insert(g.info.Tags, at, d)
		}
	}
	return nil
}

func (g *group) tagAt(key string) (int, bool) {
	return slices.BinarySearchFunc(g.info.Tags, key, func(t astypes.TagDescription, key string) int { return strings.Compare(*t.Key, key) })
}

// tagged finds the group that a tag is for.
func (s *Service) tagged(t astypes.Tag) (*group, error) {
	if t.ResourceType != nil && *t.ResourceType != "auto-scaling-group" {
		return nil, invalid("Invalid resource type: %s", *t.ResourceType)
	}
	return s.find(t.ResourceId)
}

func (s *Service) createOrUpdateTags(_ *wire.Call, in *autoscaling.CreateOrUpdateTagsInput) (*autoscaling.CreateOrUpdateTagsOutput, error) {
	for _, t := range in.Tags {
		g, err := s.tagged(t)
		if err != nil {
			return nil, err
		}
		if err := g.setTags([]astypes.Tag{t}); err != nil {
			return nil, err
		}
	}
	return &autoscaling.CreateOrUpdateTagsOutput{}, nil
}

func (s *Service) deleteTags(_ *wire.Call, in *autoscaling.DeleteTagsInput) (*autoscaling.DeleteTagsOutput, error) {
	for _, t := range in.Tags {
		g, err := s.tagged(t)
		if err != nil {
			return nil, err
		}
		if at, found := g.tagAt(aws.ToString(t.Key)); found {
			g.info.Tags = slices.Delete(slices.Clone(g.info.Tags), at, at+1)
		}
	}
	return &autoscaling.DeleteTagsOutput{}, nil
}

// describeTags lists tags by group, key, value and whether they propagate (API
// reference, Filter).
func (s *Service) describeTags(_ *wire.Call, in *autoscaling.DescribeTagsInput) (*autoscaling.DescribeTagsOutput, error) {
	var all []astypes.TagDescription
	for _, g := range s.groups {
		all = append(all, g.info.Tags...)
	}
	for _, f := range in.Filters {
		var of func(t astypes.TagDescription) string
		switch aws.ToString(f.Name) {
		case "auto-scaling-group":
			of = func(t astypes.TagDescription) string { return *t.ResourceId }
		case "key":
			of = func(t astypes.TagDescription) string { return *t.Key }
		case "value":
			of = func(t astypes.TagDescription) string { return *t.Value }
		case "propagate-at-launch":
			of = func(t astypes.TagDescription) string {
				return map[bool]string{true: "true", false: "false"}[*t.PropagateAtLaunch]
			}
		default:
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: auto-scaling-group key value propagate-at-launch", aws.ToString(f.Name))
		}
		all = slices.DeleteFunc(all, func(t astypes.TagDescription) bool { return !slices.Contains(f.Values, of(t)) })
	}
	all, next, err := page(all, in.MaxRecords, in.NextToken, usuallyDescribed, maxDescribed)
	return &autoscaling.DescribeTagsOutput{Tags: all, NextToken: next}, err
}
