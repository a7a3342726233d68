package cloudwatch_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	wiretest.Snapshots(t, newLocal(t).service.Wire(), "github.com/aws/aws-sdk-go-v2/service/cloudwatch")
}

func TestTheSDKsClientSpeaksCBOR(t *testing.T) {
	l := newLocal(t)
	server := httptest.NewServer(l.mux)
	defer server.Close()
	client := cloudwatch.New(cloudwatch.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{
		{MetricName: aws.String("n"), Value: aws.Float64(3), Timestamp: aws.Time(start.Add(-time.Minute))},
	}})
	require.NoError(t, err)
	out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(start.Add(-time.Hour)), EndTime: &start,
		MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "n", "Sum", 60), expression("e", "m / 2")},
	})
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 2)
	assert.Equal(t, []float64{1.5}, out.MetricDataResults[1].Values)
	require.Len(t, out.MetricDataResults[1].Timestamps, 1)
	assert.Equal(t, start.Add(-time.Minute), out.MetricDataResults[1].Timestamps[0].UTC())

	_, err = client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("nobody"), StateReason: aws.String("test"), StateValue: cwtypes.StateValueOk,
	})
	var missing *cwtypes.ResourceNotFound
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "Alarm nobody does not exist.", *missing.Message)
}

func TestTheCommandLineSpeaksJSON(t *testing.T) {
	l := newLocal(t)
	l.alarm(nil)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"AlarmNames":["errors"]}`))
	r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.DescribeAlarms")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260105/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	l.mux.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.Contains(t, w.Body.String(), `"StateReason":"Unchecked: Initial alarm creation"`)
}
