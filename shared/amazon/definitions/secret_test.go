package definitions_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/keys"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestSecretsOfSecretsManagerAreLookedAtWhereverTheyAreUsed(t *testing.T) {
	s, c := shop(t)
	secrets := secretsmanager.NewFromConfig(s.Config)
	c = c.With(keys.New(kms.NewFromConfig(s.Config), secrets, ecstest.Account, ecstest.Region))
	arns := map[string]string{}
	for _, name := range []string{"db", "log", "pull"} {
		arns[name] = *ecstest.Must[*secretsmanager.CreateSecretOutput](t)(secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("{}")})).ARN
	}
	r := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
		app := &in.ContainerDefinitions[0]
		app.Secrets = append(app.Secrets,
			ecstypes.Secret{Name: aws.String("ALL"), ValueFrom: aws.String(arns["db"])},
			ecstypes.Secret{Name: aws.String("USER"), ValueFrom: aws.String(arns["db"] + ":user::")},
			ecstypes.Secret{Name: aws.String("PASS"), ValueFrom: aws.String(arns["db"] + ":pass:AWSCURRENT:")},
		)
		app.LogConfiguration = &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverSplunk, SecretOptions: []ecstypes.Secret{{Name: aws.String("token"), ValueFrom: aws.String(arns["log"])}}}
		app.RepositoryCredentials = &ecstypes.RepositoryCredentials{CredentialsParameter: aws.String("pull")}
	}))
	require.NoError(t, c.Ready(t.Context(), r))

	lose := func(name string) {
		t.Helper()
		ecstest.Must[*secretsmanager.DeleteSecretOutput](t)(secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name}))
	}
	gone := func(name string) string {
		return "secret " + name + " is to be deleted: aws secretsmanager restore-secret --secret-id " + name
	}
	lose("pull")
	err := c.Ready(t.Context(), r)
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.EqualError(t, err, "task definition "+string(r)+": "+gone("pull")+": not ready")
	lose("log")
	ecstest.Must[*secretsmanager.RestoreSecretOutput](t)(secrets.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("pull")}))
	require.EqualError(t, c.Ready(t.Context(), r), "task definition "+string(r)+": "+gone(arns["log"])+": not ready")
	lose("db")
	require.ErrorContains(t, c.Ready(t.Context(), r), gone(arns["db"])+"; ")

	old := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Secrets = []ecstypes.Secret{{Name: aws.String("OLD"), ValueFrom: aws.String(arns["pull"] + "::AWSPREVIOUS:")}}
	}))
	require.ErrorContains(t, c.Ready(t.Context(), old), "secret "+arns["pull"]+" has no version AWSPREVIOUS")
}
