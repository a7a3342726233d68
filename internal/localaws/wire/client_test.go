package wire_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// config starts a server for services and returns how to reach it.
func config(t *testing.T, services ...wire.Service) aws.Config {
	t.Helper()
	_, m := muxOf(services...)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// metrics is a piece of CloudWatch that keeps what was put last.
func metrics(got **cloudwatch.PutMetricDataInput) wire.Service {
	return wire.Service{
		Name: "monitoring", Protocol: wire.JSON10, Target: "GraniteServiceVersion20100801", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutMetricData", func(_ *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
				*got = in
				return nil, nil // an empty answer
			}),
			wire.Op("GetMetricData", func(*wire.Call, *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
				return &cloudwatch.GetMetricDataOutput{MetricDataResults: []cwtypes.MetricDataResult{{
					Id: aws.String(""), Values: []float64{-1.5, 0, 7}, Timestamps: []time.Time{time.UnixMilli(1767603600123).UTC()},
				}}, Messages: []cwtypes.MessageData{}}, nil
			}),
		},
	}
}

func TestCloudWatchIsSpokenInCBOR(t *testing.T) {
	var got *cloudwatch.PutMetricDataInput
	c := cloudwatch.NewFromConfig(config(t, metrics(&got)))
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: []cwtypes.MetricDatum{{
		MetricName: aws.String("m"), Value: aws.Float64(-0.25), Timestamp: aws.Time(time.UnixMilli(1767603600123).UTC()),
		Unit: cwtypes.StandardUnitCount, Dimensions: []cwtypes.Dimension{}, StorageResolution: aws.Int32(60),
		Values: []float64{math.MaxFloat64, math.Inf(1)},
	}}}
	_, err := c.PutMetricData(t.Context(), in) // arrives with gzip
	require.NoError(t, err)
	assert.Equal(t, in, got)

	out, err := c.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(time.UnixMilli(0)), EndTime: aws.Time(time.UnixMilli(0)), MetricDataQueries: []cwtypes.MetricDataQuery{},
	})
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 1)
	require.Len(t, out.MetricDataResults[0].Timestamps, 1)
	out.MetricDataResults[0].Timestamps[0] = out.MetricDataResults[0].Timestamps[0].UTC()
	assert.Equal(t, []cwtypes.MetricDataResult{{
		Id: aws.String(""), Values: []float64{-1.5, 0, 7}, Timestamps: []time.Time{time.UnixMilli(1767603600123).UTC()},
	}}, out.MetricDataResults)
	assert.NotNil(t, out.Messages, "an empty list is not a missing one")
}

func TestCloudWatchIsSpokenInJSON(t *testing.T) {
	var got *cloudwatch.PutMetricDataInput
	_, m := muxOf(metrics(&got))
	_, body := send(t, m, "GraniteServiceVersion20100801.GetMetricData", `{"StartTime":0,"EndTime":1.5,"MetricDataQueries":[]}`)
	assert.JSONEq(t, `{"MetricDataResults":[{"Id":"","Values":[-1.5,0,7],"Timestamps":[1767603600.123]}],"Messages":[]}`, body)
	_, body = send(t, m, "GraniteServiceVersion20100801.PutMetricData",
		`{"Namespace":"n","MetricData":[{"MetricName":"m","Timestamp":"2026-01-05T09:00:00Z","Values":["NaN"]}]}`)
	assert.JSONEq(t, `{}`, body)
	assert.Equal(t, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), *got.MetricData[0].Timestamp)
	assert.True(t, math.IsNaN(got.MetricData[0].Values[0]))
}

func TestAnErrorOfAServiceThatOnceSpokeQueryHasItsOldCode(t *testing.T) {
	c := sqs.NewFromConfig(config(t, queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
		return nil, &sqstypes.QueueDoesNotExist{Message: aws.String("no queue")}
	})))
	_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("q"), MessageBody: aws.String("m")})
	var missing *sqstypes.QueueDoesNotExist
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "AWS.SimpleQueueService.NonExistentQueue", missing.ErrorCode())
	assert.Equal(t, "no queue", missing.ErrorMessage())
}

func TestAttributeValuesSurvive(t *testing.T) {
	item := map[string]ddbtypes.AttributeValue{
		"b":    &ddbtypes.AttributeValueMemberB{Value: []byte{0, 255}},
		"bool": &ddbtypes.AttributeValueMemberBOOL{Value: false},
		"bs":   &ddbtypes.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
		"l": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{
			&ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{"n": &ddbtypes.AttributeValueMemberN{Value: "1e9"}}},
		}},
		"m":     &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{}},
		"ns":    &ddbtypes.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"null":  &ddbtypes.AttributeValueMemberNULL{Value: true},
		"empty": &ddbtypes.AttributeValueMemberS{Value: ""},
		"ss":    &ddbtypes.AttributeValueMemberSS{Value: []string{"a"}},
	}
	var got map[string]ddbtypes.AttributeValue
	cfg := config(t, wire.Service{
		Name: "dynamodb", Protocol: wire.JSON10, Target: "DynamoDB_20120810", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutItem", func(_ *wire.Call, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
				got = in.Item
				return nil, &ddbtypes.ConditionalCheckFailedException{Message: aws.String("no"), Item: in.Item}
			}),
		},
	})
	_, err := dynamodb.NewFromConfig(cfg).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t"), Item: item})
	var failed *ddbtypes.ConditionalCheckFailedException
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, item, got)
	assert.Equal(t, item, failed.Item)

	_, m := muxOf(wire.Service{
		Name: "dynamodb", Protocol: wire.JSON10, Target: "DynamoDB_20120810", Style: wire.Pascal,
		Operations: []wire.Operation{wire.Op("PutItem", func(*wire.Call, *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
			return &dynamodb.PutItemOutput{}, nil
		})},
	})
	for value, want := range map[string]string{
		`{}`: "a union without a member", `{"S":"a","N":"1"}`: "more than one member", `{"X":"a"}`: `no member \"X\"`, `"a"`: "want a union",
		strings.Repeat(`{"L":[`, 200) + `{"S":"a"}` + strings.Repeat(`]}`, 200): "nested deeper than 128",
	} {
		_, body := send(t, m, "DynamoDB_20120810.PutItem", `{"Item":{"k":`+value+`}}`)
		assert.Contains(t, body, want)
	}
}

// functions is a piece of Lambda.
func functions(got *[]any) wire.Service {
	return wire.Service{
		Name: "lambda", Protocol: wire.RESTJSON, Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("Invoke", func(_ *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
				*got = append(*got, in)
				return &lambda.InvokeOutput{StatusCode: 202, Payload: []byte(`{"a":1}`), FunctionError: aws.String("Unhandled")}, nil
			}).Bind(wire.REST{
				Method: "POST", Path: "/2015-03-31/functions/{FunctionName}/invocations", Payload: "Payload",
				Query:     map[string]string{"Qualifier": "Qualifier"},
				Header:    map[string]string{"X-Amz-Invocation-Type": "InvocationType"},
				OutHeader: map[string]string{"X-Amz-Function-Error": "FunctionError"}, OutPayload: "Payload", OutStatus: "StatusCode",
			}),
			wire.Op("GetAlias", func(_ *wire.Call, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
				*got = append(*got, in)
				if *in.Name == "busy" {
					return nil, &lambdatypes.TooManyRequestsException{
						Message: aws.String("slow down"), RetryAfterSeconds: aws.String("7"), Reason: lambdatypes.ThrottleReasonCallerRateLimitExceeded,
					}
				}
				return &lambda.GetAliasOutput{Name: in.Name, RoutingConfig: &lambdatypes.AliasRoutingConfiguration{
					AdditionalVersionWeights: map[string]float64{"2": 0.1},
				}}, nil
			}).Bind(wire.REST{Method: "GET", Path: "/2015-03-31/functions/{FunctionName}/aliases/{Name}"}),
			wire.Op("UntagResource", func(_ *wire.Call, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
				*got = append(*got, in)
				return &lambda.UntagResourceOutput{}, nil
			}).Bind(wire.REST{
				Method: "DELETE", Path: "/2017-03-31/tags/{Resource}", Status: 204, Query: map[string]string{"tagKeys": "TagKeys"},
			}),
		},
	}
}

func TestLambdaIsBoundToPathsQueriesAndHeaders(t *testing.T) {
	var got []any
	c := lambda.NewFromConfig(config(t, functions(&got)))
	arn := "arn:aws:lambda:us-east-1:123456789012:function:f"
	invoke := &lambda.InvokeInput{
		FunctionName: aws.String(arn), Qualifier: aws.String("live"), Payload: []byte("{\n}"), InvocationType: lambdatypes.InvocationTypeEvent,
	}
	out, err := c.Invoke(t.Context(), invoke)
	require.NoError(t, err)
	assert.Equal(t, int32(202), out.StatusCode)
	assert.Equal(t, `{"a":1}`, string(out.Payload))
	assert.Equal(t, "Unhandled", *out.FunctionError)

	alias := &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("a/b c")}
	gotAlias, err := c.GetAlias(t.Context(), alias)
	require.NoError(t, err)
	assert.InDelta(t, 0.1, gotAlias.RoutingConfig.AdditionalVersionWeights["2"], 0)
	untag := &lambda.UntagResourceInput{Resource: aws.String(arn), TagKeys: []string{"a", "b&c"}}
	_, err = c.UntagResource(t.Context(), untag)
	require.NoError(t, err)
	assert.Equal(t, []any{invoke, alias, untag}, got)

	_, err = c.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("busy")})
	var busy *lambdatypes.TooManyRequestsException
	require.ErrorAs(t, err, &busy)
	assert.Equal(t, "7", *busy.RetryAfterSeconds)
	assert.Equal(t, "slow down", *busy.Message)
	assert.Equal(t, lambdatypes.ThrottleReasonCallerRateLimitExceeded, busy.Reason)
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	assert.Equal(t, http.StatusTooManyRequests, response.HTTPStatusCode())

	_, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), ClientContext: aws.String("e30=")})
	require.ErrorContains(t, err, "the local AWS does not support header X-Amz-Client-Context of Invoke")
	_, err = c.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("f")})
	require.ErrorContains(t, err, "has nothing at GET /2015-03-31/functions/f/policy")
}

func TestSNSIsSpokenInFormsAndXML(t *testing.T) {
	var got *sns.PublishInput
	c := sns.NewFromConfig(config(t, wire.Service{
		Name: "sns", Protocol: wire.Query, Version: "2010-03-31", Style: wire.Pascal,
		Status: map[string]int{"NotFound": 404},
		Operations: []wire.Operation{
			wire.Op("Publish", func(_ *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
				got = in
				if in.TopicArn == nil {
					return nil, &snstypes.NotFoundException{Message: aws.String("Topic <x> does not exist")}
				}
				return &sns.PublishOutput{MessageId: aws.String("<&>")}, nil
			}),
		},
	}))
	in := &sns.PublishInput{
		TopicArn: aws.String("t"), Message: aws.String("a=b&c ü\n"), Subject: aws.String(""),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"x": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}}, "y": {DataType: aws.String("String"), StringValue: aws.String("")},
		},
	}
	out, err := c.Publish(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, in, got)
	assert.Equal(t, "<&>", *out.MessageId)

	_, err = c.Publish(t.Context(), &sns.PublishInput{Message: aws.String("m")})
	var missing *snstypes.NotFoundException
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "Topic <x> does not exist", *missing.Message)
	assert.Equal(t, smithy.FaultClient, missing.ErrorFault())
	_, err = c.ListTopics(t.Context(), &sns.ListTopicsInput{})
	require.ErrorContains(t, err, "service sns of the local AWS has no operation ListTopics")
}

func TestAFormThatCannotBeReadIsASerializationException(t *testing.T) {
	_, m := muxOf(wire.Service{
		Name: "sns", Protocol: wire.Query, Version: "2010-03-31", Style: wire.Pascal,
		Operations: []wire.Operation{wire.Op("PublishBatch", func(*wire.Call, *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
			return &sns.PublishBatchOutput{}, nil
		})},
	})
	post := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return w
	}
	base := "Action=PublishBatch&Version=2010-03-31&"
	entries := "PublishBatchRequestEntries"
	for _, body := range []string{
		entries + "=x", entries + ".member.0.Id=1", entries + ".member.2.Id=1", entries + ".member.x.Id=1", entries + ".member.1=1",
		entries + ".member.1.MessageAttributes.entry.1.Value.DataType=s", "%zz",
		entries + strings.Repeat(".a", 200) + "=1", "TopicArn.a=1",
	} {
		w := post(base + body)
		assert.Equal(t, http.StatusBadRequest, w.Code, body)
		assert.Contains(t, w.Body.String(), "<Code>SerializationException</Code>", body)
	}
	assert.Equal(t, http.StatusOK, post(base+entries+"=").Code)
	w := post(url.Values{"Action": {"Other"}, "Version": {"2010-03-31"}}.Encode())
	assert.Contains(t, w.Body.String(), "<Code>UnknownOperationException</Code>")
	w = post(url.Values{"Action": {"ListUsers"}, "Version": {"2010-05-08"}}.Encode())
	assert.Contains(t, w.Body.String(), "(action ListUsers, version 2010-05-08)")
}
