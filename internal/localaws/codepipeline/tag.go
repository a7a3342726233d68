package codepipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTags is how many tags a pipeline has (user guide, "Quotas in AWS
// CodePipeline").
const maxTags = 50

// tagged finds the pipeline of an ARN.
func (s *Service) tagged(arn *string) (*pipeline, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.arn(""))
	if !ok || name == "" {
		return nil, &cptypes.InvalidArnException{Message: aws.String("Invalid ARN: " + aws.ToString(arn))}
	}
	p := s.pipelines[name]
	if p == nil {
		return nil, &cptypes.ResourceNotFoundException{Message: aws.String("Resource " + *arn + " does not exist")}
	}
	return p, nil
}

// addTags adds tags or changes nothing.
func addTags(tags map[string]string, add []cptypes.Tag) error {
	all := maps.Clone(tags)
	for _, t := range add {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return &cptypes.InvalidTagsException{Message: aws.String("The tag '" + key + "' is not valid.")}
		}
		all[key] = aws.ToString(t.Value)
	}
	if len(all) > maxTags {
		return &cptypes.TooManyTagsException{Message: aws.String("The tags limit for a resource has been exceeded.")}
	}
	maps.Copy(tags, all)
	return nil
}

func tagList(tags map[string]string) []cptypes.Tag {
	list := []cptypes.Tag{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, cptypes.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

func (s *Service) tagResource(_ *wire.Call, in *codepipeline.TagResourceInput) (*codepipeline.TagResourceOutput, error) {
	p, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &codepipeline.TagResourceOutput{}, addTags(p.tags, in.Tags)
}

func (s *Service) untagResource(_ *wire.Call, in *codepipeline.UntagResourceInput) (*codepipeline.UntagResourceOutput, error) {
	p, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, k := range in.TagKeys {
		delete(p.tags, k)
	}
	return &codepipeline.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *codepipeline.ListTagsForResourceInput) (*codepipeline.ListTagsForResourceOutput, error) {
	p, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, next, err := page(tagList(p.tags), in.NextToken, in.MaxResults, mostHistory)
	if err != nil {
		return nil, err
	}
	return &codepipeline.ListTagsForResourceOutput{Tags: tags, NextToken: next}, nil
}
