package codedeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How long traffic may take to stop or to come (user guide, "CodeDeploy
// quotas": one hour for a lifecycle event), and how often the health of a
// target is looked at (assumed).
const (
	trafficLimit = time.Hour
	trafficPoll  = 5 * time.Second
)

// traffic takes the instance from the target groups, or gives it to them, and
// waits until that has been done: until it is drained, or until it is healthy.
func (t *task) traffic(ctx context.Context) {
	groups, err := t.r.targetGroups(ctx)
	if err == nil {
		for _, arn := range groups {
			if err = t.move(ctx, arn); err != nil {
				break
			}
		}
	}
	if err != nil {
		t.failTraffic(ctx, err.Error())
		return
	}
	t.settle(ctx, groups, t.r.s.w.Now().Add(trafficLimit))
}

func (t *task) failTraffic(ctx context.Context, why string) {
	t.fail(ctx, &cdtypes.Diagnostics{ErrorCode: cdtypes.LifecycleErrorCodeUnknownError, Message: aws.String(why)})
}

// targetGroups finds the ARNs of the target groups that the deployment names.
func (r *serverRun) targetGroups(ctx context.Context) ([]string, error) {
	in := &elb.DescribeTargetGroupsInput{}
	if l := r.d.info.LoadBalancerInfo; l != nil {
		for _, g := range l.TargetGroupInfoList {
			in.Names = append(in.Names, aws.ToString(g.Name))
		}
	}
	out, err := wire.Do[elb.DescribeTargetGroupsOutput](ctx, r.s.c, r.d.principal(), "elasticloadbalancing", "DescribeTargetGroups", in)
	if err != nil {
		return nil, fmt.Errorf("describe target groups %v: %w", in.Names, err)
	}
	var arns []string
	for _, g := range out.TargetGroups {
		arns = append(arns, aws.ToString(g.TargetGroupArn))
	}
	return arns, nil
}

func (t *task) target() []elbtypes.TargetDescription {
	return []elbtypes.TargetDescription{{Id: aws.String(t.m.id)}}
}

func (t *task) move(ctx context.Context, arn string) error {
	s, who := t.r.s, t.r.d.principal()
	if t.name() == blockTraffic {
		_, err := wire.Do[elb.DeregisterTargetsOutput](ctx, s.c, who, "elasticloadbalancing", "DeregisterTargets",
			&elb.DeregisterTargetsInput{TargetGroupArn: aws.String(arn), Targets: t.target()})
		return err
	}
	_, err := wire.Do[elb.RegisterTargetsOutput](ctx, s.c, who, "elasticloadbalancing", "RegisterTargets",
		&elb.RegisterTargetsInput{TargetGroupArn: aws.String(arn), Targets: t.target()})
	return err
}

// settle waits until all target groups have done what they were told.
func (t *task) settle(ctx context.Context, groups []string, deadline time.Time) {
	wanted := elbtypes.TargetHealthStateEnumHealthy
	if t.name() == blockTraffic {
		wanted = elbtypes.TargetHealthStateEnumUnused
	}
	for _, arn := range groups {
		state, err := t.health(ctx, arn)
		switch {
		case err != nil:
			t.failTraffic(ctx, err.Error())
			return
		case state == wanted:
		case t.r.s.w.Now().Before(deadline):
			t.r.s.later(t.r.d, trafficPoll, func() { t.settle(ctx, groups, deadline) })
			return
		default:
			t.failTraffic(ctx, fmt.Sprintf("The instance is %s in target group %s after one hour, not %s.", state, arn, wanted))
			return
		}
	}
	t.succeed(ctx)
}

func (t *task) health(ctx context.Context, arn string) (elbtypes.TargetHealthStateEnum, error) {
	out, err := wire.Do[elb.DescribeTargetHealthOutput](ctx, t.r.s.c, t.r.d.principal(), "elasticloadbalancing", "DescribeTargetHealth",
		&elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn), Targets: t.target()})
	if err != nil {
		return "", fmt.Errorf("describe the health of %s in %s: %w", t.m.id, arn, err)
	}
	if len(out.TargetHealthDescriptions) == 0 || out.TargetHealthDescriptions[0].TargetHealth == nil {
		return elbtypes.TargetHealthStateEnumUnused, nil
	}
	return out.TargetHealthDescriptions[0].TargetHealth.State, nil
}
