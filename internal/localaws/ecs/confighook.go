package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// checkHooks refuses lifecycle hooks that cannot be (API reference,
// DeploymentLifecycleHook).
func checkHooks(c *ecstypes.DeploymentConfiguration) error {
	if len(c.LifecycleHooks) > 0 && !native(c.Strategy) {
		return invalid("the local AWS runs lifecycle hooks only with the deployment strategies BLUE_GREEN, LINEAR and CANARY")
	}
	for _, h := range c.LifecycleHooks {
		if len(h.LifecycleStages) == 0 {
			return invalid("A lifecycle hook needs lifecycleStages.")
		}
		for _, stage := range h.LifecycleStages {
			if !slices.Contains(stage.Values(), stage) {
				return invalid("Invalid lifecycle stage: %s", stage)
			}
		}
		check := checkFunction
		switch h.TargetType {
		case "", ecstypes.DeploymentLifecycleHookTargetTypeAwsLambda:
		case ecstypes.DeploymentLifecycleHookTargetTypePause:
			check = checkPause
		default:
			return invalid("Invalid lifecycle hook target type: %s", h.TargetType)
		}
		if err := check(h); err != nil {
			return err
		}
	}
	return nil
}

func checkFunction(h ecstypes.DeploymentLifecycleHook) error {
	if aws.ToString(h.HookTargetArn) == "" || aws.ToString(h.RoleArn) == "" {
		return invalid("A lifecycle hook of the type AWS_LAMBDA needs a hookTargetArn and a roleArn.")
	}
	return checkTimeout(h, day)
}

func checkPause(h ecstypes.DeploymentLifecycleHook) error {
	for _, stage := range []ecstypes.DeploymentLifecycleHookStage{stageTest, stageProduction} {
		if slices.Contains(h.LifecycleStages, stage) {
			return invalid("A lifecycle hook of the type PAUSE cannot be used in %s.", stage)
		}
	}
	return checkTimeout(h, fortnight)
}

func checkTimeout(h ecstypes.DeploymentLifecycleHook, most int32) error {
	if h.TimeoutConfiguration == nil {
		return nil
	}
	a := h.TimeoutConfiguration.Action
	if a != "" && !slices.Contains(a.Values(), a) {
		return invalid("Invalid timeout action: %s", a)
	}
	return within("timeoutInMinutes", h.TimeoutConfiguration.TimeoutInMinutes, 1, most)
}

// checkAdvanced refuses load balancers that traffic cannot be shifted with.
func checkAdvanced(c *ecstypes.DeploymentConfiguration, balancers []ecstypes.LoadBalancer) error {
	if !native(c.Strategy) {
		return nil
	}
	for _, b := range balancers {
		a := b.AdvancedConfiguration
		if a == nil || aws.ToString(a.AlternateTargetGroupArn) == "" || aws.ToString(a.ProductionListenerRule) == "" || aws.ToString(a.RoleArn) == "" {
			return invalid("The deployment strategy %s needs an advancedConfiguration of each load balancer, "+
				"with alternateTargetGroupArn, productionListenerRule and roleArn.", c.Strategy)
		}
		for i, arn := range []string{aws.ToString(a.ProductionListenerRule), aws.ToString(a.TestListenerRule)} {
			if arn != "" && !shiftable(arn) {
				name := []string{"productionListenerRule", "testListenerRule"}[i]
				return invalid("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", name, arn)
			}
		}
	}
	return nil
}

// shiftable says whether traffic can be shifted with what an ARN names. The text
// for those it cannot is AWS's (developer guide, "Troubleshooting Amazon ECS
// blue/green deployments").
func shiftable(arn string) bool {
	return strings.Contains(arn, ":listener-rule/app/") || strings.Contains(arn, ":listener/net/")
}
