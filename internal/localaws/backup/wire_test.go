package backup_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	localbackup "github.com/pullback-dev/pullback/internal/localaws/backup"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRequestsAndAnswersAreThoseOfTheSDK(t *testing.T) {
	w := world.New(world.Options{})
	wiretest.Snapshots(t, localbackup.New(w, wire.NewMux(w)).Wire(), "github.com/aws/aws-sdk-go-v2/service/backup")
}

// allow makes the role that jobs act with.
func allow(t *testing.T, c aws.Config) {
	t.Helper()
	client := iam.NewFromConfig(c)
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("backup"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("backup"), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)})
	require.NoError(t, err)
}
