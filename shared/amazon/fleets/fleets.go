// Package fleets is the driver of Auto Scaling groups whose instances are
// replaced by instance refreshes.
//
// A revision is a launch template and the number of a version of it,
// "lt-0abc:3": $Latest and $Default say what will be launched next, not what
// serves, and Auto Scaling rolls back to neither. A deployment is an instance
// refresh.
//
// It decides nothing, waits for nothing and deletes nothing. It does not put back
// groups that have a launch configuration: those have no versions.
package fleets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// groups is the part of *autoscaling.Client that looks.
type groups interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
}

// mover is the part that changes something.
type mover interface {
	StartInstanceRefresh(context.Context, *autoscaling.StartInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error)
	RollbackInstanceRefresh(context.Context, *autoscaling.RollbackInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.RollbackInstanceRefreshOutput, error)
	CancelInstanceRefresh(context.Context, *autoscaling.CancelInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.CancelInstanceRefreshOutput, error)
}

// scaling is the part of *autoscaling.Client that this package uses.
type scaling interface {
	groups
	mover
}

// templates is the part of *ec2.Client that knows what is launched.
type templates interface {
	DescribeLaunchTemplateVersions(context.Context, *ec2.DescribeLaunchTemplateVersionsInput, ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplateVersionsOutput, error)
	DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error)
}

// profiles is the part of *iam.Client that knows the roles of instances.
type profiles interface {
	GetInstanceProfile(context.Context, *iam.GetInstanceProfileInput, ...func(*iam.Options)) (*iam.GetInstanceProfileOutput, error)
}

// Keys knows the state of keys.
type Keys interface {
	// Key says why a key could not be used now, and what mends it; "" if it could. An
	// error says that it is not known.
	Key(ctx context.Context, name string) (lost string, err error)
}

// Client looks after the Auto Scaling groups of one account and region.
type Client struct {
	scaling   scaling
	templates templates
	profiles  profiles
	keys      Keys // or nil
}

// New returns a client that calls Auto Scaling, EC2 and IAM.
func New(scaling scaling, templates templates, profiles profiles) *Client {
	return &Client{scaling: scaling, templates: templates, profiles: profiles}
}

// With returns a client that looks at the keys of disks, too.
func (c *Client) With(k Keys) *Client {
	with := *c
	with.keys = k
	return &with
}

// find returns one group: deploy.ErrUnknown.
func (c *Client) find(ctx context.Context, t deploy.Target) (astypes.AutoScalingGroup, error) {
	out, err := c.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{t.Group}})
	if err != nil {
		return astypes.AutoScalingGroup{}, fmt.Errorf("describe Auto Scaling group %s: %w", t.Group, classify(err))
	}
	if len(out.AutoScalingGroups) == 0 {
		return astypes.AutoScalingGroup{}, fmt.Errorf("describe Auto Scaling group %s: there is none of that name: %w", t.Group, deploy.ErrUnknown)
	}
	return out.AutoScalingGroups[0], nil
}

// maxRefreshes is how many refreshes one call returns (API reference,
// DescribeInstanceRefreshes). More than that have no part in what pullback does.
const maxRefreshes = 100

// refreshes returns the last refreshes of a group, newest first (API reference,
// DescribeInstanceRefreshes: "ordered by start time, with the most recent
// first"), and what time AWS says it is: deploy.ErrUnknown.
func (c *Client) refreshes(ctx context.Context, t deploy.Target) ([]astypes.InstanceRefresh, time.Time, error) {
	most := int32(maxRefreshes)
	out, err := c.scaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &t.Group, MaxRecords: &most})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("describe instance refreshes of %s: %w", t.Group, classify(err))
	}
	if err := c.identify(ctx, out.InstanceRefreshes); err != nil {
		return nil, time.Time{}, fmt.Errorf("describe instance refreshes of %s: %w", t.Group, err)
	}
	return out.InstanceRefreshes, now(out), nil
}

// identify looks up the ids of launch templates that refreshes know by their
// names alone: a name may be given to another template later.
func (c *Client) identify(ctx context.Context, refreshes []astypes.InstanceRefresh) error {
	ids := make(map[string]*string)
	for _, r := range refreshes {
		s := brings(r)
		if s == nil || s.LaunchTemplateId != nil || s.LaunchTemplateName == nil {
			continue
		}
		id, known := ids[*s.LaunchTemplateName]
		if !known {
			out, err := c.templates.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
				LaunchTemplateName: s.LaunchTemplateName, Versions: []string{"$Default"},
			})
			if err = classify(err); err != nil && !errors.Is(err, deploy.ErrUnknown) {
				return fmt.Errorf("launch template %s: %w", *s.LaunchTemplateName, err)
			}
			if err == nil && len(out.LaunchTemplateVersions) > 0 {
				id = out.LaunchTemplateVersions[0].LaunchTemplateId
			}
			ids[*s.LaunchTemplateName] = id
		}
		s.LaunchTemplateId = id
	}
	return nil
}

// classify turns the errors that a caller may branch on into ours, with Auto
// Scaling's words. It goes by code and not by type: that of a group that does
// not exist has no type.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch message := failed.ErrorMessage(); failed.ErrorCode() {
	case "ActiveInstanceRefreshNotFound":
		return fmt.Errorf("%w: %s", deploy.ErrEnded, message)
	case "InstanceRefreshInProgress":
		return fmt.Errorf("%w: %s", deploy.ErrBusy, message)
	case "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateName.NotFoundException",
		"InvalidLaunchTemplateId.Malformed":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, message)
	case "ValidationError":
		// "AutoScalingGroup name not found - …", as published by users. What is
		// wrong with a launch template is told as a ValidationError, too.
		switch {
		case strings.Contains(message, "name not found"):
			return fmt.Errorf("%w: %s", deploy.ErrUnknown, message)
		case strings.Contains(strings.ToLower(message), "launch template"):
			return fmt.Errorf("%w: %s", deploy.ErrNotReady, message)
		}
	}
	return err
}
