package ecs

import (
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The defaults of a deployment configuration (API reference,
// DeploymentConfiguration, LinearConfiguration, CanaryConfiguration).
const (
	usualMaximum    = 200
	usualMinimum    = 100
	usualStep       = 10.0 // percent
	usualStepBake   = 6    // minutes
	usualCanary     = 5.0  // percent
	usualCanaryBake = 10   // minutes
)

// day is the most minutes of most periods, fortnight that of a pause.
const (
	day       = 1440
	fortnight = 20160
)

func orElse(p *float64, usual float64) float64 {
	if p == nil {
		return usual
	}
	return *p
}

func minutes(p *int32, usual time.Duration) time.Duration {
	if p == nil {
		return usual
	}
	return time.Duration(*p) * time.Minute
}

// tenths rounds a percentage as ECS does: to multiples of 0.1.
func tenths(percent float64) float64 {
	const parts = 10
	return math.Round(percent*parts) / parts
}

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
func checkConfig(controller ecstypes.DeploymentControllerType, c *ecstypes.DeploymentConfiguration, balancers []ecstypes.LoadBalancer) error {
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
	if controller != ecstypes.DeploymentControllerTypeEcs {
		return checkForeign(c)
	}
	for _, check := range []func(*ecstypes.DeploymentConfiguration) error{checkStrategy, checkDetection, checkEarly, checkHooks} {
		if err := check(c); err != nil {
			return err
		}
	}
	return checkAdvanced(c, balancers)
}

// checkForeign refuses what only the ECS controller does.
func checkForeign(c *ecstypes.DeploymentConfiguration) error {
	switch {
	case c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.Enable:
		return invalid("DeploymentCircuitBreaker feature can be enabled only with ECS deployment controller.")
	case c.Alarms != nil && c.Alarms.Enable:
		return invalid("Deployment alarms can be enabled only with ECS deployment controller.")
	case wire.Only(c, "MaximumPercent", "MinimumHealthyPercent", "DeploymentCircuitBreaker", "Alarms") != nil:
		return invalid("Deployment strategies can be used only with ECS deployment controller.")
	}
	return nil
}

func within(name string, p *int32, low, high int32) error {
	if p != nil && (*p < low || *p > high) {
		return invalid("%s must be between %d and %d.", name, low, high)
	}
	return nil
}

func percentage(name string, p *float64, low float64) error {
	if p != nil && (*p < low || *p > all || math.Abs(tenths(*p)-*p) > 1e-9) {
		return invalid("%s must be a multiple of 0.1 between %.1f and 100.0.", name, low)
	}
	return nil
}

func checkStrategy(c *ecstypes.DeploymentConfiguration) error {
	if c.Strategy != "" && !slices.Contains(c.Strategy.Values(), c.Strategy) {
		return invalid("Invalid deployment strategy: %s", c.Strategy)
	}
	if err := within("bakeTimeInMinutes", c.BakeTimeInMinutes, 0, day); err != nil {
		return err
	}
	if l := c.LinearConfiguration; l != nil {
		const least = 3
		if c.Strategy != ecstypes.DeploymentStrategyLinear {
			return invalid("linearConfiguration can be used only with the deployment strategy LINEAR.")
		}
		if err := within("stepBakeTimeInMinutes", l.StepBakeTimeInMinutes, 0, day); err != nil {
			return err
		}
		return percentage("stepPercent", l.StepPercent, least)
	}
	if x := c.CanaryConfiguration; x != nil {
		const least = 0.1
		if c.Strategy != ecstypes.DeploymentStrategyCanary {
			return invalid("canaryConfiguration can be used only with the deployment strategy CANARY.")
		}
		if err := within("canaryBakeTimeInMinutes", x.CanaryBakeTimeInMinutes, 0, day); err != nil {
			return err
		}
		return percentage("canaryPercent", x.CanaryPercent, least)
	}
	return nil
}

// checkDetection checks circuit breaker and alarms. "The deployment circuit
// breaker can only be used for services using the rolling update."
func checkDetection(c *ecstypes.DeploymentConfiguration) error {
	if b := c.DeploymentCircuitBreaker; b != nil {
		if b.Enable && native(c.Strategy) {
			return invalid("DeploymentCircuitBreaker can be enabled only with the deployment strategy ROLLING.")
		}
		if t := b.ThresholdConfiguration; t != nil && (!slices.Contains(t.Type.Values(), t.Type) || t.Value < 1) {
			return invalid("Invalid thresholdConfiguration: type %s, value %d", t.Type, t.Value)
		}
	}
	if a := c.Alarms; a != nil && a.Enable && len(a.AlarmNames) == 0 {
		return invalid("Deployment alarms need at least one alarm name.")
	}
	return nil
}

func checkEarly(c *ecstypes.DeploymentConfiguration) error {
	e := c.EarlySuccessCriteria
	if e == nil || !e.Enable {
		return nil
	}
	switch {
	case native(c.Strategy):
		return invalid("earlySuccessCriteria can be used only with the deployment strategy ROLLING.")
	case e.HealthyPercent == nil || e.SourceServiceRevisionCleanup == "":
		return invalid("earlySuccessCriteria need healthyPercent and sourceServiceRevisionCleanup.")
	case *e.HealthyPercent < max(0, *withDefaults(ecstypes.DeploymentControllerTypeEcs, c).MinimumHealthyPercent):
		return invalid("healthyPercent must not be less than minimumHealthyPercent.")
	}
	return within("healthyPercent", e.HealthyPercent, 0, all)
}
