package deployments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// maxGroups is how many groups one BatchGetDeploymentGroups returns (API
// reference, "BatchLimitExceededException").
const maxGroups = 100

// A cursor is how far a survey has come.
type cursor struct {
	Page  string `json:"page,omitempty"`  // token of the page of applications; empty: the first
	App   string `json:"app,omitempty"`   // of the page, up to which all is done …
	Group string `json:"group,omitempty"` // … but for this application's groups after this one
}

// least is what it costs to get from one group to the next.
const least = 4

// errSpent ends a part of a survey.
var errSpent = errors.New("as many calls as were allowed")

// A survey is one part of it under way.
type survey struct {
	*Client

	calls   int // that are left
	at      cursor
	enabled []deploy.Group
}

// Survey returns groups that pullback looks after, those that are tagged so on a
// platform that it knows, a part at a time; see target.Groups. It costs one call
// per page of applications, one per application and one per group.
func (c *Client) Survey(ctx context.Context, from string, calls int) ([]deploy.Group, string, error) {
	s := survey{Client: c, calls: max(calls, least)}
	if from != "" {
		if err := json.Unmarshal([]byte(from), &s.at); err != nil {
			return nil, "", fmt.Errorf("survey groups: cursor %q: %w", from, err)
		}
	}
	err := s.applications(ctx)
	if errors.Is(err, errSpent) {
		next, err := json.Marshal(s.at)
		return s.enabled, string(next), err
	}
	// A token is not good for ever: the next round begins anew.
	if _, expired := errors.AsType[*cdtypes.InvalidNextTokenException](err); expired {
		return s.enabled, "", nil
	}
	return s.enabled, "", err
}

// spend counts a call. The first part of a survey always gets somewhere.
func (s *survey) spend() error {
	if s.calls <= 0 {
		return errSpent
	}
	s.calls--
	return nil
}

func (s *survey) applications(ctx context.Context) error {
	for range maxPages {
		s.calls-- // without this one there is nothing to go on with
		in := &codedeploy.ListApplicationsInput{}
		if s.at.Page != "" {
			in.NextToken = &s.at.Page
		}
		out, err := s.api.ListApplications(ctx, in)
		if err != nil {
			return fmt.Errorf("list applications: %w", err)
		}
		slices.Sort(out.Applications)
		for _, app := range out.Applications {
			if app < s.at.App || app == s.at.App && s.at.Group == "" {
				continue
			}
			// The application may be gone since it was listed.
			if err := s.groups(ctx, app); err != nil && !errors.Is(err, deploy.ErrUnknown) {
				return err
			}
			s.at.App, s.at.Group = app, ""
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		s.at = cursor{Page: *out.NextToken}
	}
	return fmt.Errorf("list applications: %w", errEndless)
}

// groups looks at the groups of an application, in order of their names.
func (s *survey) groups(ctx context.Context, app string) error {
	if err := s.spend(); err != nil {
		return err
	}
	names, err := s.groupsOf(ctx, app)
	if err != nil {
		return err
	}
	slices.Sort(names)
	if app == s.at.App {
		names = names[after(names, s.at.Group):]
	}
	for some := range slices.Chunk(names, maxGroups) {
		if err := s.spend(); err != nil {
			return err
		}
		out, err := s.api.BatchGetDeploymentGroups(ctx, &codedeploy.BatchGetDeploymentGroupsInput{ApplicationName: &app, DeploymentGroupNames: some})
		if err != nil {
			return fmt.Errorf("get groups of %s: %w", app, classify(err))
		}
		slices.SortFunc(out.DeploymentGroupsInfo, func(a, b cdtypes.DeploymentGroupInfo) int {
			return cmp.Compare(aws.ToString(a.DeploymentGroupName), aws.ToString(b.DeploymentGroupName))
		})
		for _, info := range out.DeploymentGroupsInfo {
			if err := s.one(ctx, deploy.Target{Application: app, Group: aws.ToString(info.DeploymentGroupName)}, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func after(names []string, name string) int {
	at, found := slices.BinarySearch(names, name)
	if found {
		at++
	}
	return at
}

func (s *survey) one(ctx context.Context, t deploy.Target, info cdtypes.DeploymentGroupInfo) error {
	if _, known := s.platforms[platformOf(info.ComputePlatform)]; !known {
		return nil
	}
	if err := s.spend(); err != nil {
		return err
	}
	tags, err := s.tags(ctx, t)
	if err != nil && !errors.Is(err, deploy.ErrUnknown) {
		return err
	}
	s.at.App, s.at.Group = t.Application, t.Group
	if g := tagged(t, info, tags); g.Enabled {
		s.enabled = append(s.enabled, g)
	}
	return nil
}

func (c *Client) groupsOf(ctx context.Context, app string) ([]string, error) {
	var names []string
	in := &codedeploy.ListDeploymentGroupsInput{ApplicationName: &app}
	for range maxPages {
		out, err := c.api.ListDeploymentGroups(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list groups of %s: %w", app, classify(err))
		}
		names = append(names, out.DeploymentGroups...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return names, nil
		}
	}
	return nil, fmt.Errorf("list groups of %s: %w", app, errEndless)
}
