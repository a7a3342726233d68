package ssm_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	localssm "github.com/pullback-dev/pullback/internal/localaws/ssm"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func store(t *testing.T) *ssm.Client {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	mux.Handle(localssm.New(w, mux).Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return ssm.New(ssm.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func put(t *testing.T, c *ssm.Client, in ssm.PutParameterInput) int64 {
	t.Helper()
	out, err := c.PutParameter(t.Context(), &in)
	require.NoError(t, err)
	return out.Version
}

func TestTheWireIsTheSDKs(t *testing.T) {
	w := world.New(world.Options{})
	wiretest.Snapshots(t, localssm.New(w, wire.NewMux(w)).Wire(), "github.com/aws/aws-sdk-go-v2/service/ssm")
}

func TestAParameterIsReadAsItWasPut(t *testing.T) {
	c := store(t)
	put(t, c, ssm.PutParameterInput{Name: aws.String("/shop/mode"), Value: aws.String("a,b"), Type: ssmtypes.ParameterTypeStringList})
	for _, name := range []string{"/shop/mode", "arn:aws:ssm:us-east-1:123456789012:parameter/shop/mode"} {
		out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(name)})
		require.NoError(t, err)
		assert.Equal(t, &ssmtypes.Parameter{
			ARN:      aws.String("arn:aws:ssm:us-east-1:123456789012:parameter/shop/mode"),
			DataType: aws.String("text"), Name: aws.String("/shop/mode"),
			LastModifiedDate: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
			Type:             ssmtypes.ParameterTypeStringList, Value: aws.String("a,b"), Version: 1,
		}, out.Parameter)
	}
}

func TestEveryVersionStaysReadable(t *testing.T) {
	c := store(t)
	in := ssm.PutParameterInput{Name: aws.String("mode"), Value: aws.String("one"), Type: ssmtypes.ParameterTypeString}
	assert.Equal(t, int64(1), put(t, c, in))
	_, err := c.PutParameter(t.Context(), &in)
	var exists *ssmtypes.ParameterAlreadyExists
	require.ErrorAs(t, err, &exists)

	in.Value, in.Overwrite, in.Type = aws.String("two"), aws.Bool(true), ""
	assert.Equal(t, int64(2), put(t, c, in))
	for selector, want := range map[string]string{"mode": "two", "mode:1": "one", "mode:2": "two"} {
		out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(selector)})
		require.NoError(t, err)
		assert.Equal(t, want, *out.Parameter.Value, selector)
		assert.Equal(t, ssmtypes.ParameterTypeString, out.Parameter.Type)
	}
	_, err = c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("mode:3")})
	var missing *ssmtypes.ParameterVersionNotFound
	require.ErrorAs(t, err, &missing)
}

func TestTheOldestOfMoreThanAHundredVersionsIsDropped(t *testing.T) {
	c := store(t)
	in := ssm.PutParameterInput{
		Name: aws.String("n"), Value: aws.String("v"), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
	}
	for range 101 {
		put(t, c, in)
	}
	_, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("n:1")})
	var missing *ssmtypes.ParameterVersionNotFound
	require.ErrorAs(t, err, &missing)
	out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("n:2")})
	require.NoError(t, err)
	assert.Equal(t, int64(2), out.Parameter.Version)
}

func TestASecretIsOnlyReadableWithDecryption(t *testing.T) {
	c := store(t)
	put(t, c, ssm.PutParameterInput{Name: aws.String("key"), Value: aws.String("hush"), Type: ssmtypes.ParameterTypeSecureString})
	hidden, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("key")})
	require.NoError(t, err)
	assert.NotContains(t, *hidden.Parameter.Value, "hush")
	plain, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("key"), WithDecryption: aws.Bool(true)})
	require.NoError(t, err)
	assert.Equal(t, "hush", *plain.Parameter.Value)
}

func TestGetParametersTellsWhatIsNotThere(t *testing.T) {
	c := store(t)
	put(t, c, ssm.PutParameterInput{Name: aws.String("a"), Value: aws.String("1"), Type: ssmtypes.ParameterTypeString})
	out, err := c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"b", "a"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, out.InvalidParameters)
	require.Len(t, out.Parameters, 1)
	assert.Equal(t, "1", *out.Parameters[0].Value)

	out, err = c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"a"}})
	require.NoError(t, err)
	assert.Equal(t, []string{}, out.InvalidParameters, "an empty list is not a missing one")
}

func TestADeletedParameterIsGone(t *testing.T) {
	c := store(t)
	put(t, c, ssm.PutParameterInput{Name: aws.String("a"), Value: aws.String("1"), Type: ssmtypes.ParameterTypeString})
	_, err := c.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("a")})
	require.NoError(t, err)
	var missing *ssmtypes.ParameterNotFound
	_, err = c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("a")})
	require.ErrorAs(t, err, &missing)
	_, err = c.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("a")})
	require.ErrorAs(t, err, &missing)
}

func TestPutParameterRefuses(t *testing.T) {
	good := ssm.PutParameterInput{Name: aws.String("n"), Value: aws.String("v"), Type: ssmtypes.ParameterTypeString}
	for name, c := range map[string]struct {
		change func(in *ssm.PutParameterInput)
		code   string
	}{
		"no type":               {func(in *ssm.PutParameterInput) { in.Type = "" }, "ValidationException"},
		"a blank in the name":   {func(in *ssm.PutParameterInput) { in.Name = aws.String("a b") }, "ValidationException"},
		"half a path":           {func(in *ssm.PutParameterInput) { in.Name = aws.String("a/b") }, "ValidationException"},
		"a name of AWS's own":   {func(in *ssm.PutParameterInput) { in.Name = aws.String("/AWS/x") }, "ValidationException"},
		"sixteen levels":        {func(in *ssm.PutParameterInput) { in.Name = aws.String(strings.Repeat("/a", 16)) }, "HierarchyLevelLimitExceededException"},
		"an empty value":        {func(in *ssm.PutParameterInput) { in.Value = aws.String("") }, "ValidationException"},
		"a value of 4097":       {func(in *ssm.PutParameterInput) { in.Value = aws.String(strings.Repeat("a", 4097)) }, "ValidationException"},
		"a parameter policy":    {func(in *ssm.PutParameterInput) { in.Policies = aws.String("[]") }, "UnsupportedParameter"},
		"a type of an AMI":      {func(in *ssm.PutParameterInput) { in.DataType = aws.String("aws:ec2:image") }, "ValidationException"},
		"a pattern for a value": {func(in *ssm.PutParameterInput) { in.AllowedPattern = aws.String("^a$") }, "UnsupportedParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			c.change(&in)
			_, err := store(t).PutParameter(t.Context(), &in)
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, c.code, api.ErrorCode())
		})
	}
}

func TestAnAdvancedParameterMayBeTwiceAsLarge(t *testing.T) {
	c := store(t)
	put(t, c, ssm.PutParameterInput{
		Name: aws.String("n"), Value: aws.String(strings.Repeat("a", 8192)), Type: ssmtypes.ParameterTypeString,
		Tier: ssmtypes.ParameterTierAdvanced,
	})
	out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("n")})
	require.NoError(t, err)
	assert.Len(t, *out.Parameter.Value, 8192)
}

func TestWithIntelligentTieringAParameterBecomesAdvancedWhenItHasTo(t *testing.T) {
	c := store(t)
	for _, step := range []struct {
		length int
		want   ssmtypes.ParameterTier
	}{{4096, ssmtypes.ParameterTierStandard}, {4097, ssmtypes.ParameterTierAdvanced}, {1, ssmtypes.ParameterTierAdvanced}} {
		out, err := c.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String("n"), Value: aws.String(strings.Repeat("a", step.length)), Type: ssmtypes.ParameterTypeString,
			Tier: ssmtypes.ParameterTierIntelligentTiering, Overwrite: aws.Bool(true),
		})
		require.NoError(t, err)
		assert.Equal(t, step.want, out.Tier)
	}
	_, err := c.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("m"), Value: aws.String(strings.Repeat("a", 8193)), Type: ssmtypes.ParameterTypeString,
		Tier: ssmtypes.ParameterTierIntelligentTiering,
	})
	assert.ErrorContains(t, err, "Advanced tier parameters support a maximum parameter value of 8192 characters.")
}
