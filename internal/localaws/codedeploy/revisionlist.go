package codedeploy

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) listApplicationRevisions(_ *wire.Call, in *codedeploy.ListApplicationRevisionsInput) (*codedeploy.ListApplicationRevisionsOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := checkRevisionFilters(in); err != nil {
		return nil, err
	}
	var keys []string
	found := map[string]cdtypes.RevisionLocation{}
	for _, r := range sorted(a.revisions, in.SortBy, in.SortOrder) {
		if a.wanted(r, in) {
			k := key(&r.location)
			keys = append(keys, k)
			found[k] = r.location
		}
	}
	part, next, err := page(keys, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.ListApplicationRevisionsOutput{Revisions: []cdtypes.RevisionLocation{}, NextToken: next}
	for _, k := range part {
		l := found[k]
		out.Revisions = append(out.Revisions, *withoutText(&l))
	}
	return out, nil
}

func checkRevisionFilters(in *codedeploy.ListApplicationRevisionsInput) error {
	switch {
	case in.Deployed != "" && !slices.Contains(in.Deployed.Values(), in.Deployed):
		return &cdtypes.InvalidDeployedStateFilterException{Message: aws.String("The deployed state filter was specified in an invalid format.")}
	case in.SortBy != "" && !slices.Contains(in.SortBy.Values(), in.SortBy):
		return &cdtypes.InvalidSortByException{Message: aws.String("The column name to sort by is either not present or was specified in an invalid format.")}
	case in.SortOrder != "" && !slices.Contains(in.SortOrder.Values(), in.SortOrder):
		return &cdtypes.InvalidSortOrderException{Message: aws.String("The sort order was specified in an invalid format.")}
	case aws.ToString(in.S3KeyPrefix) != "" && aws.ToString(in.S3Bucket) == "":
		return &cdtypes.BucketNameFilterRequiredException{Message: aws.String("A bucket name is required, but was not provided.")}
	default:
		return nil
	}
}

// wanted reports whether a revision passes the filters of the request.
func (a *application) wanted(r *revision, in *codedeploy.ListApplicationRevisionsInput) bool {
	deployed := len(a.about(r).DeploymentGroups) > 0
	switch {
	case in.Deployed == cdtypes.ListStateFilterActionInclude && !deployed,
		in.Deployed == cdtypes.ListStateFilterActionExclude && deployed:
		return false
	case aws.ToString(in.S3Bucket) == "":
		return true
	}
	o := r.location.S3Location
	return o != nil && aws.ToString(o.Bucket) == *in.S3Bucket && strings.HasPrefix(aws.ToString(o.Key), aws.ToString(in.S3KeyPrefix))
}

// sorted returns the revisions in the order asked for, or in that of their
// registration.
func sorted(all []*revision, by cdtypes.ApplicationRevisionSortBy, order cdtypes.SortOrder) []*revision {
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(x, y *revision) int {
		switch by {
		case cdtypes.ApplicationRevisionSortByFirstUsedTime:
			return compareTimes(x.firstUsed, y.firstUsed)
		case cdtypes.ApplicationRevisionSortByLastUsedTime:
			return compareTimes(x.lastUsed, y.lastUsed)
		default:
			return x.registered.Compare(y.registered)
		}
	})
	if order == cdtypes.SortOrderDescending {
		slices.Reverse(list)
	}
	return list
}
