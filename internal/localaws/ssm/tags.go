package ssm

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTags is how many tags a resource may have (SSM API reference, PutParameter,
// Tags: 1000 in a request, of which AWS keeps 50 as of any resource).
const maxTags = 50

// tagged returns the parameter whose tags are meant: InvalidResourceType,
// InvalidResourceId.
func (s *Service) tagged(kind ssmtypes.ResourceTypeForTagging, id *string) (*parameter, error) {
	if kind != ssmtypes.ResourceTypeForTaggingParameter {
		return nil, &ssmtypes.InvalidResourceType{Message: aws.String("The local AWS tags no resources of Systems Manager but parameters")}
	}
	p := s.parameters[s.bare(aws.ToString(id))]
	if p == nil {
		return nil, &ssmtypes.InvalidResourceId{}
	}
	return p, nil
}

func (p *parameter) tag(tags []ssmtypes.Tag) error {
	all := maps.Clone(p.tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if len(all) > maxTags {
		return &ssmtypes.TooManyTagsError{}
	}
	p.tags = all
	return nil
}

func (s *Service) addTags(_ *wire.Call, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &ssm.AddTagsToResourceOutput{}, p.tag(in.Tags)
}

func (s *Service) removeTags(_ *wire.Call, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) {
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(p.tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	return &ssm.RemoveTagsFromResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	out := &ssm.ListTagsForResourceOutput{TagList: []ssmtypes.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(p.tags)) {
		out.TagList = append(out.TagList, ssmtypes.Tag{Key: aws.String(key), Value: aws.String(p.tags[key])})
	}
	return out, nil
}
