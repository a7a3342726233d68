package elbv2

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The attributes that this model acts on.
const (
	deregistrationDelay = "deregistration_delay.timeout_seconds"
	stickyEnabled       = "stickiness.enabled"
	stickySeconds       = "stickiness.lb_cookie.duration_seconds"
	algorithm           = "load_balancing.algorithm.type"
)

// attribute is what an attribute may be: a number between low and high, or one
// of the values. A fixed one would change the behaviour, and only its default
// is accepted.
type attribute struct {
	initial   string
	values    []string
	low, high int
	fixed     bool
	free      bool // says how connections, headers or logs are handled, which are not there
}

// groupAttributes are the attributes of a target group (API reference,
// TargetGroupAttribute).
func groupAttributes(t elbtypes.TargetTypeEnum, http bool) map[string]attribute {
	yesNo := []string{"true", "false"}
	if t == elbtypes.TargetTypeEnumLambda {
		return map[string]attribute{"lambda.multi_value_headers.enabled": {initial: "false", values: yesNo, free: true}}
	}
	all := map[string]attribute{
		deregistrationDelay:                 {initial: "300", high: 3600},
		stickyEnabled:                       {initial: "false", values: yesNo},
		"load_balancing.cross_zone.enabled": {initial: "use_load_balancer_configuration", free: true},
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 {initial: "1", free: true},
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            {initial: "off", free: true},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      {initial: "1", fixed: true},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": {initial: "off", fixed: true},
	}
	if http {
		maps.Copy(all, map[string]attribute{
			"stickiness.type":                             {initial: "lb_cookie", fixed: true},
			stickySeconds:                                 {initial: "86400", low: 1, high: 604800},
			"stickiness.app_cookie.cookie_name":           {initial: "", fixed: true},
			"stickiness.app_cookie.duration_seconds":      {initial: "86400", fixed: true},
			"slow_start.duration_seconds":                 {initial: "0", fixed: true},
			algorithm:                                     {initial: "round_robin", values: []string{"round_robin", "weighted_random"}},
			"load_balancing.algorithm.anomaly_mitigation": {initial: "off", fixed: true},
		})
		return all
	}
	maps.Copy(all, map[string]attribute{
		"stickiness.type": {initial: "source_ip", fixed: true},
		"deregistration_delay.connection_termination.enabled":          {initial: "false", free: true},
		"preserve_client_ip.enabled":                                   {initial: "true", free: true},
		"proxy_protocol_v2.enabled":                                    {initial: "false", free: true},
		"target_health_state.unhealthy.connection_termination.enabled": {initial: "true", free: true},
		"target_health_state.unhealthy.draining_interval_seconds":      {initial: "0", fixed: true},
	})
	return all
}

// balancerAttributes are the attributes of a load balancer (API reference,
// LoadBalancerAttribute). All but the protection concern logs, connections and
// headers.
func balancerAttributes(alb bool) map[string]attribute {
	all := map[string]attribute{
		"deletion_protection.enabled":       {initial: "false", values: []string{"true", "false"}},
		"access_logs.s3.enabled":            {initial: "false", free: true},
		"access_logs.s3.bucket":             {free: true},
		"access_logs.s3.prefix":             {free: true},
		"ipv6.deny_all_igw_traffic":         {initial: "false", free: true},
		"load_balancing.cross_zone.enabled": {initial: strconv.FormatBool(alb), free: true},
		"zonal_shift.config.enabled":        {initial: "false", free: true},
	}
	if !alb {
		all["dns_record.client_routing_policy"] = attribute{initial: "any_availability_zone", free: true}
		all["secondary_ips.auto_assigned.per_subnet"] = attribute{initial: "0", free: true}
		return all
	}
	maps.Copy(all, map[string]attribute{
		"idle_timeout.timeout_seconds":                             {initial: "60", low: 1, high: 4000, free: true},
		"client_keep_alive.seconds":                                {initial: "3600", low: 60, high: 604800, free: true},
		"connection_logs.s3.enabled":                               {initial: "false", free: true},
		"connection_logs.s3.bucket":                                {free: true},
		"connection_logs.s3.prefix":                                {free: true},
		"health_check_logs.s3.enabled":                             {initial: "false", free: true},
		"health_check_logs.s3.bucket":                              {free: true},
		"health_check_logs.s3.prefix":                              {free: true},
		"routing.http.desync_mitigation_mode":                      {initial: "defensive", free: true},
		"routing.http.drop_invalid_header_fields.enabled":          {initial: "false", free: true},
		"routing.http.preserve_host_header.enabled":                {initial: "false", free: true},
		"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": {initial: "false", free: true},
		"routing.http.xff_client_port.enabled":                     {initial: "false", free: true},
		"routing.http.xff_header_processing.mode":                  {initial: "append", free: true},
		"routing.http2.enabled":                                    {initial: "true", free: true},
		"waf.fail_open.enabled":                                    {initial: "false", free: true},
	})
	return all
}

// check refuses a value that the attribute cannot have.
func (a attribute) check(key, value string) error {
	n, notNumber := strconv.Atoi(value)
	switch {
	case a.fixed && value != a.initial:
		return unsupported("attribute " + key + " with the value '" + value + "'")
	case len(a.values) > 0 && !slices.Contains(a.values, value):
		return invalid("'%s' is not a valid value for attribute '%s'", value, key)
	case a.high > 0 && (notNumber != nil || n < a.low || n > a.high):
		return invalid("'%s' must be a value between %d and %d inclusive", key, a.low, a.high)
	default:
		return nil
	}
}

// setting is an attribute and its value.
type setting struct{ key, value string }

// change checks all settings and then makes them.
func change(at map[string]string, known map[string]attribute, to []setting) error {
	for _, x := range to {
		a, ok := known[x.key]
		if !ok {
			return invalid("Attribute key '%s' is not recognized", x.key)
		}
		if err := a.check(x.key, x.value); err != nil {
			return err
		}
	}
	for _, x := range to {
		at[x.key] = x.value
	}
	return nil
}

// values lists all attributes in the order of their keys.
func values(set map[string]string, known map[string]attribute) []setting {
	var all []setting
	for _, key := range slices.Sorted(maps.Keys(known)) {
		value, ok := set[key]
		if !ok {
			value = known[key].initial
		}
		all = append(all, setting{key, value})
	}
	return all
}

func (s *Service) describeLoadBalancerAttributes(_ *wire.Call, in *elb.DescribeLoadBalancerAttributesInput) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	b, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeLoadBalancerAttributesOutput{Attributes: b.describeAttributes()}, nil
}

func (b *balancer) describeAttributes() []elbtypes.LoadBalancerAttribute {
	var all []elbtypes.LoadBalancerAttribute
	for _, x := range values(b.attributes, balancerAttributes(b.alb())) {
		all = append(all, elbtypes.LoadBalancerAttribute{Key: aws.String(x.key), Value: aws.String(x.value)})
	}
	return all
}

func (s *Service) modifyLoadBalancerAttributes(_ *wire.Call, in *elb.ModifyLoadBalancerAttributesInput) (*elb.ModifyLoadBalancerAttributesOutput, error) {
	b, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	var to []setting
	for _, a := range in.Attributes {
		to = append(to, setting{aws.ToString(a.Key), aws.ToString(a.Value)})
	}
	if err := change(b.attributes, balancerAttributes(b.alb()), to); err != nil {
		return nil, err
	}
	return &elb.ModifyLoadBalancerAttributesOutput{Attributes: b.describeAttributes()}, nil
}

func (s *Service) describeTargetGroupAttributes(_ *wire.Call, in *elb.DescribeTargetGroupAttributesInput) (*elb.DescribeTargetGroupAttributesOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: g.describeAttributes()}, nil
}

func (g *targetGroup) describeAttributes() []elbtypes.TargetGroupAttribute {
	var all []elbtypes.TargetGroupAttribute
	for _, x := range values(g.attributes, groupAttributes(g.info.TargetType, g.http())) {
		all = append(all, elbtypes.TargetGroupAttribute{Key: aws.String(x.key), Value: aws.String(x.value)})
	}
	return all
}

// attribute returns the value of an attribute.
func (g *targetGroup) attribute(key string) string {
	if v, ok := g.attributes[key]; ok {
		return v
	}
	return groupAttributes(g.info.TargetType, g.http())[key].initial
}

func (s *Service) modifyTargetGroupAttributes(_ *wire.Call, in *elb.ModifyTargetGroupAttributesInput) (*elb.ModifyTargetGroupAttributesOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	var to []setting
	for _, a := range in.Attributes {
		to = append(to, setting{aws.ToString(a.Key), aws.ToString(a.Value)})
	}
	if err := change(g.attributes, groupAttributes(g.info.TargetType, g.http()), to); err != nil {
		return nil, err
	}
	return &elb.ModifyTargetGroupAttributesOutput{Attributes: g.describeAttributes()}, nil
}
