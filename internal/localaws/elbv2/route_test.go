package elbv2_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
)

func TestTheFirstRuleWhoseConditionsAreMetDecides(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	balancer := b.balancer("web", "")
	listener := b.listener(balancer, fixed("404"))
	rule := func(priority int32, status string, conditions ...elbtypes.RuleCondition) string {
		return *must[*elb.CreateRuleOutput](b)(b.CreateRule(b.ctx, &elb.CreateRuleInput{
			ListenerArn: &listener, Priority: &priority, Conditions: conditions, Actions: []elbtypes.Action{fixed(status)},
		})).Rules[0].RuleArn
	}
	path := func(p ...string) elbtypes.RuleCondition {
		return elbtypes.RuleCondition{Field: aws.String("path-pattern"), Values: p}
	}
	api := rule(20, "201", path("/api/*"))
	rule(10, "202", path("/api/?"), elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"*.EXAMPLE.com"}}})
	rule(30, "203", elbtypes.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{
		HttpHeaderName: aws.String("X-Canary"), Values: []string{"yes", "true"},
	}})
	rule(40, "204", elbtypes.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &elbtypes.QueryStringConditionConfig{
		Values: []elbtypes.QueryStringKeyValuePair{{Key: aws.String("beta"), Value: aws.String("1*")}},
	}})
	rule(50, "205", elbtypes.RuleCondition{Field: aws.String("http-request-method"), HttpRequestMethodConfig: &elbtypes.HttpRequestMethodConditionConfig{Values: []string{"POST"}}})
	rule(60, "206", elbtypes.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: []string{"10.1.0.0/16"}}})
	canary, beta, post, inside, outside := get("/"), get("/"), get("/"), get("/"), get("/")
	canary.Header.Set("x-canary", "YES")
	beta.Query = url.Values{"Beta": {"0", "12"}}
	post.Method = http.MethodPost
	inside.SourceIP, outside.SourceIP = "10.1.2.3", "10.2.2.3"
	status := func(r elbv2.Request) int { return b.route(listener, r, 0).Status }
	assert.Equal(t, []int{202, 201, 201, 404, 203, 204, 205, 206, 404}, []int{
		status(get("/api/1")), status(get("/api/12")), status(elbv2.Request{Path: "/api/1", Host: "a.test"}), status(get("/API/1")),
		status(canary), status(beta), status(post), status(inside), status(outside),
	})
	must[*elb.SetRulePrioritiesOutput](b)(b.SetRulePriorities(b.ctx, &elb.SetRulePrioritiesInput{
		RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: &api, Priority: aws.Int32(5)}},
	}))
	assert.Equal(t, 201, status(get("/api/1")))
	must[*elb.ModifyRuleOutput](b)(b.ModifyRule(b.ctx, &elb.ModifyRuleInput{RuleArn: &api, Conditions: []elbtypes.RuleCondition{path("/v2/*")}}))
	assert.Equal(t, []int{202, 201}, []int{status(get("/api/1")), status(get("/v2/x"))})
	must[*elb.DeleteRuleOutput](b)(b.DeleteRule(b.ctx, &elb.DeleteRuleInput{RuleArn: &api}))
	var priorities []string
	rules := must[*elb.DescribeRulesOutput](b)(b.DescribeRules(b.ctx, &elb.DescribeRulesInput{ListenerArn: &listener})).Rules
	for _, r := range rules {
		priorities = append(priorities, *r.Priority)
	}
	assert.Equal(t, []string{"10", "30", "40", "50", "60", "default"}, priorities)
	_, err := b.DeleteRule(b.ctx, &elb.DeleteRuleInput{RuleArn: rules[5].RuleArn})
	assert.Contains(t, code(t, err), "OperationNotPermitted: Default rule")
	_, err = b.SetRulePriorities(b.ctx, &elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: rules[0].RuleArn, Priority: aws.Int32(30)}}})
	assert.Equal(t, "PriorityInUse: Priority '30' is currently in use", code(t, err))
}

func fixed(status string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: &status}}
}

func TestWeightsShareTheTrafficAndTheSeedDecides(t *testing.T) {
	t.Parallel()
	shares := func(change bool) map[string]int {
		b := newBench(t)
		blue, green := b.group("blue"), b.group("green")
		listener := b.listener(b.balancer("web", ""), weighted(map[string]int32{blue: 90, green: 10}))
		b.register(blue, "10.0.0.1", "10.0.0.2")
		b.register(green, "10.0.0.3")
		b.advance(time.Minute)
		if change {
			must[*elb.ModifyListenerOutput](b)(b.ModifyListener(b.ctx, &elb.ModifyListenerInput{
				ListenerArn: &listener, DefaultActions: []elbtypes.Action{weighted(map[string]int32{blue: 0, green: 100})},
			}))
		}
		got := map[string]int{}
		for range 1000 {
			got[*b.route(listener, get("/"), 200).Target.Id]++
		}
		return got
	}
	first := shares(false)
	assert.Equal(t, first, shares(false))
	assert.InDelta(t, 450, first["10.0.0.1"], 30)
	assert.InDelta(t, first["10.0.0.1"], first["10.0.0.2"], 1, "in turn")
	assert.InDelta(t, 100, first["10.0.0.3"], 30)
	assert.Equal(t, map[string]int{"10.0.0.3": 1000}, shares(true))
}

func TestAForwardActionIsShownAsAWSShowsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blue, green := b.group("blue"), b.group("green")
	listener := b.listener(b.balancer("web", ""), forward(blue))
	shown := func() []elbtypes.Action {
		return must[*elb.DescribeListenersOutput](b)(b.DescribeListeners(b.ctx, &elb.DescribeListenersInput{ListenerArns: []string{listener}})).Listeners[0].DefaultActions
	}
	off := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}
	assert.Equal(t, []elbtypes.Action{{Type: "forward", TargetGroupArn: &blue, ForwardConfig: &elbtypes.ForwardActionConfig{
		TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: &blue, Weight: aws.Int32(1)}}, TargetGroupStickinessConfig: off,
	}}}, shown())
	action := weighted(map[string]int32{blue: 0, green: 100})
	must[*elb.ModifyListenerOutput](b)(b.ModifyListener(b.ctx, &elb.ModifyListenerInput{ListenerArn: &listener, DefaultActions: []elbtypes.Action{action}}))
	action.ForwardConfig.TargetGroupStickinessConfig = off
	assert.Equal(t, []elbtypes.Action{action}, shown())
}

func TestAClientStaysWithItsGroupAndItsTarget(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blue, green := b.group("blue"), b.group("green")
	action := weighted(map[string]int32{blue: 50, green: 50})
	action.ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)}
	listener := b.listener(b.balancer("web", ""), action)
	for _, g := range []string{blue, green} {
		b.register(g, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		must[*elb.ModifyTargetGroupAttributesOutput](b)(b.ModifyTargetGroupAttributes(b.ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: aws.String(g), Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("stickiness.enabled"), Value: aws.String("true")}},
		}))
	}
	b.advance(time.Minute)
	first := b.route(listener, get("/"), 200)
	again := get("/")
	for _, c := range first.Cookies {
		again.Header.Add("Cookie", c.Name+"="+c.Value)
	}
	for range 50 {
		r := b.route(listener, again, 200)
		assert.Equal(t, fmt.Sprint(first.TargetGroupARN, *first.Target.Id), fmt.Sprint(r.TargetGroupARN, *r.Target.Id))
	}
	b.advance(61 * time.Second)
	groups := map[string]bool{}
	for range 50 {
		groups[b.route(listener, again, 200).TargetGroupARN] = true
	}
	assert.Len(t, groups, 2, "the binding to the group has ended")
}

func TestWithoutATargetTheLoadBalancerAnswers503(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	group := b.group("blue")
	listener := b.listener(b.balancer("web", ""), forward(group))
	assert.Equal(t, 503, b.route(listener, get("/"), 200).Status)
	b.register(group, "10.0.0.1")
	assert.Equal(t, "10.0.0.1", *b.route(listener, get("/"), 200).Target.Id, "fail open: nobody is healthy yet")
	b.deregister(group, "10.0.0.1")
	assert.Equal(t, 503, b.route(listener, get("/"), 200).Status, "who drains gets nothing")
}
