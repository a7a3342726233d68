package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

// answer is what the function answers.
type answer struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	Calls   int    `json:"calls"`
}

func read(t *testing.T, out *awslambda.InvokeOutput) answer {
	t.Helper()
	require.Nil(t, out.FunctionError, string(out.Payload))
	var a answer
	require.NoError(t, json.Unmarshal(out.Payload, &a))
	return a
}

func TestOperationsTravelAsTheSDKSendsThem(t *testing.T) {
	svc := newLocal(t).lambda.Wire()
	// The snapshots were all made with status 200, and with a body to it where
	// AWS answers 204. Those operations are tried with the client elsewhere.
	svc.Operations = slices.DeleteFunc(svc.Operations, func(op wire.Operation) bool {
		return op.REST.Status == http.StatusNoContent
	})
	for _, op := range svc.Operations {
		op.REST.Status = 0
	}
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/lambda")
}

func TestAWarmSandboxIsUsedAgain(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	first := read(t, l.invoke("worker", `{}`))
	second := read(t, l.invoke("worker", ``))
	assert.Equal(t, answer{Version: "$LATEST", PID: first.PID, Calls: 2}, second)
}

func TestErrorsOfAFunction(t *testing.T) {
	tests := map[string]struct {
		payload string
		kind    string
		message string
		newPID  bool
	}{
		"a returned error keeps the process": {`{"Do":"error"}`, "errorString", "it broke", false},
		"a panic ends the process":           {`{"Do":"panic"}`, "string", "boom", true},
		"an exit ends the process":           {`{"Do":"exit"}`, "Runtime.ExitError", "Runtime exited with error: exit status 3", true},
		"a quiet exit ends the process":      {`{"Do":"exit quietly"}`, "Runtime.ExitError", "Runtime exited without providing a reason", true},
		"an answer above 6 MB":               {`{"Do":"large"}`, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).", true},
	}
	l := newLocal(t)
	l.create("worker")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := read(t, l.invoke("worker", `{}`))
			out := l.invoke("worker", tt.payload)
			assert.Equal(t, int32(200), out.StatusCode)
			assert.Equal(t, "Unhandled", aws.ToString(out.FunctionError))
			var e struct {
				ErrorType    string `json:"errorType"`
				ErrorMessage string `json:"errorMessage"`
			}
			require.NoError(t, json.Unmarshal(out.Payload, &e))
			assert.Equal(t, tt.kind, e.ErrorType)
			_, message, found := strings.Cut(e.ErrorMessage, " Error: ")
			if !found {
				message = e.ErrorMessage
			}
			assert.Equal(t, tt.message, message)
			after := read(t, l.invoke("worker", `{}`))
			assert.Equal(t, tt.newPID, before.PID != after.PID)
		})
	}
}

func TestATimeoutKillsTheProcess(t *testing.T) {
	l := newLocal(t)
	l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) })
	before := read(t, l.invoke("worker", `{}`))
	out := l.invoke("worker", `{"Do":"sleep"}`)
	assert.Equal(t, "Unhandled", aws.ToString(out.FunctionError))
	assert.Regexp(t, `^\{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: [0-9a-f-]{36} Error: Task timed out after 1.00 seconds"\}$`, string(out.Payload))
	require.ErrorIs(t, syscall.Kill(before.PID, 0), syscall.ESRCH)
	assert.Equal(t, 1, read(t, l.invoke("worker", `{}`)).Calls)
}

func TestAFailedInitIsTheAnswer(t *testing.T) {
	l := newLocal(t)
	l.create("worker", does("fail init"))
	for range 2 {
		out := l.invoke("worker", `{}`)
		assert.Equal(t, "Unhandled", aws.ToString(out.FunctionError))
		assert.JSONEq(t, `{"errorType":"Function.NoTable","errorMessage":"no table"}`, string(out.Payload))
	}
}

func TestCodeThatCannotBeStarted(t *testing.T) {
	tests := map[string]struct{ file, contents, want string }{
		"no bootstrap":  {"main", "x", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		"no executable": {"bootstrap", "x", "fork/exec /var/task/bootstrap: exec format error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			code, err := zipped(tt.file, []byte(tt.contents))
			require.NoError(t, err)
			l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Code.ZipFile = code })
			out := l.invoke("worker", `{}`)
			assert.Equal(t, "Unhandled", aws.ToString(out.FunctionError))
			assert.Contains(t, string(out.Payload), `"errorType":"Runtime.InvalidEntrypoint"`)
			assert.Contains(t, string(out.Payload), tt.want)
		})
	}
}

func TestTheEnvironmentIsLambdasAndNotTheHosts(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "1")
	l := newLocal(t)
	l.create("worker", func(in *awslambda.CreateFunctionInput) {
		in.Environment = &lambdatypes.Environment{Variables: map[string]string{"TABLE": "ledger"}}
	})
	var env []string
	require.NoError(t, json.Unmarshal(l.invoke("worker", `{"Do":"environment"}`).Payload, &env))
	names := make([]string, 0, len(env))
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	assert.Equal(t, []string{
		"AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HOME", "LAMBDA_TASK_ROOT", "LANG", "PATH",
		"TABLE", "TMPDIR", "TZ", "_HANDLER", "_X_AMZN_TRACE_ID",
	}, names)
	assert.Subset(t, env, []string{
		"AWS_SESSION_TOKEN=arn:aws:sts::123456789012:assumed-role/worker/worker", "TABLE=ledger", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "TZ=:UTC",
	})
}

func TestAnInvocationKnowsItsQualifierAndItsDeadline(t *testing.T) {
	l := newLocal(t)
	l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(600) })
	l.publish()
	assert.JSONEq(t, `{"arn":"`+arn+`worker:1","left":"10m0s"}`, string(l.invoke("worker:1", `{"Do":"context"}`).Payload))
	assert.JSONEq(t, `{"arn":"`+arn+`worker","left":"10m0s"}`, string(l.invoke("worker", `{"Do":"context"}`).Payload))
}

func TestAStreamedAnswerArrivesWhole(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	assert.JSONEq(t, `{"streamed":true}`, string(l.invoke("worker", `{"Do":"stream"}`).Payload))
}

func TestWhatAFunctionWritesIsLoggedWithItsInvocation(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	out, err := l.client.Invoke(t.Context(), &awslambda.InvokeInput{
		FunctionName: aws.String("worker"), Payload: []byte(`{"Do":"log"}`), LogType: lambdatypes.LogTypeTail,
	})
	require.NoError(t, err)
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	require.NoError(t, err)
	assert.Regexp(t, `^START RequestId: (\S+) Version: \$LATEST\none\ntwo\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\tInit Duration: 0.00 ms\t\n$`, string(tail))
	assert.Equal(t, []string{"worker $LATEST one", "worker $LATEST two"}, l.logs)
}

func TestDryRunRunsNothing(t *testing.T) {
	l := newLocal(t)
	l.create("worker", does("error"))
	out, err := l.client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("worker"), InvocationType: lambdatypes.InvocationTypeDryRun})
	require.NoError(t, err)
	assert.Equal(t, int32(204), out.StatusCode)
	_, err = l.client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("nobody"), InvocationType: lambdatypes.InvocationTypeDryRun})
	notFound, ok := errors.AsType[*lambdatypes.ResourceNotFoundException](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "Function not found: "+arn+"nobody", notFound.ErrorMessage())
}

func TestAWeightedAliasSplitsItsInvocations(t *testing.T) {
	const n = 400
	l := newLocal(t)
	l.create("worker")
	l.publish()
	l.vary(map[string]string{"A": "2"})
	l.publish()
	_, err := l.client.CreateAlias(t.Context(), &awslambda.CreateAliasInput{
		FunctionName: aws.String("worker"), Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1}},
	})
	require.NoError(t, err)
	count := map[string]int{}
	for range n {
		out := l.invoke("worker:live", `{}`)
		require.Equal(t, aws.ToString(out.ExecutedVersion), read(t, out).Version)
		count[*out.ExecutedVersion]++
	}
	// 0.1 of 400 with a standard deviation of 6; the seed is fixed.
	assert.InDelta(t, 40, count["2"], 18)
	assert.Equal(t, n, count["1"]+count["2"])
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	_, err := l.client.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{
		FunctionName: aws.String("worker"), ReservedConcurrentExecutions: aws.Int32(1),
	})
	require.NoError(t, err)
	l.world.Lock()
	var results []lambda.Result
	done := make(chan struct{})
	note := func(r lambda.Result) {
		if results = append(results, r); len(results) == 2 {
			close(done)
		}
	}
	l.lambda.Start("worker", "", []byte(`{}`), note)
	l.lambda.Start("worker", "", []byte(`{}`), note)
	l.world.Unlock()
	<-done
	require.Len(t, results, 2)
	assert.Equal(t, 429, results[0].Status)
	many, ok := errors.AsType[*lambdatypes.TooManyRequestsException](results[0].Err)
	require.True(t, ok)
	assert.Equal(t, lambdatypes.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded, many.Reason)
	assert.False(t, results[1].Failed())
}

func TestConcurrentInvocationsHaveSandboxesOfTheirOwn(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	pids := map[int]bool{}
	done := make(chan lambda.Result, 2)
	l.world.Lock()
	for range 2 {
		l.lambda.Start("worker", "$LATEST", []byte(`{}`), func(r lambda.Result) { done <- r })
	}
	l.world.Unlock()
	for range 2 {
		r := <-done
		var a answer
		require.NoError(t, json.Unmarshal(r.Payload, &a))
		pids[a.PID] = true
	}
	assert.Len(t, pids, 2)
}

func TestCloseLeavesNoProcessAndNoFileBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l := newLocal(t)
	l.create("worker")
	l.create("sleeper", does("sleep"))
	idle := read(t, l.invoke("worker", `{}`))
	ended := make(chan lambda.Result, 1)
	l.world.Lock()
	l.lambda.Start("sleeper", "", nil, func(r lambda.Result) { ended <- r })
	l.world.Unlock()
	require.NoError(t, l.lambda.Close())
	require.ErrorIs(t, syscall.Kill(idle.PID, 0), syscall.ESRCH)
	assert.True(t, (<-ended).Failed())
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)
	l.world.Lock()
	defer l.world.Unlock()
	l.lambda.Start("worker", "", nil, func(r lambda.Result) { ended <- r })
	assert.EqualError(t, (<-ended).Err, "the local AWS is shutting down")
}
