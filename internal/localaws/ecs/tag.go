package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// tagLimit is the most tags of one resource (API reference, Tag).
const tagLimit = 50

// tag adds tags to a resource, or to one that is about to be made.
func (s *Service) tag(arn string, tags []ecstypes.Tag) error {
	all := slices.Clone(s.tags[arn])
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Invalid tag: %s", key)
		}
		added := ecstypes.Tag{Key: aws.String(key), Value: aws.String(aws.ToString(t.Value))}
		if i := indexOf(all, key); i >= 0 {
			all[i] = added
		} else {
			all = append(all, added)
		}
	}
	if len(all) > tagLimit {
		return invalid("Too many tags: a resource has at most %d", tagLimit)
	}
	if len(all) > 0 {
		s.tags[arn] = all
	}
	return nil
}

func indexOf(tags []ecstypes.Tag, key string) int {
	return slices.IndexFunc(tags, func(t ecstypes.Tag) bool { return aws.ToString(t.Key) == key })
}

// tagsOf returns the tags of a resource; an empty list if it has none.
func (s *Service) tagsOf(arn string) []ecstypes.Tag { return append([]ecstypes.Tag{}, s.tags[arn]...) }

// taggable finds the resource with an ARN. It need not be active.
func (s *Service) taggable(arn *string) error {
	ref := aws.ToString(arn)
	kind, rest, ok := strings.Cut(strings.TrimPrefix(ref, s.arn("")), "/")
	if !ok || !strings.HasPrefix(ref, s.arn("")) {
		return invalid("Invalid arn: %s", ref)
	}
	var found bool
	switch kind {
	case "cluster":
		if s.anyCluster(rest) == nil {
			return noCluster()
		}
		return nil
	case "task-definition":
		found = s.revision(ref) != nil
	case "service":
		found = s.serviceByARN(ref) != nil
	case "task":
		found = s.taskByARN(ref) != nil
	case "task-set":
		found = s.taskSetByARN(ref) != nil
	default:
		return invalid("Invalid arn: %s", ref)
	}
	if !found {
		return &ecstypes.ResourceNotFoundException{Message: aws.String("The specified resource was not found: " + ref)}
	}
	return nil
}

func (s *Service) tagResource(_ *wire.Call, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	if err := s.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	if err := s.tag(*in.ResourceArn, in.Tags); err != nil {
		return nil, err
	}
	return &ecs.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	if err := s.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	s.tags[*in.ResourceArn] = slices.DeleteFunc(slices.Clone(s.tags[*in.ResourceArn]), func(t ecstypes.Tag) bool {
		return slices.Contains(in.TagKeys, aws.ToString(t.Key))
	})
	return &ecs.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	if err := s.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: s.tagsOf(*in.ResourceArn)}, nil
}
