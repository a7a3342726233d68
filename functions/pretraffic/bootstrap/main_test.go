package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localcodedeploy "github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	localdynamodb "github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// TestTheBinary runs the function as Lambda does: the built binary fetches its
// event from a Runtime API and calls AWS through the SDK.
func TestTheBinary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a binary")
	}
	bin := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", bin, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	t.Run("a version that works gets traffic", func(t *testing.T) {
		t.Parallel()
		r := newRegion(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"statusCode":200}`) })
		r.run(bin, time.Now().Add(time.Minute), "10s")
		assert.Equal(t, cdtypes.LifecycleEventStatusSucceeded, r.hook())
		assert.Equal(t, [][2]string{{"warn", "not-ready"}, {"allow", "smoke"}}, r.records(), "nothing is known good yet")
	})
	t.Run("a version that hangs is refused before Lambda ends the function", func(t *testing.T) {
		t.Parallel()
		r := newRegion(t, func(_ http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(io.Discard, q.Body) // only then does the server notice that the client has gone
			<-q.Context().Done()
		})
		deadline := time.Now().Add(20 * time.Second)
		r.run(bin, deadline, "19s")
		assert.Equal(t, cdtypes.LifecycleEventStatusFailed, r.hook())
		assert.True(t, time.Now().Before(deadline))
	})
	t.Run("a function without settings does not start", func(t *testing.T) {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), bin)
		cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1"}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, 1, exit.ExitCode())
		assert.Contains(t, string(out), "cannot start")
		assert.Contains(t, string(out), "PULLBACK_TABLE is not set")
	})
}

// region is the local AWS's CodeDeploy and DynamoDB beside a Lambda that knows
// one function. A deployment of its version 2 waits for the hook's answer.
type region struct {
	t       *testing.T
	world   *world.World
	url     string
	moves   *codedeploy.Client
	ledger  *table.Table
	id      string
	payload []byte // of the hook's invocation
}

// newRegion makes a region whose version 2 answers the smoke check with smoke.
func newRegion(t *testing.T, smoke http.HandlerFunc) *region {
	t.Helper()
	r := &region{t: t, world: world.New(world.Options{})}
	mux := wire.NewMux(r.world)
	deploys := localcodedeploy.New(r.world, mux, localcodedeploy.Options{})
	t.Cleanup(func() { require.NoError(t, deploys.Close()) })
	mux.Handle(deploys.Wire())
	mux.Handle(localdynamodb.New(r.world, mux).Wire())
	mux.Handle(wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: []wire.Operation{
		wire.Op("GetAlias", func(*wire.Call, *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
			return &lambda.GetAliasOutput{FunctionVersion: aws.String("1")}, nil
		}).Bind(wire.REST{Method: "GET", Path: "/a"}),
		wire.Op("GetFunctionConfiguration", func(*wire.Call, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
			return &lambda.GetFunctionConfigurationOutput{CodeSha256: aws.String("sha-2"), State: lambdatypes.StateActive}, nil
		}).Bind(wire.REST{Method: "GET", Path: "/2015-03-31/functions/{FunctionName}/configuration", Query: map[string]string{"Qualifier": "Qualifier"}}),
		wire.Op("Invoke", func(_ *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			r.payload = in.Payload
			return &lambda.InvokeOutput{StatusCode: http.StatusAccepted}, nil
		}).Bind(wire.REST{Method: "POST", Path: "/i"}),
	}})
	mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.Op("PutEvents", func(*wire.Call, *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}})
	endpoint := http.NewServeMux()
	endpoint.Handle("/", mux)
	endpoint.HandleFunc("POST /2015-03-31/functions/checkout/invocations", smoke)
	server := httptest.NewServer(endpoint)
	t.Cleanup(server.Close)
	r.url = server.URL
	cfg := aws.Config{Region: r.world.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("team", "secret", "")}
	r.moves = codedeploy.NewFromConfig(cfg)
	r.store(dynamodb.NewFromConfig(cfg))
	r.deploy()
	return r
}

// store makes the ledger's table.
func (r *region) store(client *dynamodb.Client) {
	r.t.Helper()
	_, err := client.CreateTable(r.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("ledger"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String(table.PartitionKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String(table.SortKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
		},
		KeySchema: []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String(table.PartitionKey), KeyType: ddbtypes.KeyTypeHash},
			{AttributeName: aws.String(table.SortKey), KeyType: ddbtypes.KeyTypeRange},
		},
	})
	require.NoError(r.t, err)
	r.ledger = table.New(client, "ledger")
}

// deploy begins a deployment and lets time pass until its hook is invoked.
func (r *region) deploy() {
	r.t.Helper()
	ctx := r.t.Context()
	_, err := r.moves.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop"), ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(r.t, err)
	_, err = r.moves.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("live"), ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/deployer"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaAllAtOnce"),
	})
	require.NoError(r.t, err)
	spec := `{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":"checkout","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}],` +
		`"Hooks":[{"BeforeAllowTraffic":"CodeDeployHook_pullback_pretraffic"}]}`
	out, err := r.moves.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("live"),
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	require.NoError(r.t, err)
	r.id = *out.DeploymentId
	require.NoError(r.t, r.world.Advance(ctx, time.Minute))
	require.NotEmpty(r.t, r.payload, "the hook was invoked")
}

// run runs the binary until it has answered its one event.
func (r *region) run(bin string, deadline time.Time, reserve string) {
	r.t.Helper()
	api := &runtimeAPI{event: r.payload, deadline: deadline, answered: make(chan string, 1)}
	server := httptest.NewServer(api)
	defer server.Close()
	ctx, stop := context.WithTimeout(r.t.Context(), time.Minute)
	defer stop()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, bin)
	cmd.Stderr = &log
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"), "AWS_ENDPOINT_URL=" + r.url,
		"AWS_REGION=" + r.world.Region, "AWS_ACCESS_KEY_ID=function", "AWS_SECRET_ACCESS_KEY=secret",
		"PULLBACK_ACCOUNT=" + r.world.Account, "PULLBACK_TABLE=ledger", "PULLBACK_SIGNALS=signals", "PULLBACK_ROLLBACKS=rollbacks.fifo", "PULLBACK_WATCH=https://sqs/watch", "PULLBACK_HOOK_RESERVE=" + reserve,
	}
	require.NoError(r.t, cmd.Start())
	select {
	case path := <-api.answered:
		assert.Equal(r.t, "/2018-06-01/runtime/invocation/req-1/response", path, "a refused version is no failure of the function")
	case <-ctx.Done():
		assert.Fail(r.t, "the function did not answer")
	}
	_ = cmd.Process.Kill() // it waits for the next event
	_ = cmd.Wait()
	assert.Contains(r.t, log.String(), `"requestId":"req-1"`)
	assert.NotContains(r.t, log.String(), r.execution(), "the execution id is a secret")
}

// execution returns the hook's execution id.
func (r *region) execution() string {
	_, rest, _ := strings.Cut(string(r.payload), `"LifecycleEventHookExecutionId":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// hook returns how CodeDeploy says that the hook went.
func (r *region) hook() cdtypes.LifecycleEventStatus {
	r.t.Helper()
	require.NotEmpty(r.t, r.execution())
	out, err := r.moves.GetDeploymentTarget(r.t.Context(), &codedeploy.GetDeploymentTargetInput{DeploymentId: &r.id, TargetId: aws.String("checkout")})
	require.NoError(r.t, err)
	return out.DeploymentTarget.LambdaTarget.LifecycleEvents[0].Status
}

// records returns verb and rule of what is in the ledger.
func (r *region) records() [][2]string {
	r.t.Helper()
	chain, err := r.ledger.Records(r.t.Context(), deploy.Target{Application: "shop", Group: "live"})
	require.NoError(r.t, err)
	require.NoError(r.t, ledger.Verify(chain))
	var all [][2]string
	for _, x := range chain {
		all = append(all, [2]string{x.Verb, x.Rule})
	}
	return all
}

// runtimeAPI hands out one event and then keeps the function waiting (Lambda
// developer guide, "Using the Lambda runtime API").
type runtimeAPI struct {
	event    []byte
	deadline time.Time
	handed   bool
	answered chan string
}

// ServeHTTP implements http.Handler. A function asks for one thing at a time.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	switch {
	case q.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, q.Body)
		w.WriteHeader(http.StatusAccepted)
		a.answered <- q.URL.Path
	case a.handed:
		<-q.Context().Done()
	default:
		a.handed = true
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", "req-1")
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(a.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:pretraffic")
		_, _ = fmt.Fprintf(w, "%s", a.event)
	}
}
