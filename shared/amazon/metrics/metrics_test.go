package metrics_test

import (
	"context"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/deploy"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alias = deploy.Alias{Function: "checkout", Name: "live"}
)

// local is the local AWS's CloudWatch and a client of it.
type local struct {
	t      *testing.T
	world  *world.World
	mux    *wire.Mux
	client *cloudwatch.Client
}

func serve(t *testing.T) *local {
	t.Helper()
	l := &local{t: t, world: world.New(world.Options{Start: noon})}
	l.mux = wire.NewMux(l.world)
	l.mux.Handle(localcloudwatch.New(l.world, l.mux).Wire())
	l.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.Op("PutEvents", func(*wire.Call, *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}})
	server := httptest.NewServer(l.mux)
	t.Cleanup(server.Close)
	l.client = cloudwatch.New(cloudwatch.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
	})
	return l
}

// lambda publishes a metric of a version as Lambda does.
func (l *local) lambda(metric, version string, at time.Time, sum float64) {
	l.t.Helper()
	l.world.Lock()
	defer l.world.Unlock()
	dimension := func(name, value string) cwtypes.Dimension {
		return cwtypes.Dimension{Name: aws.String(name), Value: aws.String(value)}
	}
	_, err := wire.Do[cloudwatch.PutMetricDataOutput](l.t.Context(), l.mux, wire.Principal{Service: "lambda.amazonaws.com"}, "monitoring", "PutMetricData",
		&cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/Lambda"), MetricData: []cwtypes.MetricDatum{{
			MetricName: &metric, Timestamp: &at, Value: &sum,
			Dimensions: []cwtypes.Dimension{
				dimension("FunctionName", "checkout"), dimension("Resource", "checkout:live"), dimension("ExecutedVersion", version),
			},
		}}})
	require.NoError(l.t, err)
}

func TestAlarmsAreThoseThatExistSortedByName(t *testing.T) {
	l := serve(t)
	for _, name := range []string{"latency", "errors"} {
		_, err := l.client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: &name, Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0),
			ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		})
		require.NoError(t, err)
	}
	_, err := l.client.PutCompositeAlarm(t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("any"), AlarmRule: aws.String("ALARM(errors) OR ALARM(latency)")})
	require.NoError(t, err)
	_, err = l.client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("too many"),
	})
	require.NoError(t, err)

	got, err := metrics.New(l.client).Alarms(t.Context(), []string{"latency", "gone", "errors", "any"})
	require.NoError(t, err)
	require.Len(t, got, 3)
	assert.Equal(t, metrics.Alarm{Name: "errors", State: "ALARM", Since: noon, Reason: "too many"}, got[1])
	assert.True(t, got[1].Firing())
	assert.Equal(t, []string{"any", "errors", "latency"}, []string{got[0].Name, got[1].Name, got[2].Name})
	assert.Equal(t, "INSUFFICIENT_DATA", got[2].State)
	assert.False(t, got[2].Firing())
}

// script is a CloudWatch that answers page by page.
type script struct {
	data   []*cloudwatch.GetMetricDataOutput
	alarms []*cloudwatch.DescribeAlarmsOutput
	asked  []*cloudwatch.DescribeAlarmsInput
	tokens []string

	questions []cloudwatch.GetMetricDataInput
}

func (s *script) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	s.tokens, s.questions = append(s.tokens, aws.ToString(in.NextToken)), append(s.questions, *in)
	return s.data[min(len(s.tokens), len(s.data))-1], nil
}

func (s *script) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	s.asked = append(s.asked, in)
	s.tokens = append(s.tokens, aws.ToString(in.NextToken))
	return s.alarms[min(len(s.tokens), len(s.alarms))-1], nil
}

func page(token string, status cwtypes.StatusCode, minute int, invocations, failures float64) *cloudwatch.GetMetricDataOutput {
	at := []time.Time{noon.Add(time.Duration(minute) * time.Minute)}
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []cwtypes.MetricDataResult{
		{Id: aws.String("invocations"), Timestamps: at, Values: []float64{invocations}, StatusCode: status},
		{Id: aws.String("errors"), Timestamps: at, Values: []float64{failures}, StatusCode: cwtypes.StatusCodeComplete},
	}}
	if token != "" {
		out.NextToken = &token
	}
	return out
}

func TestPagesThatDoNotEndAreGivenUp(t *testing.T) {
	s := &script{
		data:   []*cloudwatch.GetMetricDataOutput{page("again", cwtypes.StatusCodeComplete, 0, 1, 0)},
		alarms: []*cloudwatch.DescribeAlarmsOutput{{NextToken: aws.String("again")}},
	}
	_, err := metrics.New(s).Points(t.Context(), canary())
	require.ErrorContains(t, err, "do not end")
	_, err = metrics.New(s).Alarms(t.Context(), []string{"errors"})
	require.ErrorContains(t, err, "do not end")
}

func TestAlarmsAreAskedForByTheHundred(t *testing.T) {
	s := &script{alarms: []*cloudwatch.DescribeAlarmsOutput{{}}}
	var names []string
	for n := range 150 {
		names = append(names, strconv.Itoa(n))
	}
	_, err := metrics.New(s).Alarms(t.Context(), names)
	require.NoError(t, err)
	require.Len(t, s.asked, 2)
	assert.Len(t, s.asked[0].AlarmNames, 100)
	assert.Len(t, s.asked[1].AlarmNames, 50)

	_, err = metrics.New(s).Alarms(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, s.asked, 2, "no names, no question: without names, CloudWatch describes all alarms")
}

func TestTheTransitionCountsAndNotTheLastUpdate(t *testing.T) {
	s := &script{alarms: []*cloudwatch.DescribeAlarmsOutput{{MetricAlarms: []cwtypes.MetricAlarm{
		{AlarmName: aws.String("a"), StateTransitionedTimestamp: &noon, StateUpdatedTimestamp: aws.Time(noon.Add(time.Hour))},
		{AlarmName: aws.String("b"), StateUpdatedTimestamp: &noon},
	}}}}
	got, err := metrics.New(s).Alarms(t.Context(), []string{"a", "b"})
	require.NoError(t, err)
	assert.Equal(t, []metrics.Alarm{{Name: "a", Since: noon}, {Name: "b", Since: noon}}, got)
}
