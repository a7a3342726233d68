package scheduler

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of groups and tags (EventBridge Scheduler API reference).
const (
	maxName = 64
	maxTags = 50
	maxPage = 100
)

// group is a group of schedules.
type group struct {
	name              string
	created, modified time.Time
	token             string
	tags              []schedulertypes.Tag
}

func (s *Service) groupARN(name string) string { return s.arn("schedule-group/" + name) }

// group finds a group; none is the default group.
func (s *Service) group(name *string) (*group, error) {
	wanted := aws.ToString(name)
	if wanted == "" {
		wanted = defaultGroup
	}
	if g := s.groups[wanted]; g != nil {
		return g, nil
	}
	return nil, notFound("Schedule group %s does not exist.", wanted)
}

func (s *Service) createGroup(_ *wire.Call, in *scheduler.CreateScheduleGroupInput) (*scheduler.CreateScheduleGroupOutput, error) {
	name, token := aws.ToString(in.Name), aws.ToString(in.ClientToken)
	if err := checkName("name", name); err != nil {
		return nil, err
	}
	if old := s.groups[name]; old != nil {
		if token == "" || token != old.token {
			return nil, conflict("Schedule group %s already exists.", name)
		}
		return &scheduler.CreateScheduleGroupOutput{ScheduleGroupArn: aws.String(s.groupARN(name))}, nil
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	s.groups[name] = &group{name: name, created: s.now(), modified: s.now(), token: token, tags: tags}
	return &scheduler.CreateScheduleGroupOutput{ScheduleGroupArn: aws.String(s.groupARN(name))}, nil
}

func (s *Service) getGroup(_ *wire.Call, in *scheduler.GetScheduleGroupInput) (*scheduler.GetScheduleGroupOutput, error) {
	g, err := s.group(in.Name)
	if err != nil {
		return nil, err
	}
	return &scheduler.GetScheduleGroupOutput{
		Arn: aws.String(s.groupARN(g.name)), Name: aws.String(g.name), State: schedulertypes.ScheduleGroupStateActive,
		CreationDate: aws.Time(g.created), LastModificationDate: aws.Time(g.modified),
	}, nil
}

// deleteGroup deletes a group and its schedules.
func (s *Service) deleteGroup(_ *wire.Call, in *scheduler.DeleteScheduleGroupInput) (*scheduler.DeleteScheduleGroupOutput, error) {
	g, err := s.group(in.Name)
	if err != nil {
		return nil, err
	}
	if g.name == defaultGroup {
		return nil, invalid("The default schedule group cannot be deleted.")
	}
	for _, e := range s.sorted() {
		if e.group == g.name {
			s.remove(e)
		}
	}
	delete(s.groups, g.name)
	return &scheduler.DeleteScheduleGroupOutput{}, nil
}

func (s *Service) listGroups(_ *wire.Call, in *scheduler.ListScheduleGroupsInput) (*scheduler.ListScheduleGroupsOutput, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			names = append(names, name)
		}
	}
	names, next, err := page(names, func(n string) string { return n }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &scheduler.ListScheduleGroupsOutput{NextToken: next, ScheduleGroups: []schedulertypes.ScheduleGroupSummary{}}
	for _, name := range names {
		g := s.groups[name]
		out.ScheduleGroups = append(out.ScheduleGroups, schedulertypes.ScheduleGroupSummary{
			Arn: aws.String(s.groupARN(name)), Name: aws.String(name), State: schedulertypes.ScheduleGroupStateActive,
			CreationDate: aws.Time(g.created), LastModificationDate: aws.Time(g.modified),
		})
	}
	return out, nil
}

// page cuts a page out of all, which is sorted by name. The token is the last
// name of the page before.
func page[T any](all []T, name func(T) string, limit *int32, token *string) (out []T, next *string, err error) {
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	if size < 1 || size > maxPage {
		return nil, nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", size, maxPage)
	}
	for _, item := range all {
		if token != nil && name(item) <= *token {
			continue
		}
		if len(out) == size {
			return out, aws.String(name(out[size-1])), nil
		}
		out = append(out, item)
	}
	return out, nil, nil
}

// tagged finds the group of an ARN: only groups have tags.
func (s *Service) tagged(arn *string) (*group, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.groupARN(""))
	if !ok {
		return nil, invalid("Value '%s' at 'resourceArn' failed to satisfy constraint: it must be the ARN of a schedule group.", aws.ToString(arn))
	}
	return s.group(&name)
}

func (s *Service) tagResource(_ *wire.Call, in *scheduler.TagResourceInput) (*scheduler.TagResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if g.tags, err = mergeTags(g.tags, in.Tags); err != nil {
		return nil, err
	}
	return &scheduler.TagResourceOutput{}, nil
}

// mergeTags adds tags, sorted by key.
func mergeTags(have, more []schedulertypes.Tag) ([]schedulertypes.Tag, error) {
	byKey := map[string]schedulertypes.Tag{}
	for _, t := range slices.Concat(have, more) {
		if aws.ToString(t.Key) == "" || t.Value == nil {
			return nil, invalid("A tag needs a key and a value.")
		}
		byKey[*t.Key] = t
	}
	if len(byKey) > maxTags {
		return nil, invalid("A schedule group can have %d tags at most.", maxTags)
	}
	tags := []schedulertypes.Tag{}
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		tags = append(tags, byKey[k])
	}
	return tags, nil
}

func (s *Service) untagResource(_ *wire.Call, in *scheduler.UntagResourceInput) (*scheduler.UntagResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	g.tags = slices.DeleteFunc(slices.Clone(g.tags), func(t schedulertypes.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	return &scheduler.UntagResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *scheduler.ListTagsForResourceInput) (*scheduler.ListTagsForResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &scheduler.ListTagsForResourceOutput{Tags: append([]schedulertypes.Tag{}, g.tags...)}, nil
}
