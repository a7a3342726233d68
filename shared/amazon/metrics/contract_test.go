package metrics_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// cloud is a whole local AWS.
type cloud struct {
	*host.AWS
	t      *testing.T
	config aws.Config
	client *metrics.Client
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: noon}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	c := &cloud{AWS: local, t: t, config: aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}}
	c.client = metrics.New(cloudwatch.NewFromConfig(c.config))
	return c
}

func (c *cloud) advance(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.World.Advance(c.t.Context(), d))
}

// now is the cloud's time.
func (c *cloud) now() time.Time {
	c.World.Lock()
	defer c.World.Unlock()
	return c.World.Now()
}

func ok[O any](t *testing.T) func(out O, err error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

// release is the deployment package of a release of the sample shop: the second
// one fails every third order.
func release(t *testing.T, name string) *lambdatypes.FunctionCode {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-o", file, "github.com/pullback-dev/pullback/internal/demo/sample/"+name)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	program, err := os.ReadFile(file)
	require.NoError(t, err)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = w.Write(program)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return &lambdatypes.FunctionCode{ZipFile: b.Bytes()}
}

// shop is a function with a good version 1 and a bad version 2, which gets a
// share of the alias's requests.
func (c *cloud) shop(share float64) {
	c.t.Helper()
	ctx, client := c.t.Context(), lambda.NewFromConfig(c.config)
	publish := func() {
		c.advance(time.Minute)
		ok[*lambda.PublishVersionOutput](c.t)(client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &alias.Function}))
	}
	ok[*lambda.CreateFunctionOutput](c.t)(client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &alias.Function, Role: aws.String("arn:aws:iam::123456789012:role/checkout"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Timeout: aws.Int32(20), Code: release(c.t, "v1"),
	}))
	publish()
	ok[*lambda.UpdateFunctionCodeOutput](c.t)(client.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: &alias.Function, ZipFile: release(c.t, "v2").ZipFile,
	}))
	publish()
	ok[*lambda.CreateAliasOutput](c.t)(client.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: aws.String("1"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": share}},
	}))
	c.advance(time.Minute)
}

// tally is what the requests of each period really came to.
type tally map[time.Time]*evalue.Counts

func (c tally) add(at time.Time, fresh, event bool) {
	if c[at] == nil {
		c[at] = &evalue.Counts{}
	}
	n, x := &c[at].N0, &c[at].X0
	if fresh {
		n, x = &c[at].N1, &c[at].X1
	}
	*n++
	if event {
		*x++
	}
}

// points are the minutes from start until before end.
func (c tally) points(start, end time.Time) (all []health.Point) {
	for at := start; at.Before(end); at = at.Add(time.Minute) {
		if c[at] != nil {
			all = append(all, health.Point{At: at, Period: time.Minute, Counts: *c[at]})
		}
	}
	return all
}

func TestRealRequestsToTwoVersionsOfAFunctionAreCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs functions")
	}
	c := newCloud(t)
	c.shop(0.3)
	from, failed, slow := c.now(), tally{}, tally{}
	c.World.Lock()
	users := traffic.Start(c.World, c.Lambda, traffic.Options{
		Function: alias.Function, Qualifier: alias.Name, PerSecond: 2,
		Payload: func(n int) []byte { return fmt.Appendf(nil, `{"number":%d}`, n) },
	})
	users.Observe(func(o traffic.Outcome) {
		failed.add(o.At.Truncate(time.Minute), o.Version == "2", o.Failed)
		slow.add(o.At.Truncate(time.Minute), o.Version == "2", false) // virtual time does not pass while a function runs
	})
	c.World.Unlock()

	ask := func() map[health.Metric][]health.Point {
		arm := measure.Lambda(alias, "1")
		thresholds := ok[map[health.Metric]float64](t)(c.client.Thresholds(t.Context(), arm, from, c.now()))
		require.Equal(t, map[health.Metric]float64{health.P50: 0, health.P90: 0, health.P99: 0}, thresholds)
		return ok[map[health.Metric][]health.Point](t)(c.client.Points(t.Context(), measure.Query{
			Old: arm, New: measure.Lambda(alias, "2"), Plane: measure.Minute(), Thresholds: thresholds, From: from, To: c.now(), Now: c.now(),
		}))
	}
	c.advance(5*time.Minute + 30*time.Second)
	first := ask()
	until := from.Add(4 * time.Minute) // the fifth minute ended 30 s ago
	require.Equal(t, failed.points(from, until), first[health.Errors])
	require.Equal(t, slow.points(from, until), first[health.P99])
	require.Len(t, first[health.Errors], 4)
	require.Len(t, first, 4)

	c.advance(time.Minute)
	assert.Equal(t, failed.points(from, until.Add(time.Minute)), ask()[health.Errors])
	total := evalue.Counts{}
	for _, p := range first[health.Errors] {
		total.N0, total.X0, total.N1, total.X1 = total.N0+p.Counts.N0, total.X0+p.Counts.X0, total.N1+p.Counts.N1, total.X1+p.Counts.X1
	}
	assert.InDelta(t, 480, total.N0+total.N1, 2)
	assert.Greater(t, total.N1, 100.0)
	assert.Zero(t, total.X0)
	assert.InDelta(t, total.N1/3, total.X1, 15, "the new version fails every third order")
}
