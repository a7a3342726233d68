package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The defaults of a deployment configuration (API reference,
// DeploymentConfiguration).
const (
	usualMaximum = 200
	usualMinimum = 100
)

// withDefaults completes a deployment configuration.
func withDefaults(controller ecstypes.DeploymentControllerType, in *ecstypes.DeploymentConfiguration) *ecstypes.DeploymentConfiguration {
	var out ecstypes.DeploymentConfiguration
	if in != nil {
		out = *in
	}
	if out.MaximumPercent == nil {
		out.MaximumPercent = aws.Int32(usualMaximum)
	}
	if out.MinimumHealthyPercent == nil {
		out.MinimumHealthyPercent = aws.Int32(usualMinimum)
	}
	if controller != ecstypes.DeploymentControllerTypeEcs {
		return &out
	}
	if out.Strategy == "" {
		out.Strategy = ecstypes.DeploymentStrategyRolling
	}
	if out.BakeTimeInMinutes == nil {
		out.BakeTimeInMinutes = aws.Int32(0)
	}
	if out.DeploymentCircuitBreaker == nil {
		out.DeploymentCircuitBreaker = &ecstypes.DeploymentCircuitBreaker{}
	}
	return &out
}

// checkConfig refuses a deployment configuration that cannot be.
func checkConfig(controller ecstypes.DeploymentControllerType, c *ecstypes.DeploymentConfiguration, _ []ecstypes.LoadBalancer) error {
	if !slices.Contains(controller.Values(), controller) {
		return invalid("Invalid deployment controller type: %s", controller)
	}
	if c == nil {
		return nil
	}
	for _, p := range []*int32{c.MaximumPercent, c.MinimumHealthyPercent} {
		if p != nil && *p < 0 {
			return invalid("Deployment percentages must not be negative.")
		}
	}
	if controller == ecstypes.DeploymentControllerTypeEcs {
		return nil
	}
	switch {
	case c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.Enable:
		return invalid("DeploymentCircuitBreaker feature can be enabled only with ECS deployment controller.")
	case c.Alarms != nil && c.Alarms.Enable:
		return invalid("Deployment alarms can be enabled only with ECS deployment controller.")
	case c.Strategy != "", len(c.LifecycleHooks) > 0, c.BakeTimeInMinutes != nil, c.LinearConfiguration != nil, c.CanaryConfiguration != nil, c.EarlySuccessCriteria != nil:
		return invalid("Deployment strategies can be used only with ECS deployment controller.")
	}
	return nil
}
