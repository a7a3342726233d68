package traffic_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// balanced is a listener that forwards nine of ten requests to blue and the
// rest to green, which has one target each.
func balanced(t *testing.T, w *world.World) (service *elbv2.Service, listener string) {
	t.Helper()
	w.Lock()
	defer w.Unlock()
	mux := wire.NewMux(w)
	service = elbv2.New(w, mux)
	mux.Handle(service.Wire())
	balancer := *do[elb.CreateLoadBalancerOutput](t, mux, "CreateLoadBalancer", &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"},
	}).LoadBalancers[0].LoadBalancerArn
	forward := &elbtypes.ForwardActionConfig{}
	for i, name := range []string{"blue", "green"} {
		g := do[elb.CreateTargetGroupOutput](t, mux, "CreateTargetGroup", &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: "ip",
		}).TargetGroups[0].TargetGroupArn
		do[elb.RegisterTargetsOutput](t, mux, "RegisterTargets", &elb.RegisterTargetsInput{
			TargetGroupArn: g, Targets: []elbtypes.TargetDescription{{Id: aws.String("10.0.0." + string(rune('1'+i)))}},
		})
		forward.TargetGroups = append(forward.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: g, Weight: aws.Int32([]int32{90, 10}[i])})
	}
	return service, *do[elb.CreateListenerOutput](t, mux, "CreateListener", &elb.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: aws.Int32(80), Protocol: "HTTP",
		DefaultActions: []elbtypes.Action{{Type: "forward", ForwardConfig: forward}},
	}).Listeners[0].ListenerArn
}

func do[O any](t *testing.T, c wire.Caller, operation string, in any) *O {
	t.Helper()
	out, err := wire.Do[O](t.Context(), c, wire.Principal{}, "elasticloadbalancing", operation, in)
	require.NoError(t, err)
	return out
}

func TestRequestsThroughAListenerFailAsTheirTargetGroupDoes(t *testing.T) {
	summary := func(label func(elbv2.Route) string, bad string) traffic.Summary {
		w := world.New(world.Options{Seed: 3})
		service, listener := balanced(t, w)
		w.Lock()
		tr := traffic.Start(w, &traffic.Listener{
			World: w, Balancer: service, Label: label, Behaviours: map[string]traffic.Behaviour{bad: {Failures: 0.5, Status: 502}},
		}, traffic.Options{Function: listener, PerSecond: 10})
		w.Unlock()
		require.NoError(t, w.Advance(t.Context(), 100*time.Second-time.Nanosecond))
		return tr.Summary()
	}
	byGroup := summary(nil, "green")
	assert.Equal(t, byGroup, summary(nil, "green"), "the seed decides")
	require.Len(t, byGroup.ByVersion, 2)
	blue, green := byGroup.ByVersion[0], byGroup.ByVersion[1]
	assert.Equal(t, []string{"blue", "green"}, []string{blue.Version, green.Version})
	assert.Equal(t, 1000, blue.Total+green.Total)
	assert.InDelta(t, 100, green.Total, 30)
	assert.Zero(t, blue.Failed)
	assert.InDelta(t, green.Total/2, green.Failed, 15)
	assert.Equal(t, "green answered 502", byGroup.Failures[0].Error)
	byTarget := summary(func(r elbv2.Route) string { return *r.Target.Id }, "10.0.0.2")
	assert.Equal(t, green.Count, byTarget.ByVersion[1].Count)
}

func TestAListenerThatDoesNotExistAnswersNothing(t *testing.T) {
	w := world.New(world.Options{})
	service, _ := balanced(t, w)
	w.Lock()
	tr := traffic.Start(w, &traffic.Listener{World: w, Balancer: service}, traffic.Options{Function: "arn:gone", PerSecond: 1})
	w.Unlock()
	require.NoError(t, w.Advance(t.Context(), time.Second))
	assert.Equal(t, traffic.Count{Total: 1, Failed: 1}, tr.Summary().Count)
}
