package host_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// open starts a local AWS that is closed when the test ends.
func open(t *testing.T, o host.Options) *host.AWS {
	t.Helper()
	local, err := host.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	return local
}

// config is how a client finds a local AWS.
func config(local *host.AWS) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// isFree fails the test unless nobody listens at a local AWS's address.
func isFree(t *testing.T, local *host.AWS) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", strings.TrimPrefix(local.URL(), "http://"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

// ours are the goroutines that run the local AWS's code.
func ours() []string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var found []string
	for g := range strings.SplitSeq(string(all), "\n\n") {
		for line := range strings.SplitSeq(g, "\n") {
			if strings.Contains(line, "internal/localaws/") && !strings.Contains(line, "_test") {
				found = append(found, g)
				break
			}
		}
	}
	return found
}

// nothingRuns fails the test if time still passes or requests are still
// answered, or if not all of the local AWS's goroutines end: the last ones may
// be about to.
func nothingRuns(t *testing.T) {
	t.Helper()
	assert.NotRegexp(t, `world\.\(\*World\)\.(Run|Await)|wire\.\(\*Mux\)`, strings.Join(ours(), "\n\n"))
	if !assert.Eventually(t, func() bool { return len(ours()) == 0 }, 10*time.Second, time.Millisecond) {
		t.Fatal(strings.Join(ours(), "\n\n"))
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	for _, mode := range []world.Mode{world.Real, world.Fast, world.Manual} {
		t.Run(string(mode), func(t *testing.T) {
			local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: mode}})
			require.NoError(t, err)
			_, err = sqs.NewFromConfig(config(local)).ListQueues(t.Context(), &sqs.ListQueuesInput{})
			require.NoError(t, err)
			require.NotEmpty(t, ours())

			require.NoError(t, local.Close())
			nothingRuns(t)
			isFree(t, local)
			require.NoError(t, local.Close(), "again")
		})
	}
}

func TestCloseEndsWhatRequestsWaitFor(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	queues := sqs.NewFromConfig(config(local))
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("empty")})
	require.NoError(t, err)

	answered := make(chan error, 1)
	go func() { // nobody lets time pass, so this waits for ever
		_, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, WaitTimeSeconds: 20})
		answered <- err
	}()
	require.Eventually(t, func() bool {
		return strings.Contains(strings.Join(ours(), "\n"), "world.(*World).Await")
	}, time.Minute, time.Millisecond)
	require.NoError(t, local.Close())
	require.Error(t, <-answered)
	nothingRuns(t)
}

func TestCloseWaitsForWhatHappensJustNow(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Fast}})
	require.NoError(t, err)
	began, goOn, over := make(chan struct{}), make(chan struct{}), false
	local.World.Lock()
	local.World.After(time.Second, func() {
		close(began)
		assert.NoError(t, local.World.Await(t.Context(), goOn))
		over = true
	})
	local.World.Unlock()
	<-began
	closed := make(chan error, 1)
	go func() { closed <- local.Close() }()
	require.Eventually(t, func() bool {
		_, err := sqs.NewFromConfig(config(local)).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		return err != nil
	}, time.Minute, time.Millisecond, "it stops answering")
	close(goOn)
	require.NoError(t, <-closed)
	assert.True(t, over)
	nothingRuns(t)
}

func TestTheEndOfTheContextClosesIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	local, err := host.Start(ctx, host.Options{})
	require.NoError(t, err)
	waits := make(chan error, 1)
	local.World.Lock()
	local.World.After(0, func() { local.World.Hold(); cancel() })
	local.World.Unlock()
	go func() { waits <- local.World.Advance(t.Context(), time.Hour) }()
	require.ErrorIs(t, <-waits, world.ErrEnded)
	require.NoError(t, local.Close(), "waits until it is closed")
	nothingRuns(t)
	isFree(t, local)
}

func TestAPortInUseIsOneSentenceWithARemedy(t *testing.T) {
	first := open(t, host.Options{})
	address := strings.TrimPrefix(first.URL(), "http://")
	_, err := host.Start(t.Context(), host.Options{Listen: address})
	require.EqualError(t, err, address+" is in use by another program: choose another port with --listen, or port 0 for any free one")
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	_, err := host.Start(t.Context(), host.Options{Listen: "nonsense"})
	require.EqualError(t, err, "listen on nonsense: listen tcp: address nonsense: missing port in address")
}

func TestItListensOnThisMachineOnly(t *testing.T) {
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, open(t, host.Options{}).URL())
}

// send sends a request as it is and returns the answer's status and body.
func send(t *testing.T, local *host.AWS, method, path, body string, header ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, local.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer out.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(out.Body)
	require.NoError(t, err)
	return out.StatusCode, string(b)
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	local := open(t, host.Options{})

	status, body := send(t, local, http.MethodPost, "/", "{}",
		"X-Amz-Target", "AmazonAthena.GetWorkGroup", "Content-Type", "application/x-amz-json-1.1",
		"Authorization", "AWS4-HMAC-SHA256 Credential=test/20260105/us-east-1/athena/aws4_request, SignedHeaders=host, Signature=0")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.JSONEq(t, `{"__type":"UnknownOperationException","message":"the service with target AmazonAthena is not part of the local AWS (operation GetWorkGroup)"}`, body)

	_, err := ssm.NewFromConfig(config(local)).DescribeActivations(t.Context(), &ssm.DescribeActivationsInput{})
	require.ErrorContains(t, err, "UnknownOperationException: service ssm of the local AWS has no operation DescribeActivations")

	_, body = send(t, local, http.MethodGet, "/v1/apis", "",
		"Authorization", "AWS4-HMAC-SHA256 Credential=test/20260105/us-east-1/kafka/aws4_request, SignedHeaders=host, Signature=0")
	assert.Contains(t, body, "service kafka is not part of the local AWS (GET /v1/apis)")
}
