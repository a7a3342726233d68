package elbv2_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// bench is a load balancing service behind the SDK's client, and a CloudWatch
// that remembers what it gets.
type bench struct {
	*elb.Client
	t       *testing.T
	ctx     context.Context //nolint:containedctx // that of the test
	w       *world.World
	service *elbv2.Service
	metrics []metric
	faults  map[string]elbv2.Fault // by target
}

// metric is one metric, its dimensions joined.
type metric struct {
	Time  string
	Where string
	Name  string
	N     float64
	Sum   float64
	lists
}

// lists are the values of a metric that is published one by one.
type lists struct{ Values, Counts []float64 }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), w: world.New(world.Options{}), faults: map[string]elbv2.Fault{}}
	mux := wire.NewMux(b.w)
	b.service = elbv2.New(b.w, mux)
	b.service.Watch(func(_ string, d elbtypes.TargetDescription) elbv2.Fault { return b.faults[*d.Id] })
	mux.Handle(b.service.Wire())
	mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("PutMetricData", func(c *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
			require.Equal(t, "elasticloadbalancing.amazonaws.com", c.Principal.Service)
			for _, d := range in.MetricData {
				where := *in.Namespace
				for _, x := range d.Dimensions {
					where += " " + *x.Value
				}
				m := metric{Time: d.Timestamp.Format("15:04"), Where: where, Name: *d.MetricName, lists: lists{d.Values, d.Counts}}
				m.N, m.Sum = summed(d)
				b.metrics = append(b.metrics, m)
			}
			return &cloudwatch.PutMetricDataOutput{}, nil
		}),
	}})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.Client = elb.New(elb.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer: aws.NopRetryer{},
	})
	return b
}

// must returns the result of a call that has to succeed.
func must[O any](b *bench) func(out O, err error) O {
	return func(out O, err error) O {
		b.t.Helper()
		require.NoError(b.t, err)
		return out
	}
}

// code returns the code and the text of an error.
func code(t *testing.T, err error) string {
	t.Helper()
	known, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "%v", err)
	return known.ErrorCode() + ": " + known.ErrorMessage()
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.ctx, d))
}

func (b *bench) balancer(name string, kind elbtypes.LoadBalancerTypeEnum) string {
	b.t.Helper()
	out := must[*elb.CreateLoadBalancerOutput](b)(b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Type: kind, Subnets: []string{"subnet-1", "subnet-2"},
	}))
	return *out.LoadBalancers[0].LoadBalancerArn
}

func (b *bench) group(name string) string {
	b.t.Helper()
	out := must[*elb.CreateTargetGroupOutput](b)(b.CreateTargetGroup(b.ctx, &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
	}))
	return *out.TargetGroups[0].TargetGroupArn
}

func (b *bench) listener(balancer string, actions ...elbtypes.Action) string {
	b.t.Helper()
	out := must[*elb.CreateListenerOutput](b)(b.CreateListener(b.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: actions,
	}))
	return *out.Listeners[0].ListenerArn
}

func (b *bench) register(group string, ids ...string) {
	b.t.Helper()
	must[*elb.RegisterTargetsOutput](b)(b.RegisterTargets(b.ctx, &elb.RegisterTargetsInput{TargetGroupArn: &group, Targets: targets(ids)}))
}

func (b *bench) deregister(group string, ids ...string) {
	b.t.Helper()
	must[*elb.DeregisterTargetsOutput](b)(b.DeregisterTargets(b.ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &group, Targets: targets(ids)}))
}

func targets(ids []string) (all []elbtypes.TargetDescription) {
	for _, id := range ids {
		all = append(all, elbtypes.TargetDescription{Id: aws.String(id)})
	}
	return all
}

// health lists the targets of a group as "id:port state reason".
func (b *bench) health(group string) (all []string) {
	b.t.Helper()
	out := must[*elb.DescribeTargetHealthOutput](b)(b.DescribeTargetHealth(b.ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group}))
	for _, d := range out.TargetHealthDescriptions {
		line := *d.Target.Id + " " + string(d.TargetHealth.State)
		if d.TargetHealth.Reason != "" {
			line += " " + string(d.TargetHealth.Reason)
		}
		all = append(all, line)
	}
	return all
}

func forward(group string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}
}

// weighted forwards to groups by weight.
func weighted(weights map[string]int32) elbtypes.Action {
	c := &elbtypes.ForwardActionConfig{}
	for _, arn := range sorted(weights) {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: aws.String(arn), Weight: aws.Int32(weights[arn])})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}
}

func sorted(m map[string]int32) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// route sends a request and lets it be answered with a status.
func (b *bench) route(listener string, r elbv2.Request, status int) elbv2.Route {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	route, err := b.service.Route(listener, r)
	require.NoError(b.t, err)
	b.service.Answer(route, status, 250*time.Millisecond)
	return route
}

// answer sends a request that takes a time.
func (b *bench) answer(listener string, took time.Duration) {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	route, err := b.service.Route(listener, get("/"))
	require.NoError(b.t, err)
	b.service.Answer(route, http.StatusOK, took)
}

func get(path string) elbv2.Request {
	return elbv2.Request{Path: path, Host: "shop.example.com", Header: http.Header{}}
}

// summed counts and sums up the values of a datum, in whichever way it gives them.
func summed(d cwtypes.MetricDatum) (n, sum float64) {
	switch {
	case d.StatisticValues != nil:
		return *d.StatisticValues.SampleCount, *d.StatisticValues.Sum
	case d.Value != nil:
		return 1, *d.Value
	}
	for i, v := range d.Values {
		n += d.Counts[i]
		sum += v * d.Counts[i]
	}
	return n, sum
}
