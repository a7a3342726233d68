package deployments

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/together"
)

// The tags that a group may carry. Users write them, must not change.
const (
	tagPrefix  = "pullback:"
	TagEnabled = "pullback:enabled" // "true": pullback looks after the group
	TagAlarms  = "pullback:alarms"  // further alarms that speak for it, separated by spaces or commas
	TagAlias   = "pullback:alias"   // FUNCTION:ALIAS that it moves, so that what serves now can bake before the first deployment
)

// Group returns one group: deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	var out *codedeploy.GetDeploymentGroupOutput
	var tags map[string]string
	err := together.Do(
		func() (err error) {
			out, err = c.api.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &t.Application, DeploymentGroupName: &t.Group})
			if err != nil {
				return fmt.Errorf("get group %s: %w", t, classify(err))
			}
			return nil
		},
		func() (err error) { tags, err = c.tags(ctx, t); return err },
	)
	if err != nil {
		return deploy.Group{}, err
	}
	if out.DeploymentGroupInfo == nil {
		return deploy.Group{}, fmt.Errorf("get group %s: empty answer", t)
	}
	return tagged(t, *out.DeploymentGroupInfo, tags), nil
}

// tagged adds what the tags say to what CodeDeploy says of a group.
func tagged(t deploy.Target, info cdtypes.DeploymentGroupInfo, tags map[string]string) deploy.Group {
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
		Target: t, Platform: platformOf(info.ComputePlatform), Enabled: tags[TagEnabled] == "true", Alarms: slices.Compact(alarms),
		Alias: deploy.Alias{Function: function, Name: name}, Tags: tags,
	}
}

// tags returns those of a group's tags that are about pullback.
func (c *Client) tags(ctx context.Context, t deploy.Target) (map[string]string, error) {
	tags := make(map[string]string)
	in := &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String(c.arn(t))}
	for range maxPages {
		out, err := c.api.ListTagsForResource(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read tags of %s: %w", t, classify(err))
		}
		for _, tag := range out.Tags {
			if key := aws.ToString(tag.Key); strings.HasPrefix(key, tagPrefix) {
				tags[key] = aws.ToString(tag.Value)
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return tags, nil
		}
	}
	return nil, fmt.Errorf("read tags of %s: %w", t, errEndless)
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
