package fleets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Get returns a refresh with all that is known about it: deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	all, now, err := c.refreshes(ctx, t)
	if err != nil {
		return deploy.Deployment{}, err
	}
	at := slices.IndexFunc(all, func(r astypes.InstanceRefresh) bool { return aws.ToString(r.InstanceRefreshId) == string(id) })
	if at < 0 {
		return deploy.Deployment{}, fmt.Errorf("get instance refresh %s of %s: it is not among the last %d: %w", id, t.Group, maxRefreshes, deploy.ErrUnknown)
	}
	d := convert(t, all[at], now)
	if d.From, d.To, err = c.moved(ctx, t, all[at:], at == 0); err != nil {
		return deploy.Deployment{}, fmt.Errorf("what instance refresh %s of %s moves: %w", id, t.Group, err)
	}
	return d, nil
}

// Recent returns a group's refreshes that began at or after since, newest first.
// What they move is filled in as far as they say it: deploy.ErrUnknown.
func (c *Client) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	all, now, err := c.refreshes(ctx, t)
	if err != nil {
		return nil, err
	}
	var recent []deploy.Deployment
	for i, r := range all {
		if d := convert(t, r, now); !d.Created.Before(since) {
			d.From, d.To = before(all[i+1:]), pinned(brings(r))
			recent = append(recent, d)
		}
	}
	return recent, nil
}

// now is what time AWS says it is: the Date header of its answer.
func now(out *autoscaling.DescribeInstanceRefreshesOutput) time.Time {
	at, _ := awsmiddleware.GetServerTime(out.ResultMetadata)
	return at.UTC()
}

// convert returns what a refresh says of itself. Auto Scaling does not say when a
// refresh was asked for, only when it began: one that is pending was asked for
// just now.
func convert(t deploy.Target, r astypes.InstanceRefresh, now time.Time) deploy.Deployment {
	d := deploy.Deployment{
		ID: deploy.ID(aws.ToString(r.InstanceRefreshId)), Target: t, Status: status(r.Status), Cause: aws.ToString(r.StatusReason),
		Created: now, Ended: aws.ToTime(r.EndTime).UTC(),
	}
	if r.StartTime != nil {
		// The first thing that a refresh does is to take instances away, or to launch
		// some: from then on it may be the reason of trouble.
		d.Created, d.Started, d.Shifted = r.StartTime.UTC(), r.StartTime.UTC(), r.StartTime.UTC()
	}
	if r.EndTime == nil {
		d.Ended = time.Time{}
	}
	if b := r.RollbackDetails; b != nil {
		// A rollback is no refresh of its own: it keeps the id (API reference,
		// RollbackInstanceRefresh).
		d.RolledBack, d.Cause = d.ID, cmp.Or(aws.ToString(b.RollbackReason), d.Cause)
	}
	return d
}

// status puts Auto Scaling's words into CodeDeploy's. A refresh that was rolled
// back was Stopped, for Auto Scaling does not say by whom: on request, by an
// alarm, or because replacements failed; Cause has what it says instead.
func status(s astypes.InstanceRefreshStatus) deploy.Status {
	switch s {
	case astypes.InstanceRefreshStatusPending:
		return deploy.Queued
	case astypes.InstanceRefreshStatusInProgress, astypes.InstanceRefreshStatusCancelling, astypes.InstanceRefreshStatusRollbackInProgress:
		return deploy.InProgress
	case astypes.InstanceRefreshStatusBaking:
		return deploy.Baking
	case astypes.InstanceRefreshStatusSuccessful:
		return deploy.Succeeded
	case astypes.InstanceRefreshStatusFailed, astypes.InstanceRefreshStatusRollbackFailed:
		return deploy.Failed
	case astypes.InstanceRefreshStatusCancelled, astypes.InstanceRefreshStatusRollbackSuccessful:
		return deploy.Stopped
	default:
		return deploy.Status(s)
	}
}

// before returns what the last refresh that ended well led to.
func before(older []astypes.InstanceRefresh) deploy.Revision {
	for _, r := range older {
		if r.Status == astypes.InstanceRefreshStatusSuccessful {
			return pinned(brings(r))
		}
	}
	return ""
}

// moved returns what the first of some refreshes moves, newest first. What the
// refreshes do not say, the instances do, as long as it is the group's newest.
func (c *Client) moved(ctx context.Context, t deploy.Target, refreshes []astypes.InstanceRefresh, newest bool) (from, to deploy.Revision, err error) {
	r := refreshes[0]
	from, to = before(refreshes[1:]), pinned(brings(r))
	if !newest || r.Status == astypes.InstanceRefreshStatusSuccessful && from != "" && to != "" {
		return from, to, nil
	}
	g, err := c.find(ctx, t)
	if err != nil {
		return "", "", err
	}
	n := serving(g)
	if to == "" {
		if to, err = c.leadsTo(ctx, g, r, n); err != nil {
			return "", "", err
		}
	}
	// The instances that are not replaced yet show what really runs, which may
	// have been changed without a refresh; the group's own setting stays as it was
	// until a refresh with a desired configuration has succeeded (user guide,
	// "Start an instance refresh").
	if r.Status != astypes.InstanceRefreshStatusSuccessful {
		from = cmp.Or(most(n, to), other(pinned(launches(g)), to), from)
	}
	return other(from, to), to, nil
}

// other returns r unless it is the same as to.
func other(r, to deploy.Revision) deploy.Revision {
	if r == to {
		return ""
	}
	return r
}

// leadsTo returns what the newest refresh of a group leads to if it does not say
// it by number: while it runs, what $Latest or $Default is now; afterwards, what
// was launched.
func (c *Client) leadsTo(ctx context.Context, g astypes.AutoScalingGroup, r astypes.InstanceRefresh, serving map[deploy.Revision]int) (deploy.Revision, error) {
	if r.Status == astypes.InstanceRefreshStatusSuccessful && len(serving) == 1 {
		return most(serving, ""), nil
	}
	spec := brings(r)
	if spec == nil {
		spec = launches(g)
	}
	return c.resolve(ctx, spec)
}

// resolve returns the revision that a specification means now, and nothing if
// there is none.
func (c *Client) resolve(ctx context.Context, s *astypes.LaunchTemplateSpecification) (deploy.Revision, error) {
	if r := pinned(s); r != "" || s == nil {
		return r, nil
	}
	in := &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: s.LaunchTemplateId, Versions: []string{cmp.Or(aws.ToString(s.Version), "$Default")},
	}
	if s.LaunchTemplateId == nil {
		in.LaunchTemplateName = s.LaunchTemplateName
	}
	out, err := c.templates.DescribeLaunchTemplateVersions(ctx, in)
	if err != nil {
		return "", fmt.Errorf("version %s of launch template %s: %w", in.Versions[0], cmp.Or(aws.ToString(s.LaunchTemplateId), aws.ToString(s.LaunchTemplateName)), classify(err))
	}
	if len(out.LaunchTemplateVersions) == 0 {
		return "", nil
	}
	v := out.LaunchTemplateVersions[0]
	return version{aws.ToString(v.LaunchTemplateId), aws.ToInt64(v.VersionNumber)}.revision(), nil
}
