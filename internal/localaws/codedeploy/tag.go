package codedeploy

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// tagLimit is the most tags of one resource (AWS General Reference, tagging).
const tagLimit = 50

func (s *Service) arn(resource string) string {
	return "arn:aws:codedeploy:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

func (s *Service) applicationARN(name string) string { return s.arn("application:" + name) }

func (s *Service) groupARN(application, name string) string {
	return s.arn("deploymentgroup:" + application + "/" + name)
}

// retag moves the tags of a resource that got a new name.
func (s *Service) retag(from, to string) {
	s.tags[to] = s.tags[from]
	delete(s.tags, from)
}

// tagMap checks tags and returns them as a map.
func tagMap(tags []cdtypes.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if _, twice := m[key]; twice || key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, &cdtypes.InvalidTagsToAddException{Message: aws.String("The specified tags are not valid.")}
		}
		m[key] = aws.ToString(t.Value)
	}
	if len(m) > tagLimit {
		return nil, &cdtypes.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
	}
	return m, nil
}

// tagged finds the tags of an application or deployment group by its ARN.
func (s *Service) tagged(arn *string) (map[string]string, error) {
	if aws.ToString(arn) == "" {
		return nil, &cdtypes.ResourceArnRequiredException{Message: aws.String("The ARN of a resource is required, but was not found.")}
	}
	resource, ok := strings.CutPrefix(*arn, s.arn(""))
	if !ok {
		return nil, &cdtypes.InvalidArnException{Message: aws.String("The specified ARN is not in a valid format.")}
	}
	if m := s.tags[*arn]; m != nil {
		return m, nil
	}
	kind, name, _ := strings.Cut(resource, ":")
	switch kind {
	case "application":
		return nil, &cdtypes.ApplicationDoesNotExistException{Message: aws.String("No application found for name: " + name)}
	case "deploymentgroup":
		_, name, _ = strings.Cut(name, "/")
		return nil, noGroup(name)
	default:
		return nil, &cdtypes.ArnNotSupportedException{Message: aws.String("The specified ARN is not supported. For example, it might be an ARN for a resource that is not expected.")}
	}
}

func (s *Service) tagResource(_ *wire.Call, in *codedeploy.TagResourceInput) (*codedeploy.TagResourceOutput, error) {
	m, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, &cdtypes.TagRequiredException{Message: aws.String("A tag was not specified.")}
	}
	added, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	n := len(m)
	for k := range added {
		if _, ok := m[k]; !ok {
			n++
		}
	}
	if n > tagLimit {
		return nil, &cdtypes.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
	}
	maps.Copy(m, added)
	return &codedeploy.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	m, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, &cdtypes.TagRequiredException{Message: aws.String("A tag was not specified.")}
	}
	for _, k := range in.TagKeys {
		delete(m, k)
	}
	return &codedeploy.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *codedeploy.ListTagsForResourceInput) (*codedeploy.ListTagsForResourceOutput, error) {
	m, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	keys, next, err := page(names(m), in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.ListTagsForResourceOutput{Tags: []cdtypes.Tag{}, NextToken: next}
	for _, k := range keys {
		out.Tags = append(out.Tags, cdtypes.Tag{Key: aws.String(k), Value: aws.String(m[k])})
	}
	return out, nil
}
