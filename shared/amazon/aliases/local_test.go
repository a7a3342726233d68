package aliases_test

import (
	"archive/zip"
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/aliases"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Kind: deploy.KindAlias, Application: "checkout", Group: "live"}
	alias  = deploy.Alias{Function: "checkout", Name: "live"}
	place  = deploy.Place{Target: target, Alias: alias}
)

// cloud is a local AWS with the function checkout, versions 1, 2 and 3 of which
// are published, and the alias live on version 1.
type cloud struct {
	*host.AWS
	t      *testing.T
	lambda *lambda.Client
	roles  *iam.Client
	ledger *ledgertest.Memory
	client *aliases.Client
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: noon}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	c := &cloud{AWS: local, t: t, lambda: lambda.NewFromConfig(config), roles: iam.NewFromConfig(config), ledger: new(ledgertest.Memory)}
	c.client = aliases.New(c.lambda, c.roles, c.ledger, c.now)
	c.role("checkout")
	c.function("checkout", map[string]string{
		"pullback:enabled": "true", "pullback:aliases": "live beta", "pullback:alarms": "errors", "pullback:alarms:live": "latency errors", "team": "shop",
	})
	for _, release := range []string{"two", "three"} {
		_, err := c.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &alias.Function, ZipFile: code(t, release)})
		require.NoError(t, err)
		c.publish()
	}
	_, err = c.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: aws.String("1")})
	require.NoError(t, err)
	return c
}

// code is a deployment package that is never run.
func code(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func (c *cloud) role(name string) {
	c.t.Helper()
	_, err := c.roles.CreateRole(c.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	)})
	require.NoError(c.t, err)
}

// function makes a function with a role of its name, and publishes version 1.
func (c *cloud) function(name string, tags map[string]string) {
	c.t.Helper()
	_, err := c.lambda.CreateFunction(c.t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/checkout"), Tags: tags,
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code(c.t, "one")},
	})
	require.NoError(c.t, err)
	c.pass(time.Minute)
	_, err = c.lambda.PublishVersion(c.t.Context(), &lambda.PublishVersionInput{FunctionName: &name})
	require.NoError(c.t, err)
}

func (c *cloud) publish() {
	c.t.Helper()
	c.pass(time.Minute)
	_, err := c.lambda.PublishVersion(c.t.Context(), &lambda.PublishVersionInput{FunctionName: &alias.Function})
	require.NoError(c.t, err)
	c.pass(time.Minute)
}

func (c *cloud) pass(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.World.Advance(c.t.Context(), d))
}

// now is the cloud's time.
func (c *cloud) now() time.Time {
	c.World.Lock()
	defer c.World.Unlock()
	return c.World.Now()
}

// serve lets the alias serve a version, and give another one a share.
func (c *cloud) serve(version string, weights map[string]float64) {
	c.t.Helper()
	_, err := c.lambda.UpdateAlias(c.t.Context(), &lambda.UpdateAliasInput{
		FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: &version,
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	})
	require.NoError(c.t, err)
}

// live is what is seen to serve.
func (c *cloud) live() deploy.Live {
	c.t.Helper()
	live, err := c.client.Live(c.t.Context(), place)
	require.NoError(c.t, err)
	return live
}

// recent are all moves that are known.
func (c *cloud) recent() []deploy.Deployment {
	c.t.Helper()
	all, err := c.client.Recent(c.t.Context(), target, time.Time{})
	require.NoError(c.t, err)
	return all
}
