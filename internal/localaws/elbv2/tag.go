package elbv2

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTags is how many tags a resource may have (user guide, "Tags for your
// Application Load Balancer").
const maxTags = 50

func newTags(tags []elbtypes.Tag) (map[string]string, error) {
	all := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if _, twice := all[key]; twice {
			return nil, &elbtypes.DuplicateTagKeysException{Message: aws.String("A tag key was specified more than once: '" + key + "'")}
		}
		if key == "" || strings.HasPrefix(key, "aws:") {
			return nil, invalid("Tag key '%s' is not valid", key)
		}
		all[key] = aws.ToString(t.Value)
	}
	if len(all) > maxTags {
		return nil, tooManyTags()
	}
	return all, nil
}

func tooManyTags() error {
	return &elbtypes.TooManyTagsException{Message: aws.String("You've reached the limit on the number of tags for this resource")}
}

// tagged returns the tags of a resource of any kind.
func (s *Service) tagged(arn string) (map[string]string, error) {
	if tags, ok := s.tags[arn]; ok {
		return tags, nil
	}
	switch {
	case strings.Contains(arn, ":loadbalancer/"):
		return nil, noBalancer(arn)
	case strings.Contains(arn, ":targetgroup/"):
		return nil, noGroup(arn)
	case strings.Contains(arn, ":listener/"):
		return nil, noListener(arn)
	case strings.Contains(arn, ":listener-rule/"):
		return nil, noRule(arn)
	default:
		return nil, invalid("'%s' is not a valid ARN of a load balancer, target group, listener or rule", arn)
	}
}

func (s *Service) addTags(_ *wire.Call, in *elb.AddTagsInput) (*elb.AddTagsOutput, error) {
	add, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var all []map[string]string
	for _, arn := range in.ResourceArns {
		tags, err := s.tagged(arn)
		if err != nil {
			return nil, err
		}
		after := maps.Clone(tags)
		maps.Copy(after, add)
		if len(after) > maxTags {
			return nil, tooManyTags()
		}
		all = append(all, tags)
	}
	for _, tags := range all {
		maps.Copy(tags, add)
	}
	return &elb.AddTagsOutput{}, nil
}

func (s *Service) removeTags(_ *wire.Call, in *elb.RemoveTagsInput) (*elb.RemoveTagsOutput, error) {
	var all []map[string]string
	for _, arn := range in.ResourceArns {
		tags, err := s.tagged(arn)
		if err != nil {
			return nil, err
		}
		all = append(all, tags)
	}
	for _, tags := range all {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	}
	return &elb.RemoveTagsOutput{}, nil
}

func (s *Service) describeTags(_ *wire.Call, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	const most = 20 // API reference, DescribeTags
	if len(in.ResourceArns) > most {
		return nil, invalid("Resource ARNs cannot be more than %d", most)
	}
	out := &elb.DescribeTagsOutput{TagDescriptions: []elbtypes.TagDescription{}}
	for _, arn := range in.ResourceArns {
		tags, err := s.tagged(arn)
		if err != nil {
			return nil, err
		}
		d := elbtypes.TagDescription{ResourceArn: aws.String(arn), Tags: []elbtypes.Tag{}}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			d.Tags = append(d.Tags, elbtypes.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}
