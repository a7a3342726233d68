package codedeploy

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// The kinds of tag filters, which are the same for EC2 and on-premises
// instances.
const (
	keyOnly     = string(cdtypes.TagFilterTypeKeyOnly)
	valueOnly   = string(cdtypes.TagFilterTypeValueOnly)
	keyAndValue = string(cdtypes.TagFilterTypeKeyAndValue)
)

// The most tag groups of a group, and the most tags of one (API reference,
// TagSetListLimitExceededException; user guide, "Tagging instances").
const (
	tagGroupLimit  = 3
	tagFilterLimit = 10
)

// tagFilter finds instances by a tag.
type tagFilter struct{ key, value, kind string }

func filtersOf(all []cdtypes.TagFilter) []tagFilter {
	var filters []tagFilter
	for _, f := range all {
		filters = append(filters, tagFilter{aws.ToString(f.Key), aws.ToString(f.Value), kindOf(string(f.Type), f.Key, f.Value)})
	}
	return filters
}

func ec2FiltersOf(all []cdtypes.EC2TagFilter) []tagFilter {
	var filters []tagFilter
	for _, f := range all {
		filters = append(filters, tagFilter{aws.ToString(f.Key), aws.ToString(f.Value), kindOf(string(f.Type), f.Key, f.Value)})
	}
	return filters
}

// kindOf fills in the kind of a filter that does not name it by what it has.
func kindOf(kind string, key, value *string) string {
	switch {
	case kind != "":
		return kind
	case key != nil && value != nil:
		return keyAndValue
	case key != nil:
		return keyOnly
	default:
		return valueOnly
	}
}

func (f tagFilter) valid() bool {
	switch f.kind {
	case keyOnly, keyAndValue:
		return f.key != ""
	case valueOnly:
		return f.value != ""
	default:
		return false
	}
}

func (f tagFilter) matches(tags map[string]string) bool {
	switch f.kind {
	case keyOnly:
		_, ok := tags[f.key]
		return ok
	case valueOnly:
		for _, v := range tags {
			if v == f.value {
				return true
			}
		}
		return false
	default:
		v, ok := tags[f.key]
		return ok && v == f.value
	}
}

// anyOf reports whether tags are matched by one of the filters.
func anyOf(filters []tagFilter, tags map[string]string) bool {
	return slices.ContainsFunc(filters, func(f tagFilter) bool { return f.matches(tags) })
}

// tagGroups are groups of tag filters. An instance is meant if it is matched by
// one filter of every group (user guide, "Tagging instances for deployment
// groups"). No groups mean no instance.
type tagGroups [][]tagFilter

func (g tagGroups) mean(tags map[string]string) bool {
	for _, filters := range g {
		if !anyOf(filters, tags) {
			return false
		}
	}
	return len(g) > 0
}

// ec2TagGroups reads the two forms in which a request has them.
func ec2TagGroups(filters []cdtypes.EC2TagFilter, set *cdtypes.EC2TagSet) tagGroups {
	var groups tagGroups
	if len(filters) > 0 {
		groups = append(groups, ec2FiltersOf(filters))
	}
	if set != nil {
		for _, list := range set.Ec2TagSetList {
			groups = append(groups, ec2FiltersOf(list))
		}
	}
	return groups
}

func onPremisesTagGroups(filters []cdtypes.TagFilter, set *cdtypes.OnPremisesTagSet) tagGroups {
	var groups tagGroups
	if len(filters) > 0 {
		groups = append(groups, filtersOf(filters))
	}
	if set != nil {
		for _, list := range set.OnPremisesTagSetList {
			groups = append(groups, filtersOf(list))
		}
	}
	return groups
}

// check refuses filters that are invalid, by the error that invalid makes of
// them, and too many groups.
func (g tagGroups) check(invalid error) error {
	if len(g) > tagGroupLimit {
		return &cdtypes.TagSetListLimitExceededException{
			Message: aws.String("The number of tag groups included in the tag set list exceeded the maximum allowed limit of 3."),
		}
	}
	for _, filters := range g {
		if len(filters) == 0 || len(filters) > tagFilterLimit {
			return invalid
		}
		for _, f := range filters {
			if !f.valid() {
				return invalid
			}
		}
	}
	return nil
}
