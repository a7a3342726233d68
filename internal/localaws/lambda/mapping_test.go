package lambda_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read lets a function read a queue.
func (l *local) read(queue string, change ...func(*awslambda.CreateEventSourceMappingInput)) string {
	l.t.Helper()
	in := &awslambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("worker"), EventSourceArn: &queue,
		FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures},
	}
	for _, c := range change {
		c(in)
	}
	out, err := l.client.CreateEventSourceMapping(l.t.Context(), in)
	require.NoError(l.t, err)
	return *out.UUID
}

// bodies are the bodies of the messages of each batch that the function got.
func (l *local) bodies() [][]string {
	var all [][]string
	for _, line := range l.logs {
		_, text, ok := strings.Cut(line, " $LATEST {\"Records\"")
		if !ok {
			continue
		}
		var e struct {
			Records []struct {
				Body string `json:"body"`
			} `json:"Records"`
		}
		require.NoError(l.t, json.Unmarshal([]byte(`{"Records"`+text), &e))
		var batch []string
		for _, r := range e.Records {
			batch = append(batch, r.Body)
		}
		all = append(all, batch)
	}
	return all
}

func TestAFunctionGetsAMessageAsAWSSendsIt(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders", nil)
	l.create("worker", does("records"))
	l.read(queue)
	_, err := l.queues.SendMessage(t.Context(), &awssqs.SendMessageInput{
		QueueUrl: url("orders"), MessageBody: aws.String("hello"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("new")}},
	})
	require.NoError(t, err)
	l.advance(time.Second)
	require.Len(t, l.logs, 1)
	text := strings.TrimPrefix(l.logs[0], "worker $LATEST ")
	var e struct {
		Records []map[string]any `json:"Records"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &e))
	require.Len(t, e.Records, 1)
	r := e.Records[0]
	for _, name := range []string{"messageId", "receiptHandle", "md5OfMessageAttributes"} {
		assert.NotEmpty(t, r[name], name)
		delete(r, name)
	}
	attributes, ok := r["attributes"].(map[string]any)
	require.True(t, ok)
	assert.NotEmpty(t, attributes["SenderId"])
	delete(attributes, "SenderId")
	assert.Equal(t, map[string]any{
		"body": "hello", "md5OfBody": "5d41402abc4b2a76b9719d911017c592", "eventSource": "aws:sqs", "eventSourceARN": queue, "awsRegion": "us-east-1",
		"attributes": map[string]any{
			"ApproximateReceiveCount": "1", "SentTimestamp": "1767603600000", "ApproximateFirstReceiveTimestamp": "1767603600000",
		},
		"messageAttributes": map[string]any{
			"kind": map[string]any{"stringValue": "new", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "String"},
		},
	}, r)
}

func TestOnlyFailedMessagesComeBack(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders", map[string]string{"VisibilityTimeout": "60"})
	l.create("worker", does("records"))
	for _, body := range []string{"good 1", "bad 1", "good 2"} {
		l.send("orders", body, "")
	}
	l.read(queue)
	l.advance(59 * time.Second)
	assert.Equal(t, [][]string{{"good 1", "bad 1", "good 2"}}, l.bodies())
	l.advance(time.Second)
	assert.Equal(t, [][]string{{"good 1", "bad 1", "good 2"}, {"bad 1"}}, l.bodies())
	assert.Empty(t, l.faults)
}

func TestWhatAFunctionAnswersDecidesAboutTheBatch(t *testing.T) {
	tests := map[string]struct {
		do      string
		reports bool
		left    int
	}{
		"an error fails all":                        {"error", true, 2},
		"a panic fails all":                         {"panic", true, 2},
		"an empty identifier fails all":             {"malformed", true, 2},
		"an answer without failures fails none":     {"stream", true, 0},
		"reported failures":                         {"records", true, 1},
		"failures do not count unless agreed upon":  {"records", false, 0},
		"an error counts without an agreement, too": {"error", false, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			queue := l.queue("orders", map[string]string{"VisibilityTimeout": "30"})
			l.create("worker", does(tt.do))
			l.send("orders", "good", "")
			l.send("orders", "bad", "")
			id := l.read(queue, func(in *awslambda.CreateEventSourceMappingInput) {
				if !tt.reports {
					in.FunctionResponseTypes = nil
				}
			})
			l.advance(time.Second)
			_, err := l.client.DeleteEventSourceMapping(t.Context(), &awslambda.DeleteEventSourceMappingInput{UUID: &id})
			require.NoError(t, err)
			l.advance(time.Minute)
			assert.Len(t, l.messages("orders"), tt.left)
			assert.Empty(t, l.faults)
		})
	}
}

func TestAMessageGroupKeepsItsOrder(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders.fifo", map[string]string{"FifoQueue": "true", "VisibilityTimeout": "60"})
	l.create("worker", does("records"))
	for _, body := range []string{"a1", "bad-a2", "a3"} {
		l.send("orders.fifo", body, "a")
	}
	l.send("orders.fifo", "b1", "b")
	l.read(queue, func(in *awslambda.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(1) })
	l.advance(59 * time.Second)
	assert.ElementsMatch(t, [][]string{{"a1"}, {"bad-a2"}, {"b1"}}, l.bodies(), "a3 waits for a2")
	l.advance(time.Second)
	assert.Equal(t, []string{"bad-a2"}, l.bodies()[3])
}

func TestABatchWaitsForItsWindow(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders", nil)
	l.create("worker", does("records"))
	l.read(queue, func(in *awslambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.MaximumBatchingWindowInSeconds = aws.Int32(3), aws.Int32(5)
	})
	l.send("orders", "1", "")
	l.advance(4 * time.Second)
	l.send("orders", "2", "")
	l.advance(500 * time.Millisecond)
	assert.Empty(t, l.bodies())
	l.advance(500 * time.Millisecond)
	assert.Equal(t, [][]string{{"1", "2"}}, l.bodies())
	for _, body := range []string{"3", "4", "5"} {
		l.send("orders", body, "")
	}
	l.advance(0)
	assert.Equal(t, [][]string{{"1", "2"}, {"3", "4", "5"}}, l.bodies(), "a full batch does not wait")
}

func TestADisabledMappingDoesNotPoll(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders", nil)
	l.create("worker", does("records"))
	id := l.read(queue, func(in *awslambda.CreateEventSourceMappingInput) { in.Enabled = aws.Bool(false) })
	l.send("orders", "1", "")
	l.advance(time.Minute)
	assert.Empty(t, l.bodies())
	out, err := l.client.UpdateEventSourceMapping(t.Context(), &awslambda.UpdateEventSourceMappingInput{UUID: &id, Enabled: aws.Bool(true)})
	require.NoError(t, err)
	assert.Equal(t, "Enabled", *out.State)
	l.advance(0)
	assert.Equal(t, [][]string{{"1"}}, l.bodies())
}

func TestAMappingThatCannotWorkIsRefused(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("orders", nil)
	fifo := l.queue("orders.fifo", map[string]string{"FifoQueue": "true"})
	l.create("worker", does("records"))
	l.create("slow", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(31) })
	l.read(queue)
	tests := map[string]struct {
		in   awslambda.CreateEventSourceMappingInput
		want string
	}{
		"twice": {awslambda.CreateEventSourceMappingInput{EventSourceArn: &queue}, "provided mapping already exists"},
		"visibility timeout": {
			awslambda.CreateEventSourceMappingInput{EventSourceArn: &queue, FunctionName: aws.String("slow")},
			"Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
		},
		"no queue": {
			awslambda.CreateEventSourceMappingInput{EventSourceArn: aws.String("arn:aws:sqs:us-east-1:123456789012:none")},
			"SQS Error Code: AWS.SimpleQueueService.NonExistentQueue",
		},
		"fifo window":   {awslambda.CreateEventSourceMappingInput{EventSourceArn: &fifo, MaximumBatchingWindowInSeconds: aws.Int32(1)}, "Batching window is not supported for FIFO queues"},
		"large batch":   {awslambda.CreateEventSourceMappingInput{EventSourceArn: &fifo, BatchSize: aws.Int32(11)}, "Maximum batch size for FIFO queues is 10"},
		"no window":     {awslambda.CreateEventSourceMappingInput{EventSourceArn: &queue, FunctionName: aws.String("slow"), BatchSize: aws.Int32(11)}, "must be greater than 0"},
		"another kind":  {awslambda.CreateEventSourceMappingInput{EventSourceArn: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/s")}, "polls SQS queues only"},
		"a filter":      {awslambda.CreateEventSourceMappingInput{EventSourceArn: &fifo, FilterCriteria: &lambdatypes.FilterCriteria{}}, "FilterCriteria is not supported"},
		"no function":   {awslambda.CreateEventSourceMappingInput{EventSourceArn: &fifo, FunctionName: aws.String("none")}, "Function does not exist"},
		"no such alias": {awslambda.CreateEventSourceMappingInput{EventSourceArn: &fifo, FunctionName: aws.String("worker:live")}, "Function not found: " + arn + "worker:live"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.in.FunctionName == nil {
				tt.in.FunctionName = aws.String("worker")
			}
			_, err := l.client.CreateEventSourceMapping(t.Context(), &tt.in)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestMappingsAreListedByFunctionAndQueue(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	one, two := l.queue("one", nil), l.queue("two", nil)
	first, second := l.read(one), l.read(two)
	list := func(in awslambda.ListEventSourceMappingsInput) (ids []string) {
		out, err := l.client.ListEventSourceMappings(t.Context(), &in)
		require.NoError(t, err)
		for _, m := range out.EventSourceMappings {
			ids = append(ids, *m.UUID)
		}
		return ids
	}
	assert.Equal(t, []string{first, second}, list(awslambda.ListEventSourceMappingsInput{FunctionName: aws.String("worker")}))
	assert.Equal(t, []string{second}, list(awslambda.ListEventSourceMappingsInput{EventSourceArn: &two}))
	got, err := l.client.GetEventSourceMapping(t.Context(), &awslambda.GetEventSourceMappingInput{UUID: &second})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:"+second, *got.EventSourceMappingArn)
	_, err = l.client.GetEventSourceMapping(t.Context(), &awslambda.GetEventSourceMappingInput{UUID: aws.String("none")})
	_, ok := errors.AsType[*lambdatypes.ResourceNotFoundException](err)
	assert.True(t, ok, "%v", err)
}

func TestConcurrencyOfAMappingHasLimits(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	queue := l.queue("orders", nil)
	_, err := l.client.CreateEventSourceMapping(t.Context(), &awslambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("worker"), EventSourceArn: &queue, ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(1)},
	})
	require.ErrorContains(t, err, "MaximumConcurrency must be between 2 and 1000")
}

func TestABatchThatIsThrottledIsTriedAgainUntilItsMessagesAreVisible(t *testing.T) {
	for name, c := range map[string]struct {
		free time.Duration // after which the function may run again
		got  int           // how often the message was received in the end
	}{
		"while they are hidden": {20 * time.Second, 1},
		"after that":            {70 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			queue := l.queue("orders", map[string]string{"VisibilityTimeout": "60"})
			l.create("worker", does("records"))
			reserve := func(n int32) {
				_, err := l.client.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{
					FunctionName: aws.String("worker"), ReservedConcurrentExecutions: aws.Int32(n),
				})
				require.NoError(t, err)
			}
			reserve(0)
			l.read(queue)
			l.send("orders", "good 1", "")
			l.advance(c.free)
			assert.Empty(t, l.bodies())
			reserve(1)
			l.advance(5 * time.Minute)
			require.Equal(t, [][]string{{"good 1"}}, l.bodies())
			assert.Contains(t, l.logs[0], `"ApproximateReceiveCount":"`+strconv.Itoa(c.got)+`"`)
			assert.Empty(t, l.messages("orders"))
		})
	}
}
