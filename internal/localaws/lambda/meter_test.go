package lambda_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sum is a metric without its dimensions.
type sum struct {
	Name string
	Sum  float64
}

func (l *local) sums() []sum {
	var all []sum
	for _, m := range l.metrics {
		all = append(all, sum{m.Name, m.Sum})
	}
	return all
}

// of returns the metrics with these dimensions.
func (l *local) of(dimensions map[string]string) []metric {
	var found []metric
	for _, m := range l.metrics {
		if assert.ObjectsAreEqual(dimensions, m.Dimensions) {
			m.Dimensions = nil
			found = append(found, m)
		}
	}
	return found
}

func TestMetricsAppearOncePerMinuteOfTheInvocation(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	l.advance(20 * time.Second)
	l.invoke("worker", `{}`)
	l.invoke("worker", `{"Do":"error"}`)
	l.advance(54 * time.Second)
	assert.Empty(t, l.metrics)
	l.advance(time.Second)
	minute := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	want := []metric{
		{Name: "Invocations", Time: minute, N: 2, Sum: 2},
		{Name: "Errors", Time: minute, N: 2, Sum: 1},
		{Name: "Duration", Time: minute, N: 2, Sum: 0, Values: []float64{0}}, // one by one, so that it has percentiles
		{Name: "Throttles", Time: minute, N: 2, Sum: 0},
		{Name: "ConcurrentExecutions", Time: minute, N: 2, Sum: 2},
	}
	assert.Equal(t, want, l.of(map[string]string{"FunctionName": "worker"}))
	assert.Equal(t, want, l.of(map[string]string{"FunctionName": "worker", "Resource": "worker"}))
	assert.Len(t, l.metrics, 2*len(want))
	l.advance(time.Hour)
	assert.Len(t, l.metrics, 2*len(want), "an idle function has no metrics")
}

func TestMetricsOfAnAliasTellTheVersions(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	l.publish()
	_, err := l.client.CreateAlias(t.Context(), &awslambda.CreateAliasInput{
		FunctionName: aws.String("worker"), Name: aws.String("live"), FunctionVersion: aws.String("1"),
	})
	require.NoError(t, err)
	l.invoke("worker:live", `{}`)
	l.invoke("worker:1", `{}`)
	l.advance(2 * time.Minute)
	sets := map[string][]map[string]string{}
	for _, m := range l.metrics {
		sets[m.Name] = append(sets[m.Name], m.Dimensions)
	}
	for _, name := range []string{"Invocations", "Errors", "Duration"} {
		assert.Equal(t, []map[string]string{
			{"FunctionName": "worker"},
			{"FunctionName": "worker", "Resource": "worker:live"},
			{"FunctionName": "worker", "Resource": "worker:live", "ExecutedVersion": "1"},
			{"FunctionName": "worker", "Resource": "worker:1"},
		}, sets[name], name)
	}
}

func TestAThrottledInvocationIsNeitherInvocationNorError(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	_, err := l.client.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{
		FunctionName: aws.String("worker"), ReservedConcurrentExecutions: aws.Int32(0),
	})
	require.NoError(t, err)
	_, err = l.client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("worker")})
	var many *lambdatypes.TooManyRequestsException
	require.ErrorAs(t, err, &many)
	l.advance(2 * time.Minute)
	minute := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	assert.Equal(t, []metric{{Name: "Throttles", Time: minute, N: 1, Sum: 1}}, l.of(map[string]string{"FunctionName": "worker"}))
}
