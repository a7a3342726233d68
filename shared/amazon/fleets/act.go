package fleets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// once makes a call that is not repeated.
func once(o *autoscaling.Options) { o.Retryer = aws.NopRetryer{} }

// Stop rolls a running refresh back, or cancels it where Auto Scaling cannot roll
// back: without a desired configuration, with $Latest or $Default, or with an
// image that is a parameter (API reference, RollbackInstanceRefresh). What was
// replaced until then stays as it is then, and takes a Restore. Telling it twice
// does no harm: deploy.ErrEnded, deploy.ErrUnknown.
//
// Both calls name the group and not the refresh, so the refresh is looked at
// first: that of another team must not be hit.
func (c *Client) Stop(ctx context.Context, d deploy.Deployment) error {
	going, err := c.stoppable(ctx, d)
	if err != nil || !going {
		return err
	}
	out, err := c.scaling.RollbackInstanceRefresh(ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: &d.Target.Group}, once)
	if _, irreversible := errors.AsType[*astypes.IrreversibleInstanceRefreshFault](err); irreversible {
		return c.cancel(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("roll back instance refresh %s of %s: %w", d.ID, d.Target.Group, classify(err))
	}
	return same(d, out.InstanceRefreshId)
}

// cancel leaves a refresh where it is. It does not wait for instances that are
// coming or going: what follows replaces them anyway.
func (c *Client) cancel(ctx context.Context, d deploy.Deployment) error {
	out, err := c.scaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{
		AutoScalingGroupName: &d.Target.Group, WaitForTransitioningInstances: aws.Bool(false),
	}, once)
	if err != nil {
		return fmt.Errorf("cancel instance refresh %s of %s: %w", d.ID, d.Target.Group, classify(err))
	}
	return same(d, out.InstanceRefreshId)
}

// same says that another refresh than the one that was meant was hit: it began in
// the moment between the look and the call.
func same(d deploy.Deployment, hit *string) error {
	if id := aws.ToString(hit); id != "" && id != string(d.ID) {
		return fmt.Errorf("stop instance refresh %s of %s: %s was under way instead and has been stopped: look at it and start it again", d.ID, d.Target.Group, id)
	}
	return nil
}

// stoppable says whether a refresh goes forward; nothing has to be done if it
// goes back or is being cancelled already.
func (c *Client) stoppable(ctx context.Context, d deploy.Deployment) (bool, error) {
	all, _, err := c.refreshes(ctx, d.Target)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(all, func(r astypes.InstanceRefresh) bool { return aws.ToString(r.InstanceRefreshId) == string(d.ID) })
	if at < 0 {
		return false, fmt.Errorf("stop instance refresh %s of %s: it is not among the last %d: %w", d.ID, d.Target.Group, maxRefreshes, deploy.ErrUnknown)
	}
	switch s := all[at].Status; {
	case s == astypes.InstanceRefreshStatusRollbackInProgress, s == astypes.InstanceRefreshStatusCancelling:
		return false, nil
	case status(s).Ended():
		return false, fmt.Errorf("stop instance refresh %s of %s: it is %s: %w", d.ID, d.Target.Group, s, deploy.ErrEnded)
	default:
		return true, nil
	}
}

// Restore starts a refresh to a pinned version, and returns its id.
// deploy.ErrBusy, deploy.ErrUnknown, deploy.ErrNotReady.
//
// It makes one attempt, for StartInstanceRefresh has no token; who lost the answer
// looks for a refresh to that revision. No alarm stops it, because the one that
// asked for it is still on, and its own failure rolls nothing back.
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	t := r.Place.Target
	to, err := parse(r.To)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	g, err := c.find(ctx, t)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	desired, err := configuration(g, to)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	last, _, err := c.refreshes(ctx, t)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	out, err := c.scaling.StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: &t.Group, Strategy: astypes.RefreshStrategyRolling, DesiredConfiguration: desired, Preferences: preferences(last),
	}, once)
	if failed, ok := errors.AsType[smithy.APIError](err); ok && failed.ErrorCode() == "AccessDenied" {
		// Auto Scaling looks whether its caller might launch the template itself
		// (user guide, "Control Amazon EC2 launch template usage in Auto Scaling groups").
		return "", fmt.Errorf("restore %s: pullback needs autoscaling:StartInstanceRefresh, ec2:RunInstances, ec2:CreateTags if the template has tags, "+
			"and iam:PassRole for the role of the instances: %w", t, err)
	}
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, classify(err))
	}
	return deploy.ID(aws.ToString(out.InstanceRefreshId)), nil
}

// preferences are how a revision is put back: all instances at once, but new ones
// before old ones are taken away. What is bad serves until then: no instance at
// all would be worse than a bad one, and which of them are bad is not known.
// Twice the capacity is the most that there may be (API reference,
// RefreshPreferences, MaxHealthyPercentage); where the account has not got that
// much, it takes longer.
//
// Instances that are protected or on standby are treated as they were by the last
// refresh, for what it has replaced has to be replaced again. Where it waited for
// them, or there was none, they are left alone: waiting ends in failure after an
// hour.
func preferences(last []astypes.InstanceRefresh) *astypes.RefreshPreferences {
	p := &astypes.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(200), SkipMatching: aws.Bool(true), AutoRollback: aws.Bool(false),
		ScaleInProtectedInstances: astypes.ScaleInProtectedInstancesIgnore, StandbyInstances: astypes.StandbyInstancesIgnore,
	}
	if len(last) == 0 || last[0].Preferences == nil {
		return p
	}
	if last[0].Preferences.ScaleInProtectedInstances == astypes.ScaleInProtectedInstancesRefresh {
		p.ScaleInProtectedInstances = astypes.ScaleInProtectedInstancesRefresh
	}
	if last[0].Preferences.StandbyInstances == astypes.StandbyInstancesTerminate {
		p.StandbyInstances = astypes.StandbyInstancesTerminate
	}
	return p
}

// configuration returns what makes a group launch a version. A group with a mixed
// instances policy keeps it but for the version: a desired configuration replaces
// all of it (API reference, DesiredConfiguration). deploy.ErrNotReady if the group
// launches from another template, or from several.
func configuration(g astypes.AutoScalingGroup, to version) (*astypes.DesiredConfiguration, error) {
	spec := &astypes.LaunchTemplateSpecification{LaunchTemplateId: &to.template, Version: aws.String(strconv.FormatInt(to.number, 10))}
	if g.MixedInstancesPolicy == nil || g.MixedInstancesPolicy.LaunchTemplate == nil {
		return &astypes.DesiredConfiguration{LaunchTemplate: spec}, nil
	}
	for _, o := range g.MixedInstancesPolicy.LaunchTemplate.Overrides {
		if o.LaunchTemplateSpecification != nil {
			return nil, fmt.Errorf("its mixed instances policy has a launch template of its own for %s, whose version is not known: start an instance refresh by hand: %w",
				aws.ToString(o.InstanceType), deploy.ErrNotReady)
		}
	}
	p, t := *g.MixedInstancesPolicy, *g.MixedInstancesPolicy.LaunchTemplate
	t.LaunchTemplateSpecification = spec
	p.LaunchTemplate = &t
	return &astypes.DesiredConfiguration{MixedInstancesPolicy: &p}, nil
}
