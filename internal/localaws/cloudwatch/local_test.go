package cloudwatch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// start is when every test begins: a full minute, so that a period ends there.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

const topic = "arn:aws:sns:us-east-1:123456789012:pager"

// local is a CloudWatch between an EventBridge and an SNS that remember what
// they are given.
type local struct {
	t         testing.TB
	world     *world.World
	mux       *wire.Mux
	service   *localcloudwatch.Service
	events    []ebtypes.PutEventsRequestEntry
	published []sns.PublishInput
	broken    bool // SNS refuses
}

func newLocal(tb testing.TB) *local {
	tb.Helper()
	l := &local{t: tb, world: world.New(world.Options{Start: start})}
	l.mux = wire.NewMux(l.world)
	l.service = localcloudwatch.New(l.world, l.mux)
	l.mux.Handle(l.service.Wire())
	l.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("PutEvents", func(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			require.Equal(tb, "cloudwatch.amazonaws.com", c.Principal.Service)
			l.events = append(l.events, in.Entries...)
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}})
	l.mux.Handle(wire.Service{Name: "sns", Protocol: wire.Query, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("Publish", func(c *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
			require.Equal(tb, "cloudwatch.amazonaws.com", c.Principal.Service)
			if l.broken {
				return nil, errors.New("no such topic")
			}
			l.published = append(l.published, *in)
			return &sns.PublishOutput{}, nil
		}),
	}})
	return l
}

// try calls an operation as a user.
func try[O any](l *local, operation string, in any) (*O, error) {
	l.world.Lock()
	defer l.world.Unlock()
	return wire.Do[O](l.t.Context(), l.mux, wire.Principal{ARN: "arn:aws:iam::123456789012:user/test"}, "monitoring", operation, in)
}

// do calls an operation that must succeed.
func do[O any](l *local, operation string, in any) *O {
	l.t.Helper()
	out, err := try[O](l, operation, in)
	require.NoError(l.t, err)
	return out
}

// refused calls an operation that must fail and returns the error's code and
// message.
func refused[O any](l *local, operation string, in any) (code, message string) {
	l.t.Helper()
	_, err := try[O](l, operation, in)
	known, ok := errors.AsType[smithy.APIError](err)
	require.True(l.t, ok, "%v", err)
	return known.ErrorCode(), known.ErrorMessage()
}

func (l *local) advance(d time.Duration) {
	l.t.Helper()
	require.NoError(l.t, l.world.Advance(context.WithoutCancel(l.t.Context()), d))
}

// metric puts one value of Shop Errors{Function=checkout}, d from start.
func (l *local) metric(d time.Duration, value float64) {
	l.t.Helper()
	do[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Shop"),
		MetricData: []cwtypes.MetricDatum{{
			MetricName: aws.String("Errors"), Value: &value, Timestamp: aws.Time(start.Add(d)), Unit: cwtypes.StandardUnitCount,
			Dimensions: checkout(),
		}},
	})
}

func checkout() []cwtypes.Dimension {
	return []cwtypes.Dimension{{Name: aws.String("Function"), Value: aws.String("checkout")}}
}

// alarm puts an alarm: more than 1 error in one of one minutes.
func (l *local) alarm(change func(in *cloudwatch.PutMetricAlarmInput)) {
	l.t.Helper()
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Dimensions: checkout(),
		Statistic: cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	}
	if change != nil {
		change(in)
	}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
}

// described returns the alarm as DescribeAlarms shows it.
func (l *local) described() cwtypes.MetricAlarm {
	l.t.Helper()
	out := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"errors"}})
	require.Len(l.t, out.MetricAlarms, 1)
	return out.MetricAlarms[0]
}
