package emf_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/emf"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// tail puts what is written into a log group, as Lambda does with stdout.
type tail struct {
	t      *testing.T
	client *cloudwatchlogs.Client
	stream *string
}

var group = aws.String("/aws/lambda/checkout")

func (l tail) Write(b []byte) (int, error) {
	_, err := l.client.PutLogEvents(l.t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: l.stream, LogEvents: []logstypes.InputLogEvent{
		{Timestamp: aws.Int64(noon.Add(30 * time.Second).UnixMilli()), Message: aws.String(string(bytes.TrimSpace(b)))},
	}})
	return len(b), err
}

func TestWhatTwoVersionsWriteIsCountedApartEveryTenSeconds(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: noon}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	client := cloudwatchlogs.NewFromConfig(config)
	_, err = client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	require.NoError(t, err)

	arms := make(map[string]measure.Arm)
	for version, failing := range map[string]int{"7": 10, "8": 2} {
		l := tail{t: t, client: client, stream: aws.String("[" + version + "]")}
		_, err = client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: l.stream})
		require.NoError(t, err)
		m, err := emf.New(l, emf.Options{Namespace: "Shop", Version: version, Dimensions: []emf.Dimension{{Name: "Service", Value: "checkout"}}})
		require.NoError(t, err)
		for n := range 300 {
			took := 20 * time.Millisecond
			if n%failing == 0 {
				took = 200 * time.Millisecond
			}
			require.NoError(t, m.Request(noon.Add(time.Duration(n)*100*time.Millisecond), took, n%failing == 0))
		}
		require.NoError(t, m.Flush())
		arms[version], err = measure.Custom("Shop", measure.Names{Requests: emf.Requests, Errors: []string{emf.Errors}, Latency: emf.Latency},
			[]measure.Dimension{{Name: "Service", Value: "checkout"}}, measure.Dimension{Name: "Version", Value: version})
		require.NoError(t, err)
	}
	require.NoError(t, local.World.Advance(t.Context(), time.Minute))

	got, err := metrics.New(cloudwatch.NewFromConfig(config)).Points(t.Context(), measure.Query{
		Old: arms["7"], New: arms["8"], Plane: measure.HighResolution(), Thresholds: map[health.Metric]float64{health.P99: 100},
		From: noon, To: noon.Add(time.Minute), Now: noon.Add(time.Minute),
	})
	require.NoError(t, err)
	var want []health.Point
	for n := range 3 {
		want = append(want, health.Point{
			At: noon.Add(time.Duration(n) * 10 * time.Second), Period: 10 * time.Second, Counts: evalue.Counts{N0: 100, X0: 10, N1: 100, X1: 50},
		})
	}
	assert.Equal(t, map[health.Metric][]health.Point{health.Errors: want, health.P99: want}, got)
}
