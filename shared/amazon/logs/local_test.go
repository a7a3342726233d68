package logs_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/logs"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/outcome"
)

const (
	listener = "arn:aws:lambda:us-east-1:123456789012:function:listener"
	own      = "/aws/lambda/checkout"
)

var (
	alias = deploy.Alias{Function: "checkout", Name: "live"}
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// packaged is the function of the tests, which answers an order as its variable
// DO says.
var packaged = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "logs-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	bin := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", bin, "./testdata/checkout")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build function: %w: %s", err, out)
	}
	contents, err := os.ReadFile(bin)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
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
})

// account is a local AWS in which checkout's version 2 is a canary, and whose
// listener puts what it hears into a ledger.
type account struct {
	t       *testing.T
	local   *host.AWS
	lambda  *awslambda.Client
	logs    *cloudwatchlogs.Client
	iam     *iam.Client
	adapter *logs.Client
	whole   *ledgertest.Memory // hears every batch, twice
	cut     *ledgertest.Memory // hears every line as a batch of its own
	heard   int                // batches
	failed  error
}

func open(t *testing.T) *account {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Start: noon, Seed: 1}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	a := &account{
		t: t, local: local, lambda: awslambda.NewFromConfig(config), logs: cloudwatchlogs.NewFromConfig(config), iam: iam.NewFromConfig(config),
		whole: &ledgertest.Memory{}, cut: &ledgertest.Memory{},
	}
	a.adapter = logs.New(a.logs, listener)
	a.role("worker", `"logs:*"`)
	a.role("silent", `"sqs:*"`)
	a.create("listener", "worker", nil)
	_, err = a.lambda.AddPermission(t.Context(), &awslambda.AddPermissionInput{
		FunctionName: aws.String("listener"), StatementId: aws.String("logs"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("logs.amazonaws.com"), SourceArn: aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/a*"),
	})
	require.NoError(t, err)
	local.World.Lock()
	local.Mux.Intercept(a.hear)
	local.World.Unlock()
	return a
}

// hear does what a listener would do with what CloudWatch Logs delivers.
func (a *account) hear(_ *wire.Call, _, _ string, in any, goOn func() (any, error)) (any, error) {
	out, err := goOn()
	i, ok := in.(*awslambda.InvokeInput)
	if err != nil || !ok || aws.ToString(i.FunctionName) != listener || i.InvocationType != lambdatypes.InvocationTypeEvent {
		return out, err
	}
	a.heard++
	a.failed = errors.Join(a.failed, a.add(i.Payload))
	return out, nil
}

func (a *account) add(payload []byte) error {
	l, err := events.ParseLogs(payload)
	if err != nil {
		return err
	}
	errs := []error{a.count(a.whole, l), a.count(a.whole, l)} // delivery is at least once
	for _, line := range l.Lines {
		alone := l
		alone.Lines = []events.Line{line}
		errs = append(errs, a.count(a.cut, alone))
	}
	return errors.Join(errs...)
}

func (a *account) count(ledger *ledgertest.Memory, l events.Logs) error {
	b, err := outcome.Read(l)
	if err != nil {
		return err
	}
	return ledger.AddOutcomes(a.t.Context(), alias, b.Parts)
}

func (a *account) role(name, may string) {
	a.t.Helper()
	_, err := a.iam.CreateRole(a.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(a.t, err)
	_, err = a.iam.PutRolePolicy(a.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + may + `,"Resource":"*"}]}`)})
	require.NoError(a.t, err)
}

func (a *account) create(name, role string, config *lambdatypes.LoggingConfig) {
	a.t.Helper()
	code, err := packaged()
	require.NoError(a.t, err)
	_, err = a.lambda.CreateFunction(a.t.Context(), &awslambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/" + role), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code}, LoggingConfig: config,
	})
	require.NoError(a.t, err)
}

// deploy makes version 1, which does well, and version 2, which does something
// else to every third order and gets a quarter of them.
func (a *account) deploy(role, do string, logging ...*lambdatypes.LoggingConfig) {
	a.t.Helper()
	a.create(alias.Function, role, logging[0])
	ctx := a.t.Context()
	publish := func() {
		_, err := a.lambda.PublishVersion(ctx, &awslambda.PublishVersionInput{FunctionName: &alias.Function})
		require.NoError(a.t, err)
	}
	publish()
	_, err := a.lambda.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{
		FunctionName: &alias.Function, Environment: &lambdatypes.Environment{Variables: map[string]string{"DO": do}},
		LoggingConfig: logging[len(logging)-1],
	})
	require.NoError(a.t, err)
	publish()
	_, err = a.lambda.CreateAlias(ctx, &awslambda.CreateAliasInput{
		FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: aws.String("1"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}},
	})
	require.NoError(a.t, err)
	got := a.orders(5 * time.Second) // the log groups are made with the first lines
	require.Len(a.t, got, 2, "both versions have written some")
	a.advance(time.Minute)
}

func (a *account) advance(d time.Duration) {
	a.t.Helper()
	require.NoError(a.t, a.local.World.Advance(a.t.Context(), d))
}

// orders sends ten orders a second to the alias and returns what became of them, per version.
func (a *account) orders(last time.Duration) map[deploy.Revision][2]int {
	a.t.Helper()
	a.local.World.Lock()
	users := localtraffic.Start(a.local.World, a.local.Lambda, localtraffic.Options{
		Function: alias.Function, Qualifier: alias.Name, PerSecond: 10,
		Payload: func(n int) []byte { return fmt.Appendf(nil, `{"order":%d}`, n) },
	})
	a.local.World.Unlock()
	a.advance(last)
	a.local.World.Lock()
	defer a.local.World.Unlock()
	users.Stop()
	got := make(map[deploy.Revision][2]int)
	for _, v := range users.Summary().ByVersion {
		got[deploy.Revision(v.Version)] = [2]int{v.Total, v.Failed}
	}
	return got
}

// sources are where both versions log to.
func (a *account) sources() []outcome.Source {
	a.t.Helper()
	var all []outcome.Source
	for _, rev := range []deploy.Revision{"1", "2"} {
		s, err := traffic.New(a.lambda).Source(a.t.Context(), alias.Function, rev)
		require.NoError(a.t, err)
		all = append(all, s)
	}
	return all
}

// counted is what a ledger has, per version.
func (a *account) counted(ledger *ledgertest.Memory) map[deploy.Revision][2]int {
	a.t.Helper()
	require.NoError(a.t, a.failed)
	counts, err := ledger.Outcomes(a.t.Context(), alias, noon, noon.Add(time.Hour))
	require.NoError(a.t, err)
	got := make(map[deploy.Revision][2]int)
	for _, c := range counts {
		n := got[c.Version]
		got[c.Version] = [2]int{n[0] + c.Requests, n[1] + c.Errors}
	}
	return got
}

func jsonTo(group string) *lambdatypes.LoggingConfig {
	return &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatJson, LogGroup: &group}
}

func textTo(group string) *lambdatypes.LoggingConfig {
	return &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatText, LogGroup: &group}
}
