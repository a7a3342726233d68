package ec2

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTags is how many tags a resource may have (EC2 user guide, "Tag
// restrictions"); those of AWS do not count.
const maxTags = 50

// tagsOf are the tags of a resource, as they are described.
func (s *Service) tagsOf(id string) []ec2types.Tag {
	out := []ec2types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(s.tags[id])) {
		out = append(out, ec2types.Tag{Key: aws.String(key), Value: aws.String(s.tags[id][key])})
	}
	return out
}

// tag sets tags of a resource that is there.
func (s *Service) tag(id string, tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	if s.tags[id] == nil {
		s.tags[id] = map[string]string{}
	}
	maps.Copy(s.tags[id], tags)
}

// readTags checks tags that somebody wants to set.
func readTags(who wire.Principal, tags []ec2types.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		switch {
		case key == "" || len(key) > 127:
			return nil, refuse("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters or is empty")
		case len(aws.ToString(t.Value)) > 255:
			return nil, refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 255 characters")
		case strings.HasPrefix(key, "aws:") && who.Service == "":
			return nil, refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		}
		out[key] = aws.ToString(t.Value)
	}
	return out, nil
}

// specified takes the tags for one type of resource out of TagSpecifications.
// Only the named types may be there.
func specified(who wire.Principal, all []ec2types.TagSpecification, types ...string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, spec := range all {
		typ := string(spec.ResourceType)
		if !slices.Contains(types, typ) {
			return nil, refuse("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", typ)
		}
		tags, err := readTags(who, spec.Tags)
		if err != nil {
			return nil, err
		}
		if out[typ] == nil {
			out[typ] = map[string]string{}
		}
		maps.Copy(out[typ], tags)
	}
	return out, nil
}

// exists says whether a resource is there.
func (s *Service) exists(id string) error {
	k, ok := kindOf(id)
	if !ok {
		return refuse("InvalidID", "The ID '%s' is not valid", id)
	}
	if err := k.check(id); err != nil {
		return err
	}
	if !slices.Contains(s.all(k), id) {
		return k.notFound(id)
	}
	return nil
}

// all are the ids of a kind.
func (s *Service) all(k kind) []string {
	switch k.prefix {
	case "i":
		return ids(s.instances, (*instance).id)
	case "vol":
		return ids(s.volumes, (*volume).id)
	case "snap":
		return ids(s.snapshots, (*snapshot).id)
	case "replacevol":
		return ids(s.tasks, (*rootTask).id)
	case "lt":
		return ids(s.templates, (*template).id)
	}
	return nil
}

func (s *Service) createTags(c *wire.Call, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	if len(in.Tags) == 0 {
		return nil, missing("tagSet")
	}
	tags, err := readTags(c.Principal, in.Tags)
	if err != nil {
		return nil, err
	}
	for _, id := range in.Resources {
		if err := s.exists(id); err != nil {
			return nil, err
		}
		if s.tooMany(id, tags) {
			return nil, refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
		}
	}
	for _, id := range in.Resources {
		s.tag(id, tags)
	}
	return &ec2.CreateTagsOutput{}, nil
}

func (s *Service) tooMany(id string, more map[string]string) bool {
	n := 0
	union := maps.Clone(more)
	maps.Copy(union, s.tags[id])
	for key := range union {
		if !strings.HasPrefix(key, "aws:") {
			n++
		}
	}
	return n > maxTags
}

// deleteTags takes away the named tags; one with a value only if it has that
// value; all of the user's if none is named (API reference, DeleteTags).
func (s *Service) deleteTags(_ *wire.Call, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	for _, id := range in.Resources {
		if err := s.exists(id); err != nil {
			return nil, err
		}
	}
	for _, id := range in.Resources {
		maps.DeleteFunc(s.tags[id], func(key, value string) bool {
			if len(in.Tags) == 0 {
				return !strings.HasPrefix(key, "aws:")
			}
			return slices.ContainsFunc(in.Tags, func(t ec2types.Tag) bool {
				return aws.ToString(t.Key) == key && (t.Value == nil || *t.Value == value)
			})
		})
	}
	return &ec2.DeleteTagsOutput{}, nil
}

func (s *Service) describeTags(_ *wire.Call, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	var all []ec2types.TagDescription
	for _, id := range slices.Sorted(maps.Keys(s.tags)) {
		k, _ := kindOf(id)
		for _, t := range s.tagsOf(id) {
			all = append(all, ec2types.TagDescription{
				Key: t.Key, Value: t.Value, ResourceId: aws.String(id), ResourceType: ec2types.ResourceType(k.typ),
			})
		}
	}
	found, err := filtered(all, in.Filters, []string{"key", "resource-id", "resource-type", "value"}, func(t ec2types.TagDescription) facts {
		return facts{
			"key": {*t.Key}, "value": {*t.Value}, "resource-id": {*t.ResourceId}, "resource-type": {string(t.ResourceType)},
			"tag:" + *t.Key: {*t.Value},
		}
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &ec2.DescribeTagsOutput{Tags: found, NextToken: next}, err
}
