package crash_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext" //nolint:depguard // stands for Lambda, which names every invocation
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/functions/alarmrouter"
	"github.com/pullback-dev/pullback/functions/posttraffic"
	"github.com/pullback-dev/pullback/functions/rollbacker"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

// process is one function: its setup, its queue, and its handler as long as
// its process lives.
type process struct {
	setup lambdaboot.Setup
	queue string
	batch int32
	warm  lambdaboot.Handle
}

// start connects the functions to their queues as the stack does.
func (r *region) start() {
	r.functions = map[string]*process{
		"alarmrouter": {setup: alarmrouter.Setup, queue: r.settings.Signals, batch: 10},
		"posttraffic": {setup: posttraffic.Setup, queue: r.settings.Watch, batch: 10},
		"rollbacker":  {setup: rollbacker.Setup, queue: r.settings.Rollbacks, batch: 1},
	}
}

// run lets time pass and hands the functions what is in their queues.
func (r *region) run(d time.Duration) {
	r.t.Helper()
	const step = time.Second
	for ; d > 0; d -= step {
		r.pass(step)
		for _, name := range []string{"alarmrouter", "posttraffic", "rollbacker"} {
			f := r.functions[name]
			if messages := r.receive(f.queue, f.batch); len(messages) > 0 {
				r.invoke(f, messages)
			}
		}
	}
}

// invoke hands a function a batch, and takes what it has handled off the queue.
func (r *region) invoke(f *process, messages []sqstypes.Message) {
	r.t.Helper()
	r.invoked++
	ctx := r.reaper.begin(lambdacontext.NewContext(r.t.Context(), &lambdacontext.LambdaContext{AwsRequestID: fmt.Sprintf("invocation-%d", r.invoked)}))
	if f.warm == nil {
		var err error
		f.warm, err = f.setup(ctx, lambdaboot.Env{Get: r.environment, Settings: r.settings, Log: slog.New(slog.DiscardHandler)})
		require.NoError(r.t, err)
	}
	answer, err := f.warm(ctx, payload(r, f, messages))
	if r.reaper.end() {
		f.warm = nil // its process is gone, and nobody heard its answer
		return
	}
	require.NoError(r.t, err)
	response, ok := answer.(batch.Response)
	require.True(r.t, ok, "answer is %T", answer)
	require.Empty(r.t, response.Failures, "nothing but the crash goes wrong")
	for _, m := range messages {
		r.delete(f.queue, m)
	}
}

// environment is what Lambda puts there.
func (r *region) environment(name string) string {
	return map[string]string{
		"AWS_REGION": r.aws.World.Region, "AWS_ACCESS_KEY_ID": "function", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": r.url,
	}[name]
}

// payload writes messages as Lambda's poller does (Lambda developer guide,
// "Using Lambda with Amazon SQS").
func payload(r *region, f *process, messages []sqstypes.Message) []byte {
	r.t.Helper()
	records := make([]map[string]any, len(messages))
	for i, m := range messages {
		records[i] = map[string]any{
			"messageId": *m.MessageId, "receiptHandle": *m.ReceiptHandle, "body": *m.Body, "attributes": m.Attributes,
			"eventSource": "aws:sqs", "eventSourceARN": "arn of " + f.queue, "awsRegion": r.aws.World.Region,
		}
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	require.NoError(r.t, err)
	return text
}
