package elbv2_test

import (
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// restarted is a bench that goes on with the state of another one.
func restarted(t *testing.T, old *bench) *bench {
	t.Helper()
	b := newBench(t)
	old.w.Lock()
	root, members := old.service.Kept()
	d, err := state.Encode(root, members)
	require.NoError(t, err)
	moment := old.w.Moment()
	old.w.Unlock()
	b.w.Lock()
	defer b.w.Unlock()
	require.NoError(t, b.w.Return(moment))
	root, members = b.service.Kept()
	require.NoError(t, state.Decode(d, root, members))
	require.NoError(t, b.service.Resume(t.Context()))
	return b
}

func TestARestartChangesNothing(t *testing.T) {
	t.Parallel()
	story := func(restart bool) []any {
		b := newBench(t)
		blue, green := b.group("blue"), b.group("green")
		listener := b.listener(b.balancer("web", ""), weighted(map[string]int32{blue: 50, green: 50}))
		ill := func() { b.faults["10.0.0.2"] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout} }
		ill()
		b.register(blue, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		b.register(green, "10.0.0.4")
		b.advance(12 * time.Second)
		b.deregister(blue, "10.0.0.3")
		b.route(listener, get("/"), 500)
		before := b.metrics
		if restart {
			b = restarted(t, b)
			ill()
		}
		var seen []any
		for range 6 {
			b.advance(55 * time.Second)
			seen = append(seen, *b.route(listener, get("/"), 200).Target.Id, b.health(blue))
		}
		rules := must[*elb.DescribeRulesOutput](b)(b.DescribeRules(b.ctx, &elb.DescribeRulesInput{ListenerArn: &listener})).Rules
		return append(seen, rules, append(before, b.metrics...))
	}
	assert.Equal(t, story(false), story(true))
}
