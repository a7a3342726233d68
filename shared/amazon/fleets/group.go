package fleets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The tags that an Auto Scaling group may carry. Users write them, must not
// change.
const (
	tagPrefix  = "pullback:"
	tagEnabled = "pullback:enabled"
	tagAlarms  = "pullback:alarms"
)

// Group returns one group. Its alarms are those of its tag and those of its last
// refresh, which are all that Auto Scaling knows: deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	g, err := c.find(ctx, t)
	if err != nil {
		return deploy.Group{}, err
	}
	return c.group(ctx, g)
}

func (c *Client) group(ctx context.Context, g astypes.AutoScalingGroup) (deploy.Group, error) {
	t := deploy.Target{Kind: deploy.KindScaling, Group: aws.ToString(g.AutoScalingGroupName)}
	tags := make(map[string]string)
	for _, tag := range g.Tags {
		if key := aws.ToString(tag.Key); strings.HasPrefix(key, tagPrefix) {
			tags[key] = aws.ToString(tag.Value)
		}
	}
	last, _, err := c.refreshes(ctx, t)
	if err != nil {
		return deploy.Group{}, err
	}
	alarms := strings.FieldsFunc(tags[tagAlarms], func(r rune) bool { return r == ' ' || r == ',' })
	if len(last) > 0 && last[0].Preferences != nil && last[0].Preferences.AlarmSpecification != nil {
		alarms = append(alarms, last[0].Preferences.AlarmSpecification.Alarms...)
	}
	slices.Sort(alarms)
	return deploy.Group{
		Target: t, Enabled: tags[tagEnabled] == "true", Alarms: slices.Compact(alarms), Tags: tags, Warning: warning(g),
	}, nil
}

// warning says what stands in the way of a rollback while a refresh runs (API
// reference, RollbackInstanceRefresh).
func warning(g astypes.AutoScalingGroup) string {
	spec := launches(g)
	switch {
	case spec == nil:
		return "it has a launch configuration, which has no versions, so pullback cannot put one back: give it a launch template"
	case pinned(spec) == "":
		v := aws.ToString(spec.Version)
		if v == "" {
			v = "$Default"
		}
		return fmt.Sprintf("it launches the version %s of its launch template, so Auto Scaling cannot roll a refresh back while it runs: pullback cancels it and starts another. "+
			"Name the version by its number, and refresh with a desired configuration", v)
	default:
		return ""
	}
}

// maxGroups is how many groups one call lists (API reference,
// DescribeAutoScalingGroups).
const maxGroups = 100

// Survey returns the groups that are tagged pullback:enabled=true, as many at a
// time as calls allows: one for a page of groups and one for each group's last
// refresh, which knows its alarms.
func (c *Client) Survey(ctx context.Context, from string, calls int) ([]deploy.Group, string, error) {
	page := int32(min(max(calls-1, 1), maxGroups))
	in := &autoscaling.DescribeAutoScalingGroupsInput{
		Filters:    []astypes.Filter{{Name: aws.String("tag:" + tagEnabled), Values: []string{"true"}}},
		MaxRecords: &page, IncludeInstances: aws.Bool(false),
	}
	if from != "" {
		in.NextToken = &from
	}
	out, err := c.scaling.DescribeAutoScalingGroups(ctx, in)
	if failed, ok := errors.AsType[smithy.APIError](err); ok && failed.ErrorCode() == "InvalidNextToken" && from != "" {
		return nil, "", nil // the mark is too old: the next survey begins again
	}
	if err != nil {
		return nil, "", fmt.Errorf("list Auto Scaling groups: %w", err)
	}
	var all []deploy.Group
	for _, g := range out.AutoScalingGroups {
		found, err := c.group(ctx, g)
		if errors.Is(err, deploy.ErrUnknown) {
			continue // gone since it was listed
		}
		if err != nil {
			return nil, "", err
		}
		all = append(all, found)
	}
	return all, aws.ToString(out.NextToken), nil
}

// Active returns the refreshes that run, or began at or after since. Auto Scaling
// lists refreshes by group only, so it asks for each of those that are known.
func (c *Client) Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	var active []deploy.Deployment
	for _, t := range known {
		all, err := c.Recent(ctx, t, time.Time{})
		if errors.Is(err, deploy.ErrUnknown) {
			continue // the group is gone
		}
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if d.Running() || !d.Created.Before(since) {
				active = append(active, d)
			}
		}
	}
	return active, nil
}

// maxHistory is how many successes are returned.
const maxHistory = 20

// History returns the refreshes of a group that ended well, newest first, as far
// as their revision is known. Auto Scaling remembers six weeks (API reference,
// DescribeInstanceRefreshes). One that was rolled back has not ended well.
func (c *Client) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	all, _, err := c.refreshes(ctx, p.Target)
	if err != nil {
		return nil, err
	}
	var past []deploy.Success
	for i, r := range all {
		if r.Status != astypes.InstanceRefreshStatusSuccessful || len(past) == maxHistory {
			continue
		}
		to := pinned(brings(r))
		if to == "" && i == 0 {
			if _, to, err = c.moved(ctx, p.Target, all, true); err != nil {
				return nil, fmt.Errorf("history of %s: %w", p.Target, err)
			}
		}
		if to != "" {
			past = append(past, deploy.Success{Deployment: deploy.ID(aws.ToString(r.InstanceRefreshId)), Revision: to, Ended: aws.ToTime(r.EndTime).UTC()})
		}
	}
	return past, nil
}
