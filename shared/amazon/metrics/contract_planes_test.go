package metrics_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// fleet is a load balancer that shares requests between two groups of targets.
type fleet struct {
	*cloud
	balancer, listener string
	old, fresh         string // the target groups
}

func (c *cloud) fleet() *fleet {
	c.t.Helper()
	ctx, client, f := c.t.Context(), elb.NewFromConfig(c.config), &fleet{cloud: c}
	group := func(name, address string) string {
		arn := *ok[*elb.CreateTargetGroupOutput](c.t)(client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		})).TargetGroups[0].TargetGroupArn
		ok[*elb.RegisterTargetsOutput](c.t)(client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &address}},
		}))
		return arn
	}
	f.balancer = *ok[*elb.CreateLoadBalancerOutput](c.t)(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"},
	})).LoadBalancers[0].LoadBalancerArn
	f.old, f.fresh = group("blue", "10.0.0.1"), group("green", "10.0.0.2")
	f.listener = *ok[*elb.CreateListenerOutput](c.t)(client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &f.balancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
			TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: &f.old, Weight: aws.Int32(80)}, {TargetGroupArn: &f.fresh, Weight: aws.Int32(20)}},
		}}},
	})).Listeners[0].ListenerArn
	c.advance(2 * time.Minute)
	return f
}

// hit sends a request and reports whether the new group got it. The n-th answer
// has a status, and takes n milliseconds, or three times that from the new one.
func (f *fleet) hit(n int, status func(fresh bool) int) (fresh bool, took time.Duration) {
	f.t.Helper()
	f.World.Lock()
	defer f.World.Unlock()
	route, err := f.ELB.Route(f.listener, elbv2.Request{Path: "/", Host: "shop.example.com", Header: http.Header{}})
	require.NoError(f.t, err)
	fresh, took = route.TargetGroupARN == f.fresh, time.Duration(n)*time.Millisecond
	if fresh {
		took *= 3
	}
	f.ELB.Answer(route, status(fresh), took)
	return fresh, took
}

func TestRequestsToTwoTargetGroupsAreCounted(t *testing.T) {
	f := newCloud(t).fleet()
	old := ok[measure.Arm](t)(measure.TaskSet("blue", f.balancer, f.old))
	fresh := ok[measure.Arm](t)(measure.TaskSet("green", f.balancer, f.fresh))
	before := f.now()
	for n := range 100 {
		f.hit(n+1, func(bool) int { return http.StatusOK })
	}
	f.advance(2 * time.Minute)
	thresholds := ok[map[health.Metric]float64](t)(f.client.Thresholds(t.Context(), old, before, f.now()))
	require.Len(t, thresholds, 3)
	assert.InDelta(t, 0.05, thresholds[health.P50], 0.01, "in seconds")

	from, failed, slow := f.now(), tally{}, tally{}
	statuses := []int{http.StatusOK, http.StatusNotFound, http.StatusBadGateway, 0} // a 404 is the caller's fault; 0: nobody took the connection
	for minute := range 3 {
		for n := range 200 {
			status := http.StatusOK
			isFresh, took := f.hit(n%100+1, func(fresh bool) int {
				if fresh {
					status = statuses[n%4]
				}
				return status
			})
			at := from.Add(time.Duration(minute) * time.Minute)
			failed.add(at, isFresh, status == 0 || status >= 500)
			slow.add(at, isFresh, status != 0 && took.Seconds() > thresholds[health.P90])
		}
		f.advance(time.Minute)
	}
	f.advance(time.Minute)
	got := ok[map[health.Metric][]health.Point](t)(f.client.Points(t.Context(), measure.Query{
		Old: old, New: fresh, Plane: measure.Minute(), Thresholds: thresholds, From: from, To: f.now(), Now: f.now(),
	}))
	assert.Equal(t, failed.points(from, f.now()), got[health.Errors])
	assert.Equal(t, slow.points(from, f.now()), got[health.P90])
	assert.Len(t, got[health.Errors], 3, "a minute without requests is left out")
	assert.Greater(t, got[health.Errors][0].Counts.X1, 5.0)
}

// emf is a function that logs what a version's requests took, and how many of
// them failed, as embedded metrics by the second.
func (c *cloud) emf() func(at time.Time, version string, failed float64, took ...float64) {
	c.t.Helper()
	ctx, client, group, stream := c.t.Context(), cloudwatchlogs.NewFromConfig(c.config), aws.String("/shop"), aws.String("checkout")
	ok[*cloudwatchlogs.CreateLogGroupOutput](c.t)(client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}))
	ok[*cloudwatchlogs.CreateLogStreamOutput](c.t)(client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}))
	return func(at time.Time, version string, failed float64, took ...float64) {
		c.t.Helper()
		line, err := json.Marshal(map[string]any{
			"_aws": map[string]any{"Timestamp": at.UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
				"Namespace": "Shop", "Dimensions": [][]string{{"Service", "Version"}},
				"Metrics": []any{
					map[string]any{"Name": "Took", "Unit": "Milliseconds", "StorageResolution": 1},
					map[string]any{"Name": "Failed", "Unit": "Count", "StorageResolution": 1},
				},
			}}},
			"Service": "checkout", "Version": version, "Took": took, "Failed": failed,
		})
		require.NoError(c.t, err)
		ok[*cloudwatchlogs.PutLogEventsOutput](c.t)(client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: group, LogStreamName: stream,
			LogEvents: []logstypes.InputLogEvent{{Timestamp: aws.Int64(at.UnixMilli()), Message: aws.String(string(line))}},
		}))
	}
}

func TestEmbeddedMetricsOfHighResolutionAreCountedEveryTenSeconds(t *testing.T) {
	c := newCloud(t)
	arm := func(version string) measure.Arm {
		return ok[measure.Arm](t)(measure.Custom("Shop", measure.Names{Errors: []string{"Failed"}, Latency: "Took"},
			[]measure.Dimension{{Name: "Service", Value: "checkout"}}, measure.Dimension{Name: "Version", Value: version}))
	}
	report := c.emf()
	from := c.now()
	ask := func() map[health.Metric][]health.Point {
		t.Helper()
		return ok[map[health.Metric][]health.Point](t)(c.client.Points(t.Context(), measure.Query{
			Old: arm("7"), New: arm("8"), Plane: measure.HighResolution(), Thresholds: map[health.Metric]float64{health.P99: 100},
			From: from, To: c.now(), Now: c.now(),
		}))
	}
	second := func(n int) time.Time { return from.Add(time.Duration(n) * time.Second) }
	ten := func(n int, counts evalue.Counts) health.Point {
		return health.Point{At: second(n), Period: 10 * time.Second, Counts: counts}
	}
	report(second(1), "7", 0, 20, 30)
	report(second(9), "7", 1, 100, 101)
	report(second(3), "8", 1, 500)
	c.advance(14 * time.Second)
	assert.Empty(t, ask(), "five seconds after the end they are settled")
	c.advance(time.Second)
	assert.Equal(t, map[health.Metric][]health.Point{
		health.Errors: {ten(0, evalue.Counts{N0: 4, X0: 1, N1: 1, X1: 1})},
		health.P99:    {ten(0, evalue.Counts{N0: 4, X0: 1, N1: 1, X1: 1})},
	}, ask())

	report(second(4), "8", 2, 10, 600) // late
	report(second(25), "8", 0, 99)
	c.advance(20 * time.Second)
	assert.Equal(t, map[health.Metric][]health.Point{
		health.Errors: {ten(0, evalue.Counts{N0: 4, X0: 1, N1: 3, X1: 3}), ten(20, evalue.Counts{N1: 1})},
		health.P99:    {ten(0, evalue.Counts{N0: 4, X0: 1, N1: 3, X1: 2}), ten(20, evalue.Counts{N1: 1})},
	}, ask(), "a period that is read again has what came late, and one without requests is left out")

	c.advance(3 * time.Hour)
	_, err := c.client.Points(t.Context(), measure.Query{Old: arm("7"), New: arm("8"), Plane: measure.HighResolution(), From: from, To: c.now(), Now: c.now()})
	require.ErrorContains(t, err, "CloudWatch keeps data of 10s for 3h0m0s", "data that is gone is not a quiet time")
}
