package logs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (b *bench) subscribe(filter, pattern string) {
	b.t.Helper()
	_, err := b.PutSubscriptionFilter(b.t.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: aws.String(name), FilterName: &filter, FilterPattern: &pattern, DestinationArn: aws.String(function),
	})
	require.NoError(b.t, err)
}

// unpacked is what a function reads out of its payload.
func unpacked(t *testing.T, payload []byte) string {
	t.Helper()
	var e struct {
		Logs struct {
			Data []byte `json:"data"`
		} `json:"awslogs"`
	}
	require.NoError(t, json.Unmarshal(payload, &e))
	z, err := gzip.NewReader(bytes.NewReader(e.Logs.Data))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(bytes.TrimSpace(text))
}

func TestFunctionGetsTheEventsThatMatch(t *testing.T) {
	b := newBench(t)
	b.subscribe("errors", "ERROR")
	b.put("s", at(0, "ERROR <one>"), at(1, "fine"), at(2, "ERROR two"))
	b.put("s", at(3, "fine"))
	assert.Empty(t, b.invoked)
	b.advance(time.Second)
	require.Len(t, b.invoked, 1)
	assert.Equal(t, function, *b.invoked[0].FunctionName)
	assert.Equal(t, "Event", string(b.invoked[0].InvocationType))
	assert.Equal(t, []wire.Principal{{
		Service: "logs.amazonaws.com", SourceARN: "arn:aws:logs:us-east-1:123456789012:log-group:/app/web:*",
	}}, b.callers)
	id := func(at, serial int64) string { return fmt.Sprintf("%019d%037d", start+at, serial) }
	//nolint:testifylint // the order of the documented example counts, too
	assert.Equal(t, fmt.Sprintf(`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app/web","logStream":"s",`+
		`"subscriptionFilters":["errors"],"logEvents":[{"id":"%s","timestamp":%d,"message":"ERROR <one>"},{"id":"%s","timestamp":%d,"message":"ERROR two"}]}`,
		id(0, 1), start, id(2, 3), start+2), unpacked(t, b.invoked[0].Payload))

	_, err := b.DeleteSubscriptionFilter(t.Context(), &sdk.DeleteSubscriptionFilterInput{LogGroupName: aws.String(name), FilterName: aws.String("errors")})
	require.NoError(t, err)
	b.put("s", at(3, "ERROR three"))
	b.advance(time.Minute)
	assert.Len(t, b.invoked, 1)
}

func TestDeliveryThatMayHelpLaterIsRepeatedForADay(t *testing.T) {
	for name, fail := range map[string]error{
		"throttled":      &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded.")},
		"Lambda's fault": errors.New("down"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.subscribe("all", "")
			b.fail = fail
			b.put("s", at(0, "m"))
			b.advance(4 * time.Second)
			require.Len(t, b.invoked, 3, "after 1 s, and again after 1 s and 2 s")
			b.fail = nil
			b.advance(time.Minute)
			require.Len(t, b.invoked, 4)
			assert.Equal(t, b.invoked[0].Payload, b.invoked[3].Payload)
			assert.Empty(t, b.service.Lost())

			b.fail = fail
			b.put("s", at(60_000, "m"))
			b.advance(25 * time.Hour)
			require.Len(t, b.service.Lost(), 1)
			require.ErrorContains(t, b.service.Lost()[0], "log events of /app/web to "+function+": ")
		})
	}
}

func TestFilterThatCannotDeliverRestsForTenMinutes(t *testing.T) {
	b := newBench(t)
	b.subscribe("all", "")
	b.fail = &lambdatypes.ResourceNotFoundException{Message: aws.String("no such function")}
	b.put("s", at(0, "lost"))
	b.advance(time.Second)
	require.Len(t, b.service.Lost(), 1)
	b.fail = nil
	b.put("s", at(1000, "skipped"))
	b.advance(10*time.Minute - time.Millisecond)
	b.put("s", at(600_000, "skipped"))
	b.advance(time.Millisecond)
	b.put("s", at(601_000, "delivered"))
	b.advance(time.Minute)
	require.Len(t, b.invoked, 2)
	assert.Contains(t, unpacked(t, b.invoked[1].Payload), `"message":"delivered"`)
}

func TestFunctionThatMayNotBeInvokedIsRefused(t *testing.T) {
	b := newBench(t)
	b.refuse = &smithy.GenericAPIError{Code: "AccessDeniedException"}
	_, err := b.PutSubscriptionFilter(t.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: aws.String(name), FilterName: aws.String("all"), FilterPattern: aws.String(""), DestinationArn: aws.String(function),
	})
	require.ErrorAs(t, err, new(*logstypes.InvalidParameterException))
	require.ErrorContains(t, err, "Could not execute the lambda function.")
}

func TestGroupsOfInfrequentAccessHaveNoSubscriptions(t *testing.T) {
	b := newBench(t)
	rare := aws.String("/rare")
	_, err := b.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: rare, LogGroupClass: logstypes.LogGroupClassInfrequentAccess})
	require.NoError(t, err)
	_, err = b.PutSubscriptionFilter(t.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: rare, FilterName: aws.String("all"), FilterPattern: aws.String(""), DestinationArn: aws.String(function),
	})
	require.ErrorAs(t, err, new(*logstypes.InvalidParameterException))
}

func TestGroupHasTwoSubscriptionFiltersAtMost(t *testing.T) {
	b := newBench(t)
	b.subscribe("b", "")
	b.subscribe("a", "x")
	b.subscribe("a", "ERROR") // the same once more
	_, err := b.PutSubscriptionFilter(t.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: aws.String(name), FilterName: aws.String("c"), FilterPattern: aws.String(""), DestinationArn: aws.String(function),
	})
	require.ErrorAs(t, err, new(*logstypes.LimitExceededException))
	out, err := b.DescribeSubscriptionFilters(t.Context(), &sdk.DescribeSubscriptionFiltersInput{LogGroupName: aws.String(name)})
	require.NoError(t, err)
	filter := func(name, pattern string) logstypes.SubscriptionFilter {
		return logstypes.SubscriptionFilter{
			CreationTime: aws.Int64(start), DestinationArn: aws.String(function), Distribution: logstypes.DistributionByLogStream,
			FilterName: &name, FilterPattern: &pattern, LogGroupName: aws.String("/app/web"),
		}
	}
	assert.Equal(t, []logstypes.SubscriptionFilter{filter("a", "ERROR"), filter("b", "")}, out.SubscriptionFilters)
	_, err = b.PutSubscriptionFilter(t.Context(), &sdk.PutSubscriptionFilterInput{
		LogGroupName: aws.String(name), FilterName: aws.String("a"), FilterPattern: aws.String(""),
		DestinationArn: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/x"),
	})
	require.ErrorContains(t, err, "is not supported by the local AWS")
}

// The event is the example of the CloudWatch user guide, "Specification:
// Embedded metric format", with more values and a second set of dimensions.
func TestEmbeddedMetricsGoToCloudWatch(t *testing.T) {
	b := newBench(t)
	b.put("s", at(0, `{"_aws":{"Timestamp":1767603600123,"CloudWatchMetrics":[{"Namespace":"lambda-function-metrics",`+
		`"Dimensions":[["functionVersion"],[],["missing"]],"Metrics":[{"Name":"time","Unit":"Milliseconds","StorageResolution":1},`+
		`{"Name":"tries"},{"Name":"absent"}]}]},"functionVersion":"$LATEST","time":[100,200],"tries":3,"requestId":"989ffbf8"}`),
		at(1, `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"AWS/Lambda","Metrics":[{"Name":"n"}]}]},"n":1}`),
		at(2, `{"_aws":"no","n":1}`), at(3, `"_aws"`))
	stamp := aws.Time(time.UnixMilli(1767603600123).UTC())
	datum := func(dimensions []cwtypes.Dimension) []cwtypes.MetricDatum {
		return []cwtypes.MetricDatum{
			{
				MetricName: aws.String("time"), Dimensions: dimensions, Timestamp: stamp, Unit: cwtypes.StandardUnitMilliseconds,
				StorageResolution: aws.Int32(1), Values: []float64{100, 200},
			},
			{MetricName: aws.String("tries"), Dimensions: dimensions, Timestamp: stamp, Values: []float64{3}},
		}
	}
	version := []cwtypes.Dimension{{Name: aws.String("functionVersion"), Value: aws.String("$LATEST")}}
	assert.Equal(t, []*cloudwatch.PutMetricDataInput{{
		Namespace: aws.String("lambda-function-metrics"), MetricData: append(datum(version), datum(nil)...),
	}}, b.metrics)
	assert.Equal(t, []wire.Principal{{Service: "logs.amazonaws.com"}}, b.callers)
	assert.Len(t, b.filter(), 4, "and they are log events all the same")
}

func (b *bench) measureBy(pattern string, t logstypes.MetricTransformation) error {
	t.MetricName, t.MetricNamespace = aws.String("m"), aws.String("App")
	_, err := b.PutMetricFilter(b.t.Context(), &sdk.PutMetricFilterInput{
		LogGroupName: aws.String(name), FilterName: aws.String("f"), FilterPattern: &pattern, MetricTransformations: []logstypes.MetricTransformation{t},
	})
	return err
}

func TestMetricFilterCountsWhatMatches(t *testing.T) {
	for name, c := range map[string]struct {
		pattern string
		t       logstypes.MetricTransformation
		want    []cwtypes.MetricDatum
	}{
		"a number": {"ERROR", logstypes.MetricTransformation{MetricValue: aws.String("1")}, []cwtypes.MetricDatum{{Value: aws.Float64(1)}}},
		"with a default": {
			"ERROR",
			logstypes.MetricTransformation{MetricValue: aws.String("1"), DefaultValue: aws.Float64(0), Unit: logstypes.StandardUnitCount},
			[]cwtypes.MetricDatum{
				{Value: aws.Float64(1), Unit: cwtypes.StandardUnitCount},
				{Value: aws.Float64(0), Unit: cwtypes.StandardUnitCount},
				{Value: aws.Float64(0), Unit: cwtypes.StandardUnitCount},
			},
		},
		"a field": {
			"[..., word = one]",
			logstypes.MetricTransformation{MetricValue: aws.String("3"), Dimensions: map[string]string{"Word": "$word"}},
			[]cwtypes.MetricDatum{{Value: aws.Float64(3), Dimensions: []cwtypes.Dimension{{Name: aws.String("Word"), Value: aws.String("one")}}}},
		},
		"a value with a dimension": {
			"{ $.ms > 0 }",
			logstypes.MetricTransformation{MetricValue: aws.String("$.ms"), Dimensions: map[string]string{"Path": "$.path"}},
			[]cwtypes.MetricDatum{{Value: aws.Float64(12.5), Dimensions: []cwtypes.Dimension{{Name: aws.String("Path"), Value: aws.String("/a")}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			require.NoError(t, b.measureBy(c.pattern, c.t))
			b.put("s", at(0, "ERROR one"), at(0, `{"ms":12.5,"path":"/a"}`), at(0, `{"ms":1}`))
			for i := range c.want {
				c.want[i].MetricName, c.want[i].Timestamp = aws.String("m"), aws.Time(time.UnixMilli(start).UTC())
			}
			assert.Equal(t, []*cloudwatch.PutMetricDataInput{{Namespace: aws.String("App"), MetricData: c.want}}, b.metrics)
		})
	}
}

func TestMetricFilterThatIsNoneIsRefused(t *testing.T) {
	b := newBench(t)
	for want, c := range map[string]struct {
		pattern string
		t       logstypes.MetricTransformation
	}{
		"metric value $.ms is neither a number":               {"ERROR", logstypes.MetricTransformation{MetricValue: aws.String("$.ms")}},
		"metric value ms is neither a number":                 {"{ $.ms = 1 }", logstypes.MetricTransformation{MetricValue: aws.String("ms")}},
		"dimension A is no selector":                          {"{ $.ms = 1 }", logstypes.MetricTransformation{MetricValue: aws.String("1"), Dimensions: map[string]string{"A": "a"}}},
		"dimensions and default value are mutually exclusive": {"{ $.ms = 1 }", logstypes.MetricTransformation{MetricValue: aws.String("1"), DefaultValue: aws.Float64(0), Dimensions: map[string]string{"A": "$.a"}}},
		"metric value $c is neither a number":                 {"[a, b]", logstypes.MetricTransformation{MetricValue: aws.String("$c")}},
	} {
		require.ErrorContains(t, b.measureBy(c.pattern, c.t), want)
	}
}

func TestMetricFiltersAreListedAndDeleted(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.measureBy("ERROR", logstypes.MetricTransformation{MetricValue: aws.String("1")}))
	out, err := b.DescribeMetricFilters(t.Context(), &sdk.DescribeMetricFiltersInput{MetricName: aws.String("m"), MetricNamespace: aws.String("App")})
	require.NoError(t, err)
	assert.Equal(t, []logstypes.MetricFilter{{
		CreationTime: aws.Int64(start), FilterName: aws.String("f"), FilterPattern: aws.String("ERROR"), LogGroupName: aws.String(name),
		MetricTransformations: []logstypes.MetricTransformation{{MetricName: aws.String("m"), MetricNamespace: aws.String("App"), MetricValue: aws.String("1")}},
	}}, out.MetricFilters)
	_, err = b.DeleteMetricFilter(t.Context(), &sdk.DeleteMetricFilterInput{LogGroupName: aws.String(name), FilterName: aws.String("f")})
	require.NoError(t, err)
	b.put("s", at(0, "ERROR"))
	assert.Empty(t, b.metrics)
}
