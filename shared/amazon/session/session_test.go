package session_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/session"
)

func environment(changes map[string]string) func(string) string {
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	}
	maps.Copy(env, changes)
	return func(name string) string { return env[name] }
}

func TestLoadReportsEverythingThatIsWrong(t *testing.T) {
	_, _, err := session.Load(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": "localhost"}[name]
	})
	require.Error(t, err)
	assert.Equal(t, []string{
		"AWS_REGION is not set",
		"AWS_ACCESS_KEY_ID is not set",
		"AWS_SECRET_ACCESS_KEY is not set",
		`AWS_ENDPOINT_URL: "localhost" is not a URL such as http://127.0.0.1:4566`,
	}, strings.Split(err.Error(), "\n"))
}

func TestLoadNeedsNoEndpointAndNoToken(t *testing.T) {
	cfg, clock, err := session.Load(environment(map[string]string{"AWS_SESSION_TOKEN": ""}))
	require.NoError(t, err)
	assert.Nil(t, cfg.BaseEndpoint)
	assert.Equal(t, "eu-central-1", cfg.Region)
	assert.True(t, clock.Now().IsZero(), "nobody has told the time yet")
}

// queue is an SQS that answers with the dates it is given, one after the other.
type queue struct {
	dates    []time.Time
	status   int
	requests []*http.Request
}

func (q *queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", q.dates[min(len(q.requests), len(q.dates)-1)].Format(http.TimeFormat))
	q.requests = append(q.requests, r)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(q.status)
	_, _ = w.Write([]byte(`{}`))
}

func (q *queue) open(t *testing.T) (*sqs.Client, *session.Clock) {
	t.Helper()
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	cfg, clock, err := session.Load(environment(map[string]string{"AWS_ENDPOINT_URL": server.URL}))
	require.NoError(t, err)
	return sqs.NewFromConfig(cfg), clock
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestClientsSayWhoTheyAre(t *testing.T) {
	q := &queue{dates: []time.Time{noon}, status: http.StatusOK}
	client, _ := q.open(t)
	_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	require.NoError(t, err)
	require.Len(t, q.requests, 1)
	r := q.requests[0]
	assert.Contains(t, r.UserAgent(), "app/pullback")
	assert.Contains(t, r.Header.Get("Authorization"), "Credential=AKIA/")
	assert.Contains(t, r.Header.Get("Authorization"), "/eu-central-1/sqs/")
	assert.Equal(t, "token", r.Header.Get("X-Amz-Security-Token"))
}

func TestTheClockShowsTheNewestTimeThatAWSHasStated(t *testing.T) {
	q := &queue{dates: []time.Time{noon, noon.Add(time.Hour), noon.Add(time.Minute)}, status: http.StatusOK}
	client, clock := q.open(t)
	for _, want := range []time.Time{noon, noon.Add(time.Hour), noon.Add(time.Hour)} {
		_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.NoError(t, err)
		assert.Equal(t, want, clock.Now())
	}
}

func TestAnErrorTellsTheTimeToo(t *testing.T) {
	q := &queue{dates: []time.Time{noon}, status: http.StatusForbidden}
	client, clock := q.open(t)
	_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	require.Error(t, err)
	assert.Equal(t, noon, clock.Now())
}

func TestRetriesFitIntoAFunction(t *testing.T) {
	cfg, _, err := session.Load(environment(nil))
	require.NoError(t, err)
	retryer := cfg.Retryer()
	assert.Equal(t, 3, retryer.MaxAttempts())
	for attempt := range 10 {
		delay, err := retryer.RetryDelay(attempt, errors.New("in trouble"))
		require.NoError(t, err)
		assert.LessOrEqual(t, delay, 2*time.Second)
	}
}

// sent is what a request's body was when it was sent.
type sent struct {
	length   int64
	body     string
	writesTo bool
}

// wire is an HTTP client that keeps what it is given, and fails the first time, as
// one does that will be asked again.
type wire struct{ sent []sent }

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	_, writesTo := r.Body.(io.WriterTo)
	b, err := io.ReadAll(r.Body)
	w.sent = append(w.sent, sent{r.ContentLength, string(b), writesTo})
	status := http.StatusOK
	if len(w.sent) == 1 {
		status = http.StatusInternalServerError
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, err
}

func TestABodyIsReadAndNotAskedToWriteItselfInEveryAttempt(t *testing.T) {
	cfg, _, err := session.Load(environment(nil))
	require.NoError(t, err)
	w := new(wire)
	cfg.HTTPClient = w
	_, err = sqs.NewFromConfig(cfg).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("x")})
	require.NoError(t, err)
	one := sent{length: 23, body: `{"QueueNamePrefix":"x"}`}
	assert.Equal(t, []sent{one, one}, w.sent)
}
