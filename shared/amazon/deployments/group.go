package deployments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The tags that a group may carry. Users write them, must not change.
const (
	TagEnabled = "pullback:enabled" // "true": pullback looks after the group
	TagAlarms  = "pullback:alarms"  // further alarms that speak for it, separated by spaces or commas
	TagAlias   = "pullback:alias"   // FUNCTION:ALIAS that it moves, so that what serves now can bake before the first deployment
)

// maxGroups is how many groups one BatchGetDeploymentGroups returns (API
// reference, "BatchLimitExceededException").
const maxGroups = 100

// Group returns one group: deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	out, err := c.api.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
	})
	if err != nil {
		return deploy.Group{}, fmt.Errorf("get group %s: %w", t, classify(err))
	}
	if out.DeploymentGroupInfo == nil {
		return deploy.Group{}, fmt.Errorf("get group %s: empty answer", t)
	}
	return c.group(ctx, t, *out.DeploymentGroupInfo)
}

// Enabled returns the groups that pullback looks after, sorted by target: those
// of the Lambda platform that are tagged so. It costs one call per application
// and one per group, so it is for the sweep, not for signals.
func (c *Client) Enabled(ctx context.Context) ([]deploy.Group, error) {
	apps, err := c.applications(ctx)
	if err != nil {
		return nil, err
	}
	var enabled []deploy.Group
	for _, app := range apps {
		found, err := c.enabledOf(ctx, app)
		// The application may be gone since it was listed.
		if err != nil && !errors.Is(err, deploy.ErrUnknown) {
			return nil, err
		}
		enabled = append(enabled, found...)
	}
	slices.SortFunc(enabled, func(a, b deploy.Group) int { return cmp.Compare(a.Target.String(), b.Target.String()) })
	return enabled, nil
}

func (c *Client) applications(ctx context.Context) ([]string, error) {
	var names []string
	in := &codedeploy.ListApplicationsInput{}
	for range maxPages {
		out, err := c.api.ListApplications(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list applications: %w", err)
		}
		names = append(names, out.Applications...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return names, nil
		}
	}
	return nil, fmt.Errorf("list applications: %w", errEndless)
}

func (c *Client) enabledOf(ctx context.Context, app string) ([]deploy.Group, error) {
	names, err := c.groupsOf(ctx, app)
	if err != nil {
		return nil, err
	}
	var enabled []deploy.Group
	for some := range slices.Chunk(names, maxGroups) {
		out, err := c.api.BatchGetDeploymentGroups(ctx, &codedeploy.BatchGetDeploymentGroupsInput{
			ApplicationName: &app, DeploymentGroupNames: some,
		})
		if err != nil {
			return nil, fmt.Errorf("get groups of %s: %w", app, classify(err))
		}
		for _, info := range out.DeploymentGroupsInfo {
			if info.ComputePlatform != cdtypes.ComputePlatformLambda {
				continue
			}
			g, err := c.group(ctx, deploy.Target{Application: app, Group: aws.ToString(info.DeploymentGroupName)}, info)
			if err != nil && !errors.Is(err, deploy.ErrUnknown) {
				return nil, err
			}
			if g.Enabled {
				enabled = append(enabled, g)
			}
		}
	}
	return enabled, nil
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

// group adds what the tags say to what CodeDeploy says of a group.
func (c *Client) group(ctx context.Context, t deploy.Target, info cdtypes.DeploymentGroupInfo) (deploy.Group, error) {
	tags, err := c.tags(ctx, t)
	if err != nil {
		return deploy.Group{}, fmt.Errorf("read tags of %s: %w", t, err)
	}
	// Alarms count even where CodeDeploy is told to ignore them: that says
	// whether CodeDeploy stops by itself, not whether they are about the group.
	alarms := strings.FieldsFunc(tags[TagAlarms], func(r rune) bool { return r == ' ' || r == ',' })
	if info.AlarmConfiguration != nil {
		for _, a := range info.AlarmConfiguration.Alarms {
			alarms = append(alarms, aws.ToString(a.Name))
		}
	}
	slices.Sort(alarms)
	function, name, _ := strings.Cut(tags[TagAlias], ":")
	return deploy.Group{
		Target: t, Enabled: tags[TagEnabled] == "true", Alarms: slices.Compact(alarms), Alias: deploy.Alias{Function: function, Name: name},
	}, nil
}

func (c *Client) tags(ctx context.Context, t deploy.Target) (map[string]string, error) {
	tags := make(map[string]string)
	in := &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String(c.arn(t))}
	for range maxPages {
		out, err := c.api.ListTagsForResource(ctx, in)
		if err != nil {
			return nil, classify(err)
		}
		for _, tag := range out.Tags {
			tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return tags, nil
		}
	}
	return nil, errEndless
}

// arn returns the ARN of a group (service authorization reference, "Actions,
// resources, and condition keys for AWS CodeDeploy").
func (c *Client) arn(t deploy.Target) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(c.region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":codedeploy:" + c.region + ":" + c.account + ":deploymentgroup:" + t.String()
}
