package lambda_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARevisionThatIsNotTheLatestIsAConflict(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	name, old := aws.String("worker"), aws.String("11111111-1111-4111-8111-111111111111")
	l.publish()
	_, err := l.client.CreateAlias(t.Context(), &awslambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.NoError(t, err)
	code, err := packaged()
	require.NoError(t, err)
	tests := map[string]func() error{
		"UpdateFunctionCode": func() error {
			_, err := l.client.UpdateFunctionCode(t.Context(), &awslambda.UpdateFunctionCodeInput{FunctionName: name, RevisionId: old, ZipFile: code})
			return err
		},
		"UpdateFunctionConfiguration": func() error {
			_, err := l.client.UpdateFunctionConfiguration(t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: name, RevisionId: old})
			return err
		},
		"PublishVersion": func() error {
			_, err := l.client.PublishVersion(t.Context(), &awslambda.PublishVersionInput{FunctionName: name, RevisionId: old})
			return err
		},
		"UpdateAlias": func() error {
			_, err := l.client.UpdateAlias(t.Context(), &awslambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), RevisionId: old})
			return err
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			err := call()
			var stale *lambdatypes.PreconditionFailedException
			require.ErrorAs(t, err, &stale)
			require.ErrorContains(t, err, "StatusCode: 412")
			assert.Contains(t, stale.ErrorMessage(), "The Revision Id provided does not match the latest Revision Id.")
		})
	}
}

func TestPublishingRefusesOtherCodeThanTheCallerSaw(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	_, err := l.client.PublishVersion(t.Context(), &awslambda.PublishVersionInput{FunctionName: aws.String("worker"), CodeSha256: aws.String("other")})
	require.ErrorContains(t, err, "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST")
}

// threeVersions creates a function with three versions, the last of them with
// another role, and an alias to the first.
func (l *local) threeVersions() *awslambda.CreateAliasOutput {
	l.t.Helper()
	l.create("worker")
	name := aws.String("worker")
	l.publish()
	l.vary(map[string]string{"A": "1"})
	l.publish()
	_, err := l.client.UpdateFunctionConfiguration(l.t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: name, Role: aws.String(role + "2")})
	require.NoError(l.t, err)
	l.publish()
	created, err := l.client.CreateAlias(l.t.Context(), &awslambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.NoError(l.t, err)
	return created
}

func weights(w map[string]float64) *lambdatypes.AliasRoutingConfiguration {
	return &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: w}
}

func TestAnAliasPointsWhereItMay(t *testing.T) {
	l := newLocal(t)
	l.threeVersions()
	name := aws.String("worker")
	tests := map[string]struct {
		in   awslambda.UpdateAliasInput
		want string
	}{
		"no such version":   {awslambda.UpdateAliasInput{FunctionVersion: aws.String("9")}, "Function not found: " + arn + "worker:9"},
		"three versions":    {awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"2": 0.1, "3": 0.1})}, "cannot be greater than 1"},
		"too much weight":   {awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"2": 1.5})}, "Member must have value less than or equal to 1.0"},
		"the same version":  {awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"1": 0.5})}, "is already included in routing configuration"},
		"weight for latest": {awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"$LATEST": 0.5})}, "$LATEST is not supported"},
		"another role":      {awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"3": 0.5})}, "same execution role"},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			tt.in.FunctionName, tt.in.Name = name, aws.String("live")
			_, err := l.client.UpdateAlias(t.Context(), &tt.in)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWeightsOfAnAliasComeAndGo(t *testing.T) {
	l := newLocal(t)
	created := l.threeVersions()
	name := aws.String("worker")
	update := func(in awslambda.UpdateAliasInput) *awslambda.UpdateAliasOutput {
		in.FunctionName, in.Name = name, aws.String("live")
		out, err := l.client.UpdateAlias(t.Context(), &in)
		require.NoError(t, err)
		return out
	}
	shifting := update(awslambda.UpdateAliasInput{RoutingConfig: weights(map[string]float64{"2": 0.1}), RevisionId: created.RevisionId})
	assert.Equal(t, weights(map[string]float64{"2": 0.1}), shifting.RoutingConfig)
	assert.NotEqual(t, created.RevisionId, shifting.RevisionId)
	kept := update(awslambda.UpdateAliasInput{Description: aws.String("d")})
	assert.Equal(t, weights(map[string]float64{"2": 0.1}), kept.RoutingConfig, "left out, the weights stay")
	_, err := l.client.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")})
	require.ErrorContains(t, err, "Unable to delete version because the following aliases reference it: [live]")
	done := update(awslambda.UpdateAliasInput{FunctionVersion: aws.String("2"), RoutingConfig: weights(map[string]float64{})})
	assert.Nil(t, done.RoutingConfig)
	assert.Equal(t, "2", *done.FunctionVersion)
	_, err = l.client.CreateAlias(t.Context(), &awslambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.ErrorContains(t, err, "StatusCode: 409")
	_, err = l.client.GetAlias(t.Context(), &awslambda.GetAliasInput{FunctionName: name, Name: aws.String("none")})
	require.ErrorContains(t, err, "Cannot find alias arn: "+arn+"worker:none")
	all, err := l.client.ListAliases(t.Context(), &awslambda.ListAliasesInput{FunctionName: name, FunctionVersion: aws.String("2")})
	require.NoError(t, err)
	require.Len(t, all.Aliases, 1)
	assert.Equal(t, arn+"worker:live", *all.Aliases[0].AliasArn)
}
