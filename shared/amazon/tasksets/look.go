package tasksets

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// primary is the status of the task set that a service shows as its own, and that
// CodeDeploy replaces.
const primary = "PRIMARY"

// group is what a deployment group says of its service.
type group struct {
	cluster, service string
	pair             []string // names of both target groups
	production, test []string // ARNs of listeners
	active           string   // the deployment under way; empty if there is none
}

func (g group) String() string { return g.cluster + "/" + g.service }

// group reads a deployment group: deploy.ErrUnknown.
func (c *Client) group(ctx context.Context, t deploy.Target) (group, error) {
	out, err := c.groups.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &t.Application, DeploymentGroupName: &t.Group})
	if err != nil {
		return group{}, fmt.Errorf("get group %s: %w", t, classify(err))
	}
	info := out.DeploymentGroupInfo
	if info == nil || len(info.EcsServices) == 0 || info.LoadBalancerInfo == nil || len(info.LoadBalancerInfo.TargetGroupPairInfoList) == 0 {
		return group{}, fmt.Errorf("get group %s: %w: it has no service behind a load balancer", t, deploy.ErrUnknown)
	}
	// There is one of each (API reference, "LoadBalancerInfo", "DeploymentGroupInfo").
	pair := info.LoadBalancerInfo.TargetGroupPairInfoList[0]
	g := group{cluster: aws.ToString(info.EcsServices[0].ClusterName), service: aws.ToString(info.EcsServices[0].ServiceName)}
	for _, tg := range pair.TargetGroups {
		g.pair = append(g.pair, aws.ToString(tg.Name))
	}
	if pair.ProdTrafficRoute != nil {
		g.production = pair.ProdTrafficRoute.ListenerArns
	}
	if pair.TestTrafficRoute != nil {
		g.test = pair.TestTrafficRoute.ListenerArns
	}
	if d := info.LastAttemptedDeployment; d != nil && !ended(d.Status) {
		g.active = aws.ToString(d.DeploymentId)
	}
	return g, nil
}

func ended(s cdtypes.DeploymentStatus) bool { return deploy.Status(s).Ended() }

// refers reports whether a target group is one of the pair. Its ARN has its name:
// arn:…:targetgroup/NAME/ID.
func (g group) refers(targetGroup string) bool {
	for _, name := range g.pair {
		if strings.Contains(targetGroup, ":targetgroup/"+name+"/") {
			return true
		}
	}
	return false
}

// service reads the service with its task sets: deploy.ErrUnknown.
func (c *Client) service(ctx context.Context, g group) (*ecstypes.Service, error) {
	out, err := c.tasks.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &g.cluster, Services: []string{g.service}})
	if err != nil {
		return nil, fmt.Errorf("get service %s: %w", g, classify(err))
	}
	for _, s := range out.Services {
		if aws.ToString(s.Status) != "INACTIVE" {
			return &s, nil
		}
	}
	return nil, fmt.Errorf("get service %s: %w: no such service", g, deploy.ErrUnknown)
}

// rule is a rule of a listener, or what a listener does without one, as far as it
// sends requests to target groups of the pair.
type rule struct {
	listener string
	arn      string // empty: it is what the listener does by default
	live     bool   // it is for production traffic
	actions  []elbtypes.Action
}

// rules reads the rules that CodeDeploy shifts: all that send requests to a target
// group of the pair.
func (c *Client) rules(ctx context.Context, g group) ([]rule, error) {
	var all []rule
	for n, listeners := range [][]string{g.production, g.test} {
		for _, listener := range listeners {
			found, err := c.rulesOf(ctx, listener)
			if err != nil {
				return nil, err
			}
			for _, r := range found {
				if len(g.weights(r.actions)) > 0 {
					r.live = n == 0
					all = append(all, r)
				}
			}
		}
	}
	return all, nil
}

// network reports whether a listener is that of a Network Load Balancer.
func network(listener string) bool { return strings.Contains(listener, ":listener/net/") }

// rulesOf reads the rules of a listener. That of a Network Load Balancer has none
// (API reference, "CreateRule": "the listener must be associated with an
// Application Load Balancer").
func (c *Client) rulesOf(ctx context.Context, listener string) (all []rule, err error) {
	if network(listener) {
		out, err := c.balancers.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{listener}})
		if err != nil {
			return nil, fmt.Errorf("get listener %s: %w", listener, classify(err))
		}
		for _, l := range out.Listeners {
			all = append(all, rule{listener: listener, actions: l.DefaultActions})
		}
		return all, nil
	}
	in := &elb.DescribeRulesInput{ListenerArn: &listener}
	for range maxPages {
		out, err := c.balancers.DescribeRules(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("get rules of listener %s: %w", listener, classify(err))
		}
		for _, r := range out.Rules {
			next := rule{listener: listener, arn: aws.ToString(r.RuleArn), actions: r.Actions}
			if aws.ToBool(r.IsDefault) { // it is changed with the listener (API reference, "ModifyRule")
				next.arn = ""
			}
			all = append(all, next)
		}
		if in.Marker = out.NextMarker; aws.ToString(in.Marker) == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("get rules of listener %s: the pages do not end", listener)
}

// maxPages ends a listing whose tokens never do: a listener has 100 rules unless a
// quota was raised.
const maxPages = 100

// weights returns how much of what actions send to the pair each of its target
// groups gets, from 0 to 1 unless none gets any; nothing if actions do not refer to
// the pair.
func (g group) weights(actions []elbtypes.Action) map[string]float64 {
	weights := make(map[string]float64)
	sum := 0.0
	for _, t := range forwards(actions) {
		if arn := aws.ToString(t.TargetGroupArn); g.refers(arn) {
			weight := 1.0
			if t.Weight != nil {
				weight = float64(*t.Weight)
			}
			weights[arn] += weight
			sum += weight
		}
	}
	for arn := range weights {
		if sum > 0 {
			weights[arn] /= sum
		}
	}
	return weights
}

// forwards lists the target groups of actions, however they are named.
func forwards(actions []elbtypes.Action) (all []elbtypes.TargetGroupTuple) {
	for _, a := range actions {
		switch {
		case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
			all = append(all, a.ForwardConfig.TargetGroups...)
		case a.TargetGroupArn != nil:
			all = append(all, elbtypes.TargetGroupTuple{TargetGroupArn: a.TargetGroupArn})
		}
	}
	return all
}
