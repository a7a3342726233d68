package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	role = "arn:aws:iam::123456789012:role/service/worker"
	arn  = "arn:aws:lambda:us-east-1:123456789012:function:"
)

// packaged is the deployment package of testdata/function.
var packaged = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	bin := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", bin, "./testdata/function")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build function: %w: %s", err, out)
	}
	contents, err := os.ReadFile(bin)
	if err != nil {
		return nil, err
	}
	return zipped("bootstrap", contents)
})

// zipped is a deployment package of one executable file.
func zipped(name string, contents []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(contents); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// local is a world with Lambda, SQS and a CloudWatch that only takes notes.
type local struct {
	t       testing.TB
	world   *world.World
	mux     *wire.Mux
	lambda  *lambda.Service
	client  *awslambda.Client
	queues  *awssqs.Client
	metrics []metric
	logs    []string
	faults  []error
}

// metric is a metric as it was published.
type metric struct {
	Name       string
	Dimensions map[string]string
	Time       time.Time
	N, Sum     float64
	Values     []float64 // the distinct ones, if they were given one by one
}

func newLocal(tb testing.TB, change ...func(*lambda.Options)) *local {
	tb.Helper()
	return newLocalIn(tb, world.New(world.Options{Seed: 1}), change...)
}

func newLocalIn(tb testing.TB, w *world.World, change ...func(*lambda.Options)) *local {
	tb.Helper()
	l := &local{t: tb, world: w}
	mux := wire.NewMux(l.world)
	l.mux = mux
	server := httptest.NewServer(mux)
	queues := sqs.New(l.world, mux, sqs.Options{})
	o := lambda.Options{
		Endpoint:    func() string { return server.URL },
		OnAvailable: queues.OnAvailable,
		Issue: func(p wire.Principal) (id, secret, token string) {
			c := mux.Issue(p)
			return c.AccessKeyID, c.SecretAccessKey, p.ARN
		},
		Log:     func(function, version, line string) { l.logs = append(l.logs, function+" "+version+" "+line) },
		Problem: func(err error) { l.faults = append(l.faults, err) },
	}
	for _, c := range change {
		c(&o)
	}
	l.lambda = lambda.New(l.world, mux, o)
	mux.Handle(l.lambda.Wire())
	mux.Handle(queues.Wire())
	mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.Op("PutMetricData", func(c *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
			if c.Principal.Service == "lambda.amazonaws.com" && *in.Namespace == "AWS/Lambda" {
				l.note(in)
			}
			return &cloudwatch.PutMetricDataOutput{}, nil
		}),
	}})
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	l.client, l.queues = awslambda.NewFromConfig(config), awssqs.NewFromConfig(config)
	tb.Cleanup(func() {
		server.Close()
		require.NoError(tb, l.lambda.Close())
	})
	return l
}

func (l *local) note(in *cloudwatch.PutMetricDataInput) {
	for _, d := range in.MetricData {
		m := metric{Name: *d.MetricName, Dimensions: map[string]string{}, Time: *d.Timestamp}
		for i, v := range d.Values {
			m.Values = append(m.Values, v)
			m.N += d.Counts[i]
			m.Sum += v * d.Counts[i]
		}
		if set := d.StatisticValues; set != nil {
			m.N, m.Sum = *set.SampleCount, *set.Sum
		}
		for _, dim := range d.Dimensions {
			m.Dimensions[*dim.Name] = *dim.Value
		}
		l.metrics = append(l.metrics, m)
	}
}

// create creates a function of testdata/function, without the detour over HTTP
// that megabytes of code would take.
func (l *local) create(name string, change ...func(*awslambda.CreateFunctionInput)) {
	l.t.Helper()
	code, err := packaged()
	require.NoError(l.t, err)
	in := &awslambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(role), Handler: aws.String("bootstrap"), Runtime: lambdatypes.RuntimeProvidedal2023,
		Timeout: aws.Int32(20), Code: &lambdatypes.FunctionCode{ZipFile: code},
	}
	for _, c := range change {
		c(in)
	}
	l.world.Lock()
	defer l.world.Unlock()
	me := wire.Principal{ARN: "arn:aws:iam::123456789012:root"}
	_, err = wire.Do[awslambda.CreateFunctionOutput](l.t.Context(), l.mux, me, "lambda", "CreateFunction", in)
	require.NoError(l.t, err)
}

// does makes a function do something with every event.
func does(what string) func(*awslambda.CreateFunctionInput) {
	return func(in *awslambda.CreateFunctionInput) {
		in.Environment = &lambdatypes.Environment{Variables: map[string]string{"DO": what}}
	}
}

// publish publishes a version of the worker.
func (l *local) publish() string {
	l.t.Helper()
	out, err := l.client.PublishVersion(l.t.Context(), &awslambda.PublishVersionInput{FunctionName: aws.String("worker")})
	require.NoError(l.t, err)
	return *out.Version
}

// vary changes the configuration of the worker, so that the next version is
// another one.
func (l *local) vary(variables map[string]string) {
	l.t.Helper()
	_, err := l.client.UpdateFunctionConfiguration(l.t.Context(), &awslambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("worker"), Environment: &lambdatypes.Environment{Variables: variables},
	})
	require.NoError(l.t, err)
}

// invoke invokes a function and waits.
func (l *local) invoke(function, payload string) *awslambda.InvokeOutput {
	l.t.Helper()
	out, err := l.client.Invoke(l.t.Context(), &awslambda.InvokeInput{FunctionName: &function, Payload: []byte(payload)})
	require.NoError(l.t, err)
	return out
}

// event invokes a function asynchronously.
func (l *local) event(function, payload string) {
	l.t.Helper()
	out, err := l.client.Invoke(l.t.Context(), &awslambda.InvokeInput{
		FunctionName: &function, Payload: []byte(payload), InvocationType: lambdatypes.InvocationTypeEvent,
	})
	require.NoError(l.t, err)
	require.Equal(l.t, int32(202), out.StatusCode)
}

// advance lets time pass.
func (l *local) advance(d time.Duration) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	require.NoError(l.t, l.world.Advance(ctx, d))
}

// queue creates a queue.
func (l *local) queue(name string, attributes map[string]string) (arn string) {
	l.t.Helper()
	_, err := l.queues.CreateQueue(l.t.Context(), &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(l.t, err)
	return "arn:aws:sqs:us-east-1:123456789012:" + name
}

// url is the URL of a queue.
func url(name string) *string {
	return aws.String("https://sqs.us-east-1.amazonaws.com/123456789012/" + name)
}

// send sends a message.
func (l *local) send(queue, body, group string) {
	l.t.Helper()
	in := &awssqs.SendMessageInput{QueueUrl: url(queue), MessageBody: &body}
	if group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = &group, &body
	}
	_, err := l.queues.SendMessage(l.t.Context(), in)
	require.NoError(l.t, err)
}

// messages receives what is in a queue.
func (l *local) messages(queue string) []sqstypes.Message {
	l.t.Helper()
	out, err := l.queues.ReceiveMessage(l.t.Context(), &awssqs.ReceiveMessageInput{
		QueueUrl: url(queue), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	require.NoError(l.t, err)
	return out.Messages
}
