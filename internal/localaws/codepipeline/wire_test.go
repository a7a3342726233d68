package codepipeline_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codepipeline"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRequestsAreThoseOfTheSDK(t *testing.T) {
	w := world.New(world.Options{})
	wiretest.Snapshots(t, codepipeline.New(w, wire.NewMux(w), codepipeline.Options{}).Wire(), "github.com/aws/aws-sdk-go-v2/service/codepipeline")
}

// allow makes a role of a service that may do what is listed.
func allow(t *testing.T, c aws.Config, name, service, actions string) {
	t.Helper()
	client := iam.NewFromConfig(c)
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}]}`)})
	require.NoError(t, err)
}
