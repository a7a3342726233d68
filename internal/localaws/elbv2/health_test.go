package elbv2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
)

func TestATargetIsCheckedWhileItsGroupIsUsed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	group := b.group("blue")
	b.register(group, "10.0.0.1")
	assert.Equal(t, []string{"10.0.0.1 unused Target.NotInUse"}, b.health(group))
	listener := b.listener(b.balancer("web", ""), forward(group))
	assert.Equal(t, []string{"10.0.0.1 initial Elb.RegistrationInProgress"}, b.health(group))
	b.advance(10 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 healthy"}, b.health(group), "one check is enough for a new target")
	must[*elb.DeleteListenerOutput](b)(b.DeleteListener(b.ctx, &elb.DeleteListenerInput{ListenerArn: &listener}))
	assert.Equal(t, []string{"10.0.0.1 unused Target.NotInUse"}, b.health(group))
}

func TestThresholdsDecideWhenATargetChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	group := b.group("blue")
	b.listener(b.balancer("web", ""), forward(group))
	b.faults["10.0.0.2"] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
	b.register(group, "10.0.0.1", "10.0.0.2")
	b.advance(10 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 healthy", "10.0.0.2 initial Elb.InitialHealthChecking"}, b.health(group))
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 healthy", "10.0.0.2 unhealthy Target.Timeout"}, b.health(group))
	b.faults["10.0.0.1"] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumResponseCodeMismatch, Description: "Health checks failed with these codes: [500]"}
	delete(b.faults, "10.0.0.2")
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 healthy", "10.0.0.2 unhealthy Target.Timeout"}, b.health(group), "one check of two, one of five")
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 unhealthy Target.ResponseCodeMismatch", "10.0.0.2 unhealthy Target.Timeout"}, b.health(group))
	b.advance(90 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 unhealthy Target.ResponseCodeMismatch", "10.0.0.2 healthy"}, b.health(group))
	b.faults["10.0.0.2"] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumInvalidState}
	b.advance(30 * time.Second)
	assert.Equal(t, "10.0.0.2 unused Target.InvalidState", b.health(group)[1])
}

func TestATargetDrainsForTheDeregistrationDelay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	group := b.group("blue")
	b.listener(b.balancer("web", ""), forward(group))
	b.register(group, "10.0.0.1", "10.0.0.2")
	b.advance(time.Minute)
	b.deregister(group, "10.0.0.1", "10.0.0.9")
	b.advance(299 * time.Second)
	assert.Equal(t, []string{"10.0.0.1 draining Target.DeregistrationInProgress", "10.0.0.2 healthy"}, b.health(group))
	b.register(group, "10.0.0.1")
	assert.Equal(t, "10.0.0.1 initial Elb.RegistrationInProgress", b.health(group)[0], "registered again")
	b.deregister(group, "10.0.0.1")
	b.advance(300 * time.Second)
	assert.Equal(t, []string{"10.0.0.2 healthy"}, b.health(group))
	out := must[*elb.DescribeTargetHealthOutput](b)(b.DescribeTargetHealth(b.ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: targets([]string{"10.0.0.1"})}))
	assert.Equal(t, []elbtypes.TargetHealthDescription{{
		Target: &elbtypes.TargetDescription{Id: aws.String("10.0.0.1"), Port: aws.Int32(80)}, HealthCheckPort: aws.String("80"),
		TargetHealth: &elbtypes.TargetHealth{State: "unused", Reason: "Target.NotRegistered", Description: aws.String("Target is not registered to the target group")},
	}}, out.TargetHealthDescriptions)
}

func TestMetricsOfAMinute(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	group := b.group("blue")
	balancer := b.balancer("web", "")
	listener := b.listener(balancer, forward(group))
	b.route(listener, get("/"), 200) // nobody is there
	b.faults["10.0.0.2"] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
	b.register(group, "10.0.0.1", "10.0.0.2")
	b.advance(90 * time.Second)
	b.route(listener, get("/"), 200)
	b.route(listener, get("/"), 500)
	b.route(listener, get("/"), 0)
	b.advance(time.Minute)
	lb, tg := "AWS/ApplicationELB "+balancer[len("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/"):], group[len("arn:aws:elasticloadbalancing:us-east-1:123456789012:"):]
	times := lists{[]float64{0.25}, []float64{2}}
	assert.Equal(t, []metric{
		{"09:01", lb + " " + tg, "HealthyHostCount", 1, 1, lists{}},
		{"09:01", lb + " " + tg, "UnHealthyHostCount", 1, 1, lists{}},
		{"09:00", lb, "HTTPCode_ELB_5XX_Count", 1, 1, lists{}},
		{"09:00", lb, "HTTPCode_ELB_503_Count", 1, 1, lists{}},
		{"09:02", lb + " " + tg, "HealthyHostCount", 1, 1, lists{}},
		{"09:02", lb + " " + tg, "UnHealthyHostCount", 1, 1, lists{}},
		{"09:01", lb, "RequestCount", 3, 3, lists{}},
		{"09:01", lb + " " + tg, "RequestCount", 3, 3, lists{}},
		{"09:01", lb, "HTTPCode_Target_2XX_Count", 1, 1, lists{}},
		{"09:01", lb + " " + tg, "HTTPCode_Target_2XX_Count", 1, 1, lists{}},
		{"09:01", lb, "TargetResponseTime", 2, 0.5, times},
		{"09:01", lb + " " + tg, "TargetResponseTime", 2, 0.5, times},
		{"09:01", lb, "HTTPCode_Target_5XX_Count", 1, 1, lists{}},
		{"09:01", lb + " " + tg, "HTTPCode_Target_5XX_Count", 1, 1, lists{}},
		{"09:01", lb, "TargetConnectionErrorCount", 1, 1, lists{}},
		{"09:01", lb + " " + tg, "TargetConnectionErrorCount", 1, 1, lists{}},
		{"09:01", lb, "HTTPCode_ELB_5XX_Count", 1, 1, lists{}},
		{"09:01", lb, "HTTPCode_ELB_502_Count", 1, 1, lists{}},
	}, b.metrics)
}

func TestResponseTimesArePublishedOneByOneSoThatTheyHavePercentiles(t *testing.T) {
	b := newBench(t)
	group := b.group("web")
	listener := b.listener(b.balancer("web", ""), forward(group))
	b.register(group, "10.0.0.1")
	b.advance(90 * time.Second)
	b.metrics = nil
	for n := range 400 { // 200 distinct times; a datum takes 150
		b.answer(listener, time.Duration(n/2)*time.Millisecond)
	}
	b.advance(time.Minute)
	values, n := map[float64]float64{}, 0
	for _, m := range b.metrics {
		if m.Name == "TargetResponseTime" {
			n++
			assert.LessOrEqual(t, len(m.Values), 150)
			for i, v := range m.Values {
				values[v] += m.Counts[i]
			}
		}
	}
	assert.Equal(t, 4, n, "two each for the load balancer and its target group")
	assert.Len(t, values, 200)
	assert.InDelta(t, 4, values[0.1], 0, "seen twice, in both sets of dimensions")
}
