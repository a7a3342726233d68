package kms

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// tag sets tags of a key.
func (k *key) tag(tags []kmstypes.Tag) error {
	for _, t := range tags {
		if name := aws.ToString(t.TagKey); name == "" || strings.HasPrefix(name, "aws:") {
			return &kmstypes.TagException{Message: aws.String("Tag key " + name + " is not valid.")}
		}
	}
	for _, t := range tags {
		k.tags[*t.TagKey] = aws.ToString(t.TagValue)
	}
	return nil
}

func (s *Service) tagResource(_ *wire.Call, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := k.tag(in.Tags); err != nil {
		return nil, err
	}
	return &kms.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	for _, name := range in.TagKeys {
		delete(k.tags, name)
	}
	return &kms.UntagResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	k, err := s.exact(in.KeyId)
	if err != nil {
		return nil, err
	}
	names, next, err := page(slices.Sorted(maps.Keys(k.tags)), in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &kms.ListResourceTagsOutput{Tags: []kmstypes.Tag{}, NextMarker: next, Truncated: next != nil}
	for _, name := range names {
		out.Tags = append(out.Tags, kmstypes.Tag{TagKey: aws.String(name), TagValue: aws.String(k.tags[name])})
	}
	return out, nil
}
