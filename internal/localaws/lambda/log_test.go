package lambda_test

import (
	"errors"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/logs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// logged is a local with a CloudWatch Logs and who wrote there.
type logged struct {
	*local
	writers map[wire.Principal]bool
	refuse  error // what writing answers
}

func newLogged(t *testing.T, mode world.Mode) *logged {
	t.Helper()
	l := &logged{local: newLocalIn(t, world.New(world.Options{Seed: 1, Mode: mode})), writers: map[wire.Principal]bool{}}
	l.mux.Handle(logs.New(l.world, l.mux).Wire())
	l.mux.Intercept(func(c *wire.Call, service, _ string, _ any, goOn func() (any, error)) (any, error) {
		if service == "logs" {
			if c.Principal.Service != "" {
				l.writers[c.Principal] = true
			}
			if l.refuse != nil {
				return nil, l.refuse
			}
		}
		return goOn()
	})
	return l
}

// read returns the names of the streams of a group and all its messages.
func (l *logged) read(t *testing.T, group string) (streams, messages []string) {
	t.Helper()
	l.world.Lock()
	defer l.world.Unlock()
	described, err := wire.Do[cloudwatchlogs.DescribeLogStreamsOutput](t.Context(), l.mux, wire.Principal{}, "logs", "DescribeLogStreams",
		&cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &group})
	require.NoError(t, err)
	for _, s := range described.LogStreams {
		streams = append(streams, *s.LogStreamName)
	}
	found, err := wire.Do[cloudwatchlogs.FilterLogEventsOutput](t.Context(), l.mux, wire.Principal{}, "logs", "FilterLogEvents",
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	require.NoError(t, err)
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	for _, e := range found.Events {
		messages = append(messages, id.ReplaceAllString(*e.Message, "ID"))
	}
	return streams, messages
}

func TestInvocationsAreLoggedAsAWSWritesThem(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.create("worker")
	l.publish()
	l.invoke("worker:1", `{"Do":"log"}`)
	l.invoke("worker:1", `{}`)
	streams, messages := l.read(t, "/aws/lambda/worker")
	require.Len(t, streams, 1)
	assert.Regexp(t, `^2026/01/05/\[1\][0-9a-f]{32}$`, streams[0])
	assert.Equal(t, []string{
		"START RequestId: ID Version: 1\n", "one\n", "two\n", "END RequestId: ID\n",
		"REPORT RequestId: ID\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\tInit Duration: 0.00 ms\t\n",
		"START RequestId: ID Version: 1\n", "END RequestId: ID\n",
		"REPORT RequestId: ID\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\t\n",
	}, messages)
	assert.Equal(t, map[wire.Principal]bool{
		{ARN: "arn:aws:sts::123456789012:assumed-role/worker/worker", Service: "lambda.amazonaws.com"}: true,
	}, l.writers)
}

func TestFunctionKnowsItsLogStream(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.create("worker")
	out := l.invoke("worker", `{"Do":"environment"}`)
	streams, _ := l.read(t, "/aws/lambda/worker")
	require.Len(t, streams, 1)
	assert.Contains(t, string(out.Payload), "AWS_LAMBDA_LOG_STREAM_NAME="+streams[0])
}

func TestCrashAndTimeoutAreLogged(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) })
	l.invoke("worker", `{"Do":"exit"}`)
	l.invoke("worker", `{"Do":"sleep"}`)
	streams, messages := l.read(t, "/aws/lambda/worker")
	assert.Len(t, streams, 2, "one for each sandbox")
	assert.Equal(t, []string{
		"START RequestId: ID Version: $LATEST\n",
		"RequestId: ID Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n",
		"END RequestId: ID\n",
		"REPORT RequestId: ID\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\tInit Duration: 0.00 ms" +
			"\tStatus: error\tError Type: Runtime.ExitError\t\n",
		"START RequestId: ID Version: $LATEST\n",
		"2026-01-05T09:00:00.000Z ID Task timed out after 1.00 seconds\n\n",
		"END RequestId: ID\n",
		"REPORT RequestId: ID\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 0 MB\tInit Duration: 0.00 ms" +
			"\tStatus: timeout\t\n",
	}, messages)
}

func TestProcessThatCannotStartIsLogged(t *testing.T) {
	l := newLogged(t, world.Manual)
	nothing, err := zipped("readme", []byte("no bootstrap"))
	require.NoError(t, err)
	l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Code.ZipFile = nothing })
	l.invoke("worker", `{}`)
	_, messages := l.read(t, "/aws/lambda/worker")
	require.Len(t, messages, 4)
	assert.Regexp(t, `^RequestId: ID Error: .*\nRuntime.InvalidEntrypoint\n$`, messages[1])
	assert.Regexp(t, `\tStatus: error\tError Type: Runtime.InvalidEntrypoint\t\n$`, messages[3])
}

func TestErrorThatAHandlerAnswersIsOnlyInTheRuntimesLine(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.create("worker")
	l.invoke("worker", `{"Do":"error"}`)
	_, messages := l.read(t, "/aws/lambda/worker")
	require.Len(t, messages, 4)
	assert.Regexp(t, `^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \{"errorMessage":"it broke","errorType":"errorString"\}\n$`, messages[1])
	assert.NotContains(t, messages[3], "Status")
}

// jsonLog lets a function log JSON, at some levels.
func jsonLog(system lambdatypes.SystemLogLevel, application lambdatypes.ApplicationLogLevel) func(*awslambda.CreateFunctionInput) {
	return func(in *awslambda.CreateFunctionInput) {
		in.LoggingConfig = &lambdatypes.LoggingConfig{
			LogFormat: lambdatypes.LogFormatJson, LogGroup: aws.String("/mine"), SystemLogLevel: system, ApplicationLogLevel: application,
		}
	}
}

func TestLogFormatJSONHasPlatformEvents(t *testing.T) {
	const (
		initStart = `{"time":"2026-01-05T09:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"}}` + "\n"
		start     = `{"time":"2026-01-05T09:00:00.000Z","type":"platform.start","record":{"requestId":"ID","version":"$LATEST"}}` + "\n"
		done      = `{"time":"2026-01-05T09:00:00.000Z","type":"platform.runtimeDone","record":{"requestId":"ID","status":"success","metrics":{"durationMs":0}}}` + "\n"
		report    = `{"time":"2026-01-05T09:00:00.000Z","type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":0,` +
			`"billedDurationMs":1,"memorySizeMB":128,"maxMemoryUsedMB":0,"initDurationMs":0},"status":"success"}}` + "\n"
		debug = `{"level":"debug","msg":"three"}` + "\n"
		warn  = `{"level":"WARN","msg":"four"}` + "\n"
	)
	for name, c := range map[string]struct {
		change func(*awslambda.CreateFunctionInput)
		want   []string
	}{
		"by default": {jsonLog("", ""), []string{initStart, start, "one\n", "two\n", warn, report}},
		"debug":      {jsonLog("DEBUG", "DEBUG"), []string{initStart, start, "one\n", "two\n", debug, warn, done, report}},
		"warn":       {jsonLog("WARN", "WARN"), []string{warn}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogged(t, world.Manual)
			l.create("worker", c.change)
			l.invoke("worker", `{"Do":"log levels"}`)
			streams, messages := l.read(t, "/mine")
			assert.Equal(t, c.want, messages)
			require.Len(t, streams, 1)
			assert.Regexp(t, `^2026/01/05/worker\[\$LATEST\][0-9a-f]{32}$`, streams[0], "a group for several functions")
		})
	}
}

func TestFailureIsAWarningOfThePlatform(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.create("worker", jsonLog("WARN", "ERROR")) // the runtime's own line has no level, so it is INFO
	l.invoke("worker", `{"Do":"error"}`)
	_, messages := l.read(t, "/mine")
	assert.Equal(t, []string{
		`{"time":"2026-01-05T09:00:00.000Z","type":"platform.runtimeDone","record":{"requestId":"ID","status":"error","errorType":"errorString",` +
			`"metrics":{"durationMs":0}}}` + "\n",
		`{"time":"2026-01-05T09:00:00.000Z","type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":0,"billedDurationMs":1,` +
			`"memorySizeMB":128,"maxMemoryUsedMB":0,"initDurationMs":0},"status":"error","errorType":"errorString"}}` + "\n",
	}, messages)
}

func TestWhereTimeIsRealTheReportMeasures(t *testing.T) {
	l := newLogged(t, world.Real)
	l.create("worker")
	l.invoke("worker", `{}`)
	_, messages := l.read(t, "/aws/lambda/worker")
	require.Len(t, messages, 3)
	assert.Regexp(t, `\tMax Memory Used: [1-9][0-9]* MB\tInit Duration: \d+\.\d\d ms\t\n$`, messages[2])
}

func TestWithoutPermissionThereIsNoLogAndNobodyIsTold(t *testing.T) {
	l := newLogged(t, world.Manual)
	l.refuse = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	l.create("worker")
	out := l.invoke("worker", `{"Do":"log"}`)
	assert.Nil(t, out.FunctionError)
	assert.Empty(t, l.faults)
	assert.Equal(t, []string{"worker $LATEST one", "worker $LATEST two"}, l.logs)
	l.refuse = nil
	l.world.Lock()
	defer l.world.Unlock()
	_, err := l.mux.Call(t.Context(), wire.Principal{}, "logs", "DescribeLogStreams",
		&cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/lambda/worker")})
	_, ok := errors.AsType[smithy.APIError](err)
	assert.True(t, ok, "%v", err)
}

// BenchmarkWarmInvocationWithLogs is BenchmarkWarmInvocation where a CloudWatch
// Logs keeps everything.
func BenchmarkWarmInvocationWithLogs(b *testing.B) {
	l := newLocal(b, func(o *lambda.Options) { o.Log = nil })
	l.mux.Handle(logs.New(l.world, l.mux).Wire())
	l.create("worker")
	done := make(chan struct{})
	for b.Loop() {
		l.world.Lock()
		l.lambda.Start("worker", "", []byte(`{}`), func(lambda.Result) { done <- struct{}{} })
		l.world.Unlock()
		<-done
	}
}
