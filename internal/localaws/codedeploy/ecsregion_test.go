package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	locallambda "github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Hooks are compiled functions here, which call CodeDeploy as customers' do.
func TestHooksOfAnECSDeploymentAreRealFunctions(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function")
	}
	f := newFleet(t, layout{hooks: func(f *fleet, url string) wire.Service {
		functions := locallambda.New(f.w, f.mux, locallambda.Options{
			Endpoint: func() string { return url },
			Issue: func(p wire.Principal) (id, secret, token string) {
				c := f.mux.Issue(p)
				return c.AccessKeyID, c.SecretAccessKey, c.SessionToken
			},
		})
		t.Cleanup(func() { require.NoError(t, functions.Close()) })
		return functions.Wire()
	}})
	client := lambda.NewFromConfig(f.config)
	code := packaged(t)
	for name, answer := range map[string]string{"good": "Succeeded", "bad": "Failed"} {
		_, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: aws.String(name), Role: aws.String(role), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
			Code:        &lambdatypes.FunctionCode{ZipFile: code},
			Environment: &lambdatypes.Environment{Variables: map[string]string{"ANSWER": answer}},
		})
		require.NoError(t, err)
	}
	f.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	file := f.file(2)
	for _, name := range []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"} {
		file.Hooks[name] = "good"
	}
	first := f.deploy(file)
	f.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, f.get(first).Status)
	assert.Equal(t, []string{"PRIMARY web:2 2"}, f.running())

	file = f.file(1)
	file.Hooks["AfterInstall"], file.Hooks["AfterAllowTraffic"] = "good", "bad"
	second := f.deploy(file)
	f.advance(time.Hour)
	assert.Equal(t, "SSSSSSSF", f.life(second))
	assert.Equal(t, []string{"PRIMARY web:2 2"}, f.running())
	back := f.get(*f.get(second).RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, back.Status)
	assert.Equal(t, f.get(first).Revision, back.Revision, "that of the last successful deployment")
}
