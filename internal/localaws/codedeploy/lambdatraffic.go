package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// check compares alias and versions with the AppSpec file. A deployment that
// was stopped without a rollback leaves the alias on two versions, and every
// later one fails until somebody clears that (user guide, "Troubleshoot AWS
// Lambda deployment issues").
func (r *lambdaRun) check(ctx context.Context) (code cdtypes.ErrorCode, message string) {
	alias, err := wire.Do[lambda.GetAliasOutput](ctx, r.s.c, r.d.principal(), "lambda", "GetAlias",
		&lambda.GetAliasInput{FunctionName: aws.String(r.spec.Function), Name: aws.String(r.spec.Alias)})
	if err != nil {
		return refused(err), fmt.Sprintf("%s The alias %s of function %s could not be read: %v", notConfigured, r.spec.Alias, r.spec.Function, err)
	}
	switch {
	case r.spec.CurrentVersion == r.spec.TargetVersion:
		// AWS gives no reason in this case (terraform-aws-lambda issue 82).
		return cdtypes.ErrorCodeInvalidLambdaConfiguration, notConfigured
	case alias.RoutingConfig != nil && len(alias.RoutingConfig.AdditionalVersionWeights) > 0:
		return cdtypes.ErrorCodeInvalidLambdaConfiguration, notConfigured + " The Lambda function alias references two versions."
	case aws.ToString(alias.FunctionVersion) != r.spec.CurrentVersion:
		// AWS's words (serverless-application-model issue 291).
		return cdtypes.ErrorCodeInvalidLambdaConfiguration, notConfigured + " The Lambda function alias version does not match the current version in AppSpec file."
	}
	// Not with the service role: AWS's policy for it, AWSCodeDeployRoleForLambda,
	// does not allow to look at functions.
	_, err = wire.Do[lambda.GetFunctionConfigurationOutput](ctx, r.s.c, principal(), "lambda", "GetFunctionConfiguration",
		&lambda.GetFunctionConfigurationInput{FunctionName: aws.String(r.spec.Function), Qualifier: aws.String(r.spec.TargetVersion)})
	if err != nil {
		return refused(err), fmt.Sprintf("%s The target version %s of function %s could not be read: %v", notConfigured, r.spec.TargetVersion, r.spec.Function, err)
	}
	return "", ""
}

// refused tells a function, alias or version that is not there, and what the
// service role may not do, from other errors of Lambda.
func refused(err error) cdtypes.ErrorCode {
	if denied(err) {
		return cdtypes.ErrorCodeIamRolePermissions
	}
	if _, ok := errors.AsType[*lambdatypes.ResourceNotFoundException](err); ok {
		return cdtypes.ErrorCodeInvalidLambdaFunction
	}
	return cdtypes.ErrorCodeInvalidLambdaConfiguration
}

// step is one shift of traffic and how long it lasts.
type step struct {
	percent int32 // that the target version gets
	wait    time.Duration
}

// shifts lists the steps of the deployment's configuration; the last gives
// everything to the target version. A rollback takes one step.
func (r *lambdaRun) shifts() []step {
	const all = 100
	var steps []step
	routing := r.d.config.TrafficRoutingConfig
	switch {
	case routing == nil:
	case routing.TimeBasedCanary != nil:
		c := routing.TimeBasedCanary
		steps = append(steps, step{c.CanaryPercentage, time.Duration(c.CanaryInterval) * time.Minute})
	case routing.TimeBasedLinear != nil:
		l := routing.TimeBasedLinear
		for p := l.LinearPercentage; p < all; p += l.LinearPercentage {
			steps = append(steps, step{p, time.Duration(l.LinearInterval) * time.Minute})
		}
	}
	return append(steps, step{percent: all})
}

// shift takes the first step, waits and goes on with the others.
func (r *lambdaRun) shift(ctx context.Context, steps []step) {
	if err := r.point(ctx, steps[0].percent); err != nil {
		r.s.fail(ctx, r.d, refused(err), fmt.Sprintf("The alias %s of function %s could not be updated: %v", r.spec.Alias, r.spec.Function, err))
		return
	}
	if len(steps) == 1 {
		r.finish(ctx, allowTraffic)
		return
	}
	r.s.later(r.d, steps[0].wait, func() { r.shift(ctx, steps[1:]) })
}

// point gives a part of the alias's traffic to the target version. While
// traffic shifts, the alias points to the current version and the target
// version has a weight; at the end it points to the target version and no
// weight is left (observed). The weights are always sent, because Lambda keeps
// those that are not.
func (r *lambdaRun) point(ctx context.Context, percent int32) error {
	const all = 100
	version, weights := r.spec.CurrentVersion, map[string]float64{r.spec.TargetVersion: float64(percent) / all}
	if percent >= all {
		version, weights = r.spec.TargetVersion, map[string]float64{}
	}
	_, err := wire.Do[lambda.UpdateAliasOutput](ctx, r.s.c, r.d.principal(), "lambda", "UpdateAlias", &lambda.UpdateAliasInput{
		FunctionName: aws.String(r.spec.Function), Name: aws.String(r.spec.Alias), FunctionVersion: aws.String(version),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	})
	if err == nil {
		r.weight, r.life.updated = float64(percent)/all, r.s.w.Now()
	}
	return err
}
