package measure_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

var alias = deploy.Alias{Function: "checkout", Name: "live"}

const (
	balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
	group    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/73e2d6bc24d8a067"
)

func TestALambdaVersionIsCountedByAllThreeDimensions(t *testing.T) {
	dimensions := []measure.Dimension{{Name: "FunctionName", Value: "checkout"}, {Name: "Resource", Value: "checkout:live"}, {Name: "ExecutedVersion", Value: "8"}}
	assert.Equal(t, measure.Arm{
		Requests: measure.Metric{Namespace: "AWS/Lambda", Name: "Invocations", Dimensions: dimensions, Stat: "Sum"},
		Errors:   []measure.Metric{{Namespace: "AWS/Lambda", Name: "Errors", Dimensions: dimensions, Stat: "Sum"}},
		Latency:  measure.Metric{Namespace: "AWS/Lambda", Name: "Duration", Dimensions: dimensions},
	}, measure.Lambda(alias, "8"))
}

func TestATargetGroupIsCountedByItsLoadBalancer(t *testing.T) {
	dimensions := []measure.Dimension{{Name: "LoadBalancer", Value: "app/web/50dc6c495c0c9188"}, {Name: "TargetGroup", Value: "targetgroup/blue/73e2d6bc24d8a067"}}
	metric := func(name, stat string) measure.Metric {
		return measure.Metric{Namespace: "AWS/ApplicationELB", Name: name, Dimensions: dimensions, Stat: stat}
	}
	want := measure.Arm{
		Requests: metric("RequestCount", "Sum"),
		Errors:   []measure.Metric{metric("HTTPCode_Target_5XX_Count", "Sum"), metric("TargetConnectionErrorCount", "Sum")},
		Latency:  metric("TargetResponseTime", ""),
	}
	for _, names := range [][2]string{{balancer, group}, {"app/web/50dc6c495c0c9188", "targetgroup/blue/73e2d6bc24d8a067"}} {
		got, err := measure.TargetGroup(names[0], names[1])
		require.NoError(t, err)
		assert.Equal(t, want, got)
		got, err = measure.TaskSet("ecs-svc/1", names[0], names[1])
		require.NoError(t, err)
		assert.Equal(t, want, got, "a task set is its target group")
	}
}

func TestWhatCountsNoRequestsIsRefused(t *testing.T) {
	for named, arm := range map[string]func() (measure.Arm, error){
		"no application load balancer": func() (measure.Arm, error) { return measure.TargetGroup("net/tcp/1", group) },
		"no target group":              func() (measure.Arm, error) { return measure.TargetGroup(balancer, "blue") },
		"ECS counts no requests":       func() (measure.Arm, error) { return measure.TaskSet("ecs-svc/1", "", "") },
		`task set "ecs-svc/1"`:         func() (measure.Arm, error) { return measure.TaskSet("ecs-svc/1", "net/tcp/1", group) },
		"those of AWS":                 func() (measure.Arm, error) { return measure.Custom("AWS/Lambda", names, nil, version) },
		"nothing counts requests": func() (measure.Arm, error) {
			return measure.Custom("Shop", measure.Names{Errors: []string{"Failures"}}, nil, version)
		},
		"no metric of errors": func() (measure.Arm, error) {
			return measure.Custom("Shop", measure.Names{Requests: "Requests"}, nil, version)
		},
		"neither may be empty": func() (measure.Arm, error) {
			return measure.Custom("Shop", names, nil, measure.Dimension{Name: "Version"})
		},
		"a dimension stands there twice": func() (measure.Arm, error) {
			return measure.Custom("Shop", names, []measure.Dimension{version, {Name: "A", Value: "1"}}, version)
		},
		"needs a namespace": func() (measure.Arm, error) { return measure.Custom("", names, nil, version) },
	} {
		_, err := arm()
		require.ErrorContains(t, err, named)
	}
}

var (
	names   = measure.Names{Requests: "Requests", Errors: []string{"Failures"}, Latency: "Took"}
	version = measure.Dimension{Name: "Version", Value: "8"}
)

func TestCustomMetricsHaveTheVersionAsADimension(t *testing.T) {
	shared := []measure.Dimension{{Name: "Service", Value: "checkout"}}
	got, err := measure.Custom("Shop", names, shared, version)
	require.NoError(t, err)
	dimensions := []measure.Dimension{{Name: "Service", Value: "checkout"}, version}
	want := measure.Arm{
		Requests: measure.Metric{Namespace: "Shop", Name: "Requests", Dimensions: dimensions, Stat: "Sum"},
		Errors:   []measure.Metric{{Namespace: "Shop", Name: "Failures", Dimensions: dimensions, Stat: "Sum"}},
		Latency:  measure.Metric{Namespace: "Shop", Name: "Took", Dimensions: dimensions},
	}
	assert.Equal(t, want, got)

	got, err = measure.Custom("Shop", measure.Names{Errors: names.Errors, Latency: "Took"}, shared, version)
	require.NoError(t, err)
	want.Requests = want.Latency.With("SampleCount")
	assert.Equal(t, want, got, "each request has one latency, so latencies count requests")
}

func TestRequestsAreSlowerThanAThreshold(t *testing.T) {
	latency := measure.Lambda(alias, "8").Latency
	for threshold, stat := range map[float64]string{
		0: "TC(0:)", 0.25: "TC(0.25:)", 100: "TC(100:)", 1200.5: "TC(1200.5:)", 1.0 / 3: "TC(0.3333333333:)", 1e9: "TC(1000000000:)",
	} {
		assert.Equal(t, latency.With(stat), latency.Slower(threshold))
	}
}

func TestEventsAreWholeAndNoMoreThanRequests(t *testing.T) {
	for _, test := range []struct{ counted, requests, want float64 }{
		{0, 10, 0}, {2.49, 10, 2}, {2.5, 10, 3}, {9.7, 10, 10}, {10.6, 10, 10}, {3, 0, 0}, {-1, 10, -1},
	} {
		assert.InDelta(t, test.want, measure.Events(test.counted, test.requests), 0, "%v", test)
	}
	assert.True(t, math.IsNaN(measure.Events(math.NaN(), 5)), "nonsense is not hidden")
}

func TestAnArmIsStoredAndFound(t *testing.T) {
	arm := measure.Lambda(alias, "8")
	arm.Latency = measure.Metric{}
	text, err := json.Marshal(arm)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "latency")
	var back measure.Arm
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, arm, back)
	assert.False(t, back.Timed())
	assert.Len(t, back.Metrics(), 2)
}
