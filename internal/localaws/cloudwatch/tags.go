package cloudwatch

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTags is how many tags an alarm may have (API reference, TagResource).
const maxTags = 50

// resource finds an alarm by its ARN. Other resources have no tags here.
func (s *Service) resource(arn *string) (*alarm, error) {
	if a := s.alarms[s.alarmName(aws.ToString(arn))]; a != nil && a.arn == aws.ToString(arn) {
		return a, nil
	}
	return nil, &cwtypes.ResourceNotFoundException{
		Message: aws.String("The resource " + aws.ToString(arn) + " does not exist."), ResourceType: aws.String("alarm"), ResourceId: arn,
	}
}

func (s *Service) tagResource(_ *wire.Call, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	a, err := s.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if len(a.tags)+len(in.Tags) > maxTags {
		return nil, invalid("A resource must not have more than %d tags.", maxTags)
	}
	for _, t := range in.Tags {
		a.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return &cloudwatch.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	a, err := s.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(a.tags, key)
	}
	return &cloudwatch.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	a, err := s.resource(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(a.tags))
	for key := range a.tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []cwtypes.Tag{}}
	for _, key := range keys {
		value := a.tags[key]
		out.Tags = append(out.Tags, cwtypes.Tag{Key: &key, Value: &value})
	}
	return out, nil
}
