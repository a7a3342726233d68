package codedeploy

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// checkConfig refuses a configuration that does not fit its platform: minimum
// healthy hosts and zones are for instances, traffic routing is for the others.
func checkConfig(in *codedeploy.CreateDeploymentConfigInput, platform cdtypes.ComputePlatform) error {
	if platform == cdtypes.ComputePlatformServer {
		if in.TrafficRoutingConfig != nil {
			return invalidRouting()
		}
		if err := checkHosts(in.MinimumHealthyHosts); err != nil {
			return err
		}
		return checkZones(in.ZonalConfig)
	}
	switch {
	case in.MinimumHealthyHosts != nil:
		return invalidHosts("Minimum healthy hosts are for the Server compute platform only.")
	case in.ZonalConfig != nil:
		return invalidZones("A zonal configuration is for the Server compute platform only.")
	default:
		return checkRouting(in.TrafficRoutingConfig)
	}
}

func invalidHosts(why string) error {
	return &cdtypes.InvalidMinimumHealthyHostValueException{Message: aws.String(why)}
}

// checkHosts refuses minimum healthy hosts out of bounds: a number of hosts, or
// a percentage of 1 to 99 (0 and 100 are not percentages that a deployment
// could work with; API reference, MinimumHealthyHosts).
func checkHosts(h *cdtypes.MinimumHealthyHosts) error {
	const invalid = "The minimum healthy instance value was specified in an invalid format."
	switch {
	case h == nil:
		return invalidHosts(invalid)
	case h.Type == cdtypes.MinimumHealthyHostsTypeHostCount && h.Value >= 0:
		return nil
	case h.Type == cdtypes.MinimumHealthyHostsTypeFleetPercent && h.Value >= 0 && h.Value < 100:
		return nil
	default:
		return invalidHosts(invalid)
	}
}

func invalidZones(why string) error {
	return &cdtypes.InvalidZonalDeploymentConfigurationException{Message: aws.String(why)}
}

// checkZones refuses a zonal configuration out of bounds (API reference,
// ZonalConfig).
func checkZones(z *cdtypes.ZonalConfig) error {
	const invalid = "The ZonalConfig object is not valid."
	if z == nil {
		return nil
	}
	if aws.ToInt64(z.FirstZoneMonitorDurationInSeconds) < 0 || aws.ToInt64(z.MonitorDurationInSeconds) < 0 {
		return invalidZones(invalid)
	}
	h := z.MinimumHealthyHostsPerZone
	switch {
	case h == nil,
		h.Type == cdtypes.MinimumHealthyHostsPerZoneTypeHostCount && h.Value >= 0,
		h.Type == cdtypes.MinimumHealthyHostsPerZoneTypeFleetPercent && h.Value >= 0 && h.Value < 100:
		return nil
	default:
		return invalidZones(invalid)
	}
}

// checkRouting refuses traffic routing that is not one of the three types or
// out of bounds.
func checkRouting(r *cdtypes.TrafficRoutingConfig) error {
	fits := false
	if r != nil {
		switch r.Type {
		case cdtypes.TrafficRoutingTypeAllAtOnce:
			fits = r.TimeBasedCanary == nil && r.TimeBasedLinear == nil
		case cdtypes.TrafficRoutingTypeTimeBasedCanary:
			fits = r.TimeBasedLinear == nil && canaryFits(r.TimeBasedCanary)
		case cdtypes.TrafficRoutingTypeTimeBasedLinear:
			fits = r.TimeBasedCanary == nil && linearFits(r.TimeBasedLinear)
		}
	}
	if fits {
		return nil
	}
	return invalidRouting()
}

func invalidRouting() error {
	return &cdtypes.InvalidTrafficRoutingConfigurationException{
		Message: aws.String("The configuration that specifies how traffic is routed during a deployment is invalid."),
	}
}

func canaryFits(c *cdtypes.TimeBasedCanary) bool {
	return c != nil && within(c.CanaryPercentage, percentLimit) && within(c.CanaryInterval, shiftLimit)
}

func linearFits(l *cdtypes.TimeBasedLinear) bool {
	if l == nil || !within(l.LinearPercentage, percentLimit) || !within(l.LinearInterval, shiftLimit) {
		return false
	}
	waits := (100 - 1) / l.LinearPercentage // the last step waits for nothing
	return waits*l.LinearInterval <= shiftLimit
}

func within(n, limit int32) bool { return n >= 1 && n <= limit }
