package sts_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	localsts "github.com/pullback-dev/pullback/internal/localaws/sts"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	deployer = "arn:aws:iam::123456789012:role/path/deployer"
	trust    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`
)

// endpoint starts a local STS and returns how to make clients for it.
func endpoint(t *testing.T) (mux *wire.Mux, client func(wire.Credentials) *sts.Client) {
	t.Helper()
	w := world.New(world.Options{})
	mux = wire.NewMux(w)
	roles := iam.New(w, mux)
	mux.Handle(roles.Wire())
	mux.Handle(localsts.New(w, mux, roles).Wire())
	w.Lock()
	defer w.Unlock()
	_, err := mux.Call(t.Context(), wire.Principal{}, "iam", "CreateRole", &awsiam.CreateRoleInput{
		RoleName: aws.String("deployer"), Path: aws.String("/path/"), AssumeRolePolicyDocument: aws.String(trust), MaxSessionDuration: aws.Int32(7200),
	})
	require.NoError(t, err)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return mux, func(c wire.Credentials) *sts.Client {
		return sts.New(sts.Options{
			Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		})
	}
}

func TestAnUnknownKeyBelongsToTheRootOfTheAccount(t *testing.T) {
	_, client := endpoint(t)
	out, err := client(wire.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}).
		GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	out.ResultMetadata = middleware.Metadata{}
	assert.Equal(t, &sts.GetCallerIdentityOutput{
		Account: aws.String("123456789012"), Arn: aws.String("arn:aws:iam::123456789012:root"), UserId: aws.String("123456789012"),
	}, out)
}

func TestAnAssumedRoleIsWhoCallsWithItsCredentials(t *testing.T) {
	_, client := endpoint(t)
	role, err := client(wire.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(deployer), RoleSessionName: aws.String("ci@main"),
	})
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), *role.Credentials.Expiration)
	assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/deployer/ci@main", *role.AssumedRoleUser.Arn)

	who, err := client(wire.Credentials{
		AccessKeyID: *role.Credentials.AccessKeyId, SecretAccessKey: *role.Credentials.SecretAccessKey,
		SessionToken: *role.Credentials.SessionToken,
	}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/deployer/ci@main", *who.Arn)
	assert.Equal(t, *role.AssumedRoleUser.AssumedRoleId, *who.UserId)
}

func TestAnIssuedKeyNamesItsPrincipal(t *testing.T) {
	mux, client := endpoint(t)
	keys := mux.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:user/ana"})
	assert.Equal(t, keys, mux.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:user/ana"}))
	assert.Len(t, keys.AccessKeyID, 20)
	who, err := client(keys).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:iam::123456789012:user/ana", *who.Arn)
}

func TestAssumeRoleRefuses(t *testing.T) {
	_, client := endpoint(t)
	role, session := aws.String(deployer), aws.String("ci")
	for name, c := range map[string]struct {
		in   sts.AssumeRoleInput
		code string
	}{
		"something that is no role": {
			sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:user/ana"), RoleSessionName: session}, "ValidationError",
		},
		"a session name with a blank": {sts.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("a b")}, "ValidationError"},
		"a session of a minute": {
			sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, DurationSeconds: aws.Int32(60)}, "ValidationError",
		},
		"a session that is longer than the role's": {
			sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, DurationSeconds: aws.Int32(7201)}, "ValidationError",
		},
		"a role that does not exist": {
			sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/other"), RoleSessionName: session}, "AccessDenied",
		},
		"a policy that is none": {sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, Policy: aws.String("{}")}, "MalformedPolicyDocument"},
		"a policy that nobody knows": {
			sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, PolicyArns: []ststypes.PolicyDescriptorType{
				{Arn: aws.String("arn:aws:iam::123456789012:policy/none")},
			}}, "MalformedPolicyDocument",
		},
		"a provided context": {
			sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, ProvidedContexts: []ststypes.ProvidedContext{{ProviderArn: role}}}, "UnsupportedParameter",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(wire.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}).AssumeRole(t.Context(), &c.in)
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, c.code, api.ErrorCode())
		})
	}
}
