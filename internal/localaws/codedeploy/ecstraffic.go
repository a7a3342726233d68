package codedeploy

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/bluegreen"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// gradual reports whether traffic moves in steps.
func (r *ecsRun) gradual() bool { return len(r.steps()) > 1 }

func (r *ecsRun) steps() []bluegreen.Step { return bluegreen.Steps(r.d.config.TrafficRoutingConfig) }

// network reports whether a listener belongs to a Network Load Balancer.
func network(listenerARN string) bool { return strings.Contains(listenerARN, ":listener/net/") }

// listeners lists the listeners of a traffic route.
func listeners(route *cdtypes.TrafficRoute) []string {
	if route == nil {
		return nil
	}
	return route.ListenerArns
}

// behind refuses listeners that send nothing to the original task set. The
// message is AWS's (user guide, "Troubleshoot Amazon ECS deployment issues").
func (r *ecsRun) behind(ctx context.Context) *problem {
	for _, arn := range append(listeners(r.route().ProdTrafficRoute), listeners(r.route().TestTrafficRoute)...) {
		rules, p := r.rules(ctx, arn)
		if p != nil {
			return p
		}
		found := false
		for _, rule := range rules {
			found = found || bluegreen.Serves(rule.Actions, r.blue.group)
		}
		if !found {
			return &problem{cdtypes.ErrorCodeElasticLoadBalancingInvalid, "The ELB could not be updated due to the following error: Primary taskset target group must be behind listener " + arn}
		}
	}
	return nil
}

// rules reads the rules of a listener.
func (r *ecsRun) rules(ctx context.Context, listenerARN string) ([]elbtypes.Rule, *problem) {
	out, err := wire.Do[elb.DescribeRulesOutput](ctx, r.s.c, r.d.principal(), "elasticloadbalancing", "DescribeRules", &elb.DescribeRulesInput{ListenerArn: aws.String(listenerARN)})
	if err != nil {
		return nil, r.elbProblem(err)
	}
	return out.Rules, nil
}

// send gives green a part of what the listeners of a route send to either
// target group, in the default rule and in all others that refer to them. The
// group that gets nothing stays behind the listener with the weight 0
// (observed since November 2022). A Network Load Balancer is given one group.
func (r *ecsRun) send(ctx context.Context, route *cdtypes.TrafficRoute, percent int32) *problem {
	for _, arn := range listeners(route) {
		rules, p := r.rules(ctx, arn)
		if p != nil {
			return p
		}
		for _, rule := range rules {
			actions, ok := r.pair().Split(rule.Actions, percent)
			if network(arn) {
				actions, ok = r.pair().Switch(rule.Actions, percent == bluegreen.All)
			}
			if !ok {
				continue
			}
			if err := r.change(ctx, arn, rule, actions); err != nil {
				return r.elbProblem(err)
			}
		}
	}
	r.life.updated = r.s.w.Now()
	return nil
}

func (r *ecsRun) change(ctx context.Context, listenerARN string, rule elbtypes.Rule, actions []elbtypes.Action) error {
	if aws.ToBool(rule.IsDefault) {
		_, err := wire.Do[elb.ModifyListenerOutput](ctx, r.s.c, r.d.principal(), "elasticloadbalancing", "ModifyListener",
			&elb.ModifyListenerInput{ListenerArn: aws.String(listenerARN), DefaultActions: actions})
		return err
	}
	_, err := wire.Do[elb.ModifyRuleOutput](ctx, r.s.c, r.d.principal(), "elasticloadbalancing", "ModifyRule", &elb.ModifyRuleInput{RuleArn: rule.RuleArn, Actions: actions})
	return err
}

// allowTest sends the test traffic to the replacement task set, if there is a
// test listener.
func (r *ecsRun) allowTest(ctx context.Context) {
	if p := r.send(ctx, r.route().TestTrafficRoute, bluegreen.All); p != nil {
		r.fail(ctx, p)
		return
	}
	r.finish(ctx, ecsAllowTestTraffic)
}

// shift takes the n-th step, waits and goes on with the next. With the last, the
// replacement task set becomes the primary one.
func (r *ecsRun) shift(ctx context.Context, n int) {
	step := r.steps()[n]
	if p := r.send(ctx, r.route().ProdTrafficRoute, step.Percent); p != nil {
		r.fail(ctx, p)
		return
	}
	r.percent = step.Percent
	if n+1 < len(r.steps()) {
		r.plan(ctx, step.Wait, ecsShift, n+1)
		return
	}
	if err := r.promote(ctx, r.green.set); err != nil {
		r.fail(ctx, r.ecsProblem(err))
		return
	}
	r.promoted = true
	r.finish(ctx, ecsAllowTraffic)
}

// reroute gives all traffic back to the original task set.
func (r *ecsRun) reroute(ctx context.Context) *problem {
	for _, route := range []*cdtypes.TrafficRoute{r.route().ProdTrafficRoute, r.route().TestTrafficRoute} {
		if p := r.send(ctx, route, 0); p != nil {
			return p
		}
	}
	r.percent = 0
	if !r.promoted {
		return nil
	}
	if err := r.promote(ctx, r.blue.set); err != nil {
		return r.ecsProblem(err)
	}
	r.promoted = false
	return nil
}
