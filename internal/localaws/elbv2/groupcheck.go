package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func checkGroup(g elbtypes.TargetGroup) error {
	if err := checkName("Target group", aws.ToString(g.TargetGroupName)); err != nil {
		return err
	}
	switch {
	case !slices.Contains(g.TargetType.Values(), g.TargetType):
		return invalid("Target type '%s' must be one of 'instance, ip, lambda, alb'", g.TargetType)
	case g.TargetType != elbtypes.TargetTypeEnumLambda:
		if err := checkPort(g); err != nil {
			return err
		}
	case g.Protocol != "" || g.Port != nil || g.VpcId != nil:
		return invalid("Protocol, port and VPC ID cannot be specified for target groups with target type 'lambda'")
	}
	return checkHealthChecks(g)
}

func checkPort(g elbtypes.TargetGroup) error {
	switch {
	case g.Protocol == "":
		return invalid("A protocol must be specified")
	case g.Protocol == elbtypes.ProtocolEnumGeneve || g.Protocol == elbtypes.ProtocolEnumQuic || g.Protocol == elbtypes.ProtocolEnumTcpQuic:
		return unsupported("a target group of protocol " + string(g.Protocol))
	case !slices.Contains(g.Protocol.Values(), g.Protocol):
		return invalid("Protocol '%s' must be one of 'HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP'", g.Protocol)
	case g.Port == nil:
		return invalid("A port must be specified")
	case *g.Port < 1 || *g.Port > 65535:
		return invalid("Port '%d' must be between 1 and 65535", *g.Port)
	case g.VpcId == nil:
		return invalid("A VPC ID must be specified")
	default:
		return nil
	}
}

// checkHealthChecks holds the numbers to the ranges of the API reference
// (CreateTargetGroup).
func checkHealthChecks(g elbtypes.TargetGroup) error {
	for _, x := range []struct {
		what            string
		is, least, most int32
	}{
		{"Health check interval", *g.HealthCheckIntervalSeconds, 5, 300},
		{"Health check timeout", *g.HealthCheckTimeoutSeconds, 2, 120},
		{"Healthy threshold count", *g.HealthyThresholdCount, 2, 10},
		{"Unhealthy threshold count", *g.UnhealthyThresholdCount, 2, 10},
	} {
		if x.is < x.least || x.is > x.most {
			return invalid("%s '%d' must be between %d and %d", x.what, x.is, x.least, x.most)
		}
	}
	switch {
	case !*g.HealthCheckEnabled && g.TargetType != elbtypes.TargetTypeEnumLambda:
		return invalid("Health check enabled must be true for target groups with target type '%s'", g.TargetType)
	case *g.HealthCheckTimeoutSeconds >= *g.HealthCheckIntervalSeconds:
		return invalid("Health check timeout '%d' must be smaller than the interval '%d'", *g.HealthCheckTimeoutSeconds, *g.HealthCheckIntervalSeconds)
	default:
		return nil
	}
}
