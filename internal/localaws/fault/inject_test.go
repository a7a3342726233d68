package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// site is a local AWS with faults, and clients that do not retry.
type site struct {
	*host.AWS
	ssm *ssm.Client
	sqs *sqs.Client
	sns *sns.Client
}

func open(t *testing.T, rules ...fault.Rule) site {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Seed: 7}, Faults: rules})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	return site{AWS: local, ssm: ssm.NewFromConfig(config), sqs: sqs.NewFromConfig(config), sns: sns.NewFromConfig(config)}
}

// put sets the parameter "version".
func (s site) put(ctx context.Context, value string) error {
	_, err := s.ssm.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("version"), Value: aws.String(value), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
	})
	return err
}

// get returns the parameter "version", or the error's code.
func (s site) get(ctx context.Context) string {
	out, err := s.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("version")})
	if err != nil {
		return outcome(err)
	}
	return *out.Parameter.Value
}

// outcome is "ok", or the code and status of an error, or "cut".
func outcome(err error) string {
	var api smithy.APIError
	var response *awshttp.ResponseError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &api) && errors.As(err, &response):
		return fmt.Sprintf("%s %d", api.ErrorCode(), response.HTTPStatusCode())
	default:
		return "cut"
	}
}

func (s site) fired(t *testing.T) []string {
	t.Helper()
	s.World.Lock()
	defer s.World.Unlock()
	var all []string
	for _, f := range s.Faults.Log() {
		all = append(all, fmt.Sprintf("%s: %s %s by %s", f.Rule, f.Service, f.Operation, f.Caller))
	}
	return all
}

func TestTheNthCallIsThrottledAndTheOthersAreNot(t *testing.T) {
	s := open(t, fault.Rule{Name: "second", Service: "ssm", Operation: "Put*", Nth: 2, Do: fault.Throttle})
	var got []string
	for range 3 {
		got = append(got, outcome(s.put(t.Context(), "1")))
	}
	assert.Equal(t, []string{"ok", "ThrottlingException 400", "ok"}, got)
	assert.Equal(t, []string{"second: ssm PutParameter by root"}, s.fired(t))
}

func TestAnErrorIsOfTheServerUnlessTheRuleSaysMore(t *testing.T) {
	s := open(
		t,
		fault.Rule{Name: "first", Service: "ssm", Times: 1, Do: fault.Error},
		fault.Rule{Name: "then", Service: "ssm", Do: fault.Error, Code: "ServiceUnavailable", Status: 503},
	)
	assert.Equal(t, "InternalFailure 500", outcome(s.put(t.Context(), "1")))
	assert.Equal(t, "ServiceUnavailable 503", outcome(s.put(t.Context(), "1")))
}

func TestAConnectionIsCutBeforeOrAfterTheEffect(t *testing.T) {
	s := open(
		t,
		fault.Rule{Name: "before", Operation: "PutParameter", Nth: 2, Do: fault.Before},
		fault.Rule{Name: "after", Operation: "PutParameter", Nth: 2, Do: fault.After}, // the third in all: it has not seen the second
	)
	assert.Equal(t, "ok", outcome(s.put(t.Context(), "1")))
	assert.Equal(t, "cut", outcome(s.put(t.Context(), "2")))
	assert.Equal(t, "1", s.get(t.Context()), "before: nothing happened")
	assert.Equal(t, "cut", outcome(s.put(t.Context(), "3")))
	assert.Equal(t, "3", s.get(t.Context()), "after: it happened")
}

func TestACallThatIsLateHappensWhenItsTimeHasCome(t *testing.T) {
	s := open(t, fault.Rule{Name: "late", Operation: "PutParameter", Nth: 2, Do: fault.Delay, For: fault.Duration(time.Minute)})
	require.NoError(t, s.put(t.Context(), "1"))
	done := make(chan error, 1)
	go func() { done <- s.put(t.Context(), "2") }()
	for s.fired(t) == nil { // until the call has arrived
		runtime.Gosched()
	}
	require.NoError(t, s.World.Advance(t.Context(), 59*time.Second))
	assert.Equal(t, "1", s.get(t.Context()))
	require.NoError(t, s.World.Advance(t.Context(), time.Second))
	require.NoError(t, <-done)
	assert.Equal(t, "2", s.get(t.Context()))
}

func TestAReadIsAnsweredAsItWasSomeTimeAgo(t *testing.T) {
	s := open(t, fault.Rule{Name: "stale", Operation: "GetParameter", From: fault.Duration(time.Minute), Do: fault.Stale, For: fault.Duration(20 * time.Second)})
	// What is remembered are the answers that were given, so somebody must have asked.
	var got []string
	for i := range 6 {
		require.NoError(t, s.put(t.Context(), fmt.Sprint(i)))
		got = append(got, s.get(t.Context()))
		require.NoError(t, s.World.Advance(t.Context(), 20*time.Second))
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "3", "4"}, got)
}

func TestRemovedRulesDoNothingAnyMore(t *testing.T) {
	s := open(t, fault.Rule{Name: "all", Do: fault.Error})
	assert.Equal(t, "InternalFailure 500", outcome(s.put(t.Context(), "1")))
	s.World.Lock()
	assert.True(t, s.Faults.Remove("all"))
	assert.False(t, s.Faults.Remove("all"))
	s.World.Unlock()
	assert.Equal(t, "ok", outcome(s.put(t.Context(), "1")))
}

func TestChanceIsSeededAndARulesOwn(t *testing.T) {
	rule := fault.Rule{Name: "some", Operation: "PutParameter", Rate: 0.5, Do: fault.Error}
	play := func(rules ...fault.Rule) (got []string) {
		s := open(t, rules...)
		for range 40 {
			got = append(got, outcome(s.put(t.Context(), "1")))
		}
		return got
	}
	once := play(rule)
	assert.Contains(t, once, "ok")
	assert.Contains(t, once, "InternalFailure 500")
	assert.Equal(t, once, play(rule))
	assert.Equal(t, once, play(fault.Rule{Name: "other", Operation: "GetParameter", Rate: 0.5, Do: fault.Error}, rule))
}

// subscribed makes a topic with a queue, and returns how to publish to it and
// how to see what has come.
func (s site) subscribed(t *testing.T) (publish func(string), arrived func() []string) {
	t.Helper()
	topic, err := s.sns.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
	require.NoError(t, err)
	arn := "arn:aws:sqs:us-east-1:123456789012:news"
	queue, err := s.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("news"), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`,
	}})
	require.NoError(t, err)
	_, err = s.sns.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(arn), Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	require.NoError(t, err)
	publish = func(text string) {
		_, err := s.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String(text)})
		require.NoError(t, err)
		require.NoError(t, s.World.Advance(t.Context(), time.Second))
	}
	arrived = func() []string {
		var all []string
		for {
			out, err := s.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
			require.NoError(t, err)
			if len(out.Messages) == 0 {
				return all
			}
			for _, m := range out.Messages {
				all = append(all, *m.Body)
			}
			_, err = s.sqs.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: queue.QueueUrl, Entries: entries(out.Messages)})
			require.NoError(t, err)
		}
	}
	return publish, arrived
}

func entries(messages []sqstypes.Message) []sqstypes.DeleteMessageBatchRequestEntry {
	var all []sqstypes.DeleteMessageBatchRequestEntry
	for i, m := range messages {
		all = append(all, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	return all
}

func TestCallsBetweenServicesAreLostDoubledLateAndOutOfOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		rule fault.Rule
		want []string
	}{
		{"nothing", fault.Rule{Do: fault.Lose, Nth: 9}, []string{"1", "2", "3"}},
		{"lost", fault.Rule{Do: fault.Lose, Nth: 2}, []string{"1", "3"}},
		{"doubled", fault.Rule{Do: fault.Repeat, Nth: 2}, []string{"1", "2", "2", "3"}},
		{"three times", fault.Rule{Do: fault.Repeat, Nth: 3, Copies: 3}, []string{"1", "2", "3", "3", "3"}},
		{"out of order", fault.Rule{Do: fault.Reorder, Nth: 1}, []string{"2", "1", "3"}},
		{"out of order, but nothing follows", fault.Rule{Do: fault.Reorder, Nth: 3, For: fault.Duration(10 * time.Second)}, []string{"1", "2", "3"}},
		{"late", fault.Rule{Do: fault.Delay, Nth: 1, For: fault.Duration(10 * time.Second)}, []string{"2", "3", "1"}},
		{"by what is in it", fault.Rule{Do: fault.Lose, Contains: `"MessageBody":"3"`}, []string{"1", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name, c.rule.Service, c.rule.Operation, c.rule.Caller = "rule", "sqs", "SendMessage", "sns.amazonaws.com"
			s := open(t, c.rule)
			publish, arrived := s.subscribed(t)
			publish("1")
			publish("2")
			publish("3")
			require.NoError(t, s.World.Advance(t.Context(), time.Minute))
			assert.Equal(t, c.want, arrived())
		})
	}
}

func TestFaultsAreSetOverHTTP(t *testing.T) {
	s := open(t)
	do := func(method, path, body string) (int, string) { return request(t, method, s.URL()+path, body) }
	status, text := do(http.MethodGet, "/_local/faults", "")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"rules":[],"fired":[]}`, text)

	status, text = do(http.MethodPost, "/_local/faults", `[{"name":"a","service":"ssm","times":1,"do":"error"},{"name":"b","service":"sns","do":"lose"}]`)
	assert.Equal(t, 200, status, text)
	assert.Equal(t, "InternalFailure 500", s.get(t.Context()))
	status, text = do(http.MethodDelete, "/_local/faults/b", "")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"rules":[{"name":"a","service":"ssm","times":1,"do":"error","seen":1,"fired":1}],
		"fired":[{"time":"2026-01-05T09:00:00Z","rule":"a","caller":"root","service":"ssm","operation":"GetParameter"}]}`, text)

	status, text = do(http.MethodPost, "/_local/faults", `[{"name":"a","do":"lose"}]`)
	assert.Equal(t, 400, status)
	assert.Equal(t, "rule 2: give it a name of its own\n", text)
	status, text = do(http.MethodDelete, "/_local/faults/b", "")
	assert.Equal(t, 404, status)
	assert.Equal(t, "there is no rule b: GET /_local/faults lists them\n", text)
	status, text = do(http.MethodDelete, "/_local/faults", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, text, `{"rules":[],`)
}
