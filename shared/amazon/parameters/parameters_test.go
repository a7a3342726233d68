package parameters_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/parameters"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAParameterIsReadAsItIsNow(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	client := ssm.NewFromConfig(aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	p := parameters.New(client, "/pullback/config")

	_, _, err = p.Read(t.Context())
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.EqualError(t, err, "parameter /pullback/config: unknown to AWS")

	for i, text := range []string{"a: 1 # é\n", "b: 2\n"} {
		_, err = client.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String("/pullback/config"), Value: &text, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
		})
		require.NoError(t, err)
		got, version, err := p.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, text, got)
		assert.Equal(t, int64(i+1), version)
	}
}

// denied is a Parameter Store that one may not read.
type denied struct{}

func (denied) GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	return nil, errors.New("AccessDeniedException: no identity-based policy allows the ssm:GetParameter action")
}

func TestAnErrorNamesTheParameter(t *testing.T) {
	_, _, err := parameters.New(denied{}, "/pullback/config").Read(t.Context())
	assert.EqualError(t, err, "read parameter /pullback/config: AccessDeniedException: no identity-based policy allows the ssm:GetParameter action")
}
