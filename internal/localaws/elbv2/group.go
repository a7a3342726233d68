package elbv2

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxGroups is how many target groups an account may have (user guides,
// "Quotas for your Application Load Balancers").
const maxGroups = 3000

// targetGroup is one target group.
type targetGroup struct {
	info       elbtypes.TargetGroup // without the load balancers
	attributes map[string]string    // that were changed
	targets    []*target            // in order of registration
	used       bool                 // by a listener or a rule
	turn       uint64               // of the round robin
}

func (g *targetGroup) arn() string  { return aws.ToString(g.info.TargetGroupArn) }
func (g *targetGroup) name() string { return aws.ToString(g.info.TargetGroupName) }

// path is how metrics call it: targetgroup/<name>/<id>.
func (g *targetGroup) path() string { return g.arn()[strings.LastIndex(g.arn(), ":")+1:] }

// http reports whether the group belongs behind an application load balancer.
func (g *targetGroup) http() bool {
	return g.info.Protocol == elbtypes.ProtocolEnumHttp || g.info.Protocol == elbtypes.ProtocolEnumHttps ||
		g.info.TargetType == elbtypes.TargetTypeEnumLambda
}

// group finds a target group by its ARN.
func (s *Service) group(arn *string) (*targetGroup, error) {
	for _, g := range s.groups {
		if g.arn() == aws.ToString(arn) {
			return g, nil
		}
	}
	return nil, noGroup(aws.ToString(arn))
}

// describe returns the group with the load balancers that use it.
func (s *Service) describeGroup(g *targetGroup) elbtypes.TargetGroup {
	info := g.info
	info.LoadBalancerArns = []string{}
	for _, b := range s.balancers {
		if b.uses(g.arn()) {
			info.LoadBalancerArns = append(info.LoadBalancerArns, b.arn())
		}
	}
	return info
}

// createTargetGroup is idempotent, as createLoadBalancer is.
func (s *Service) createTargetGroup(_ *wire.Call, in *elb.CreateTargetGroupInput) (*elb.CreateTargetGroupOutput, error) {
	if in.TargetControlPort != nil {
		return nil, unsupported("TargetControlPort")
	}
	info := groupOf(in)
	if err := checkGroup(info); err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, g := range s.groups {
		if g.name() != *in.Name {
			continue
		}
		same := g.info
		same.TargetGroupArn = nil
		if !reflect.DeepEqual(same, info) {
			return nil, &elbtypes.DuplicateTargetGroupNameException{
				Message: aws.String("A target group with the same name '" + *in.Name + "' exists, but with different settings"),
			}
		}
		return &elb.CreateTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{s.describeGroup(g)}}, nil
	}
	if len(s.groups) >= maxGroups {
		return nil, &elbtypes.TooManyTargetGroupsException{Message: aws.String("The maximum number of target groups has been reached")}
	}
	info.TargetGroupArn = aws.String(s.arn("targetgroup/" + *in.Name + "/" + s.newID()))
	g := &targetGroup{info: info, attributes: map[string]string{}}
	s.groups = append(s.groups, g)
	s.tags[g.arn()] = tags
	return &elb.CreateTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{s.describeGroup(g)}}, nil
}

// groupOf makes a target group out of a request, with the defaults of the API
// reference (CreateTargetGroup).
func groupOf(in *elb.CreateTargetGroupInput) elbtypes.TargetGroup {
	g := elbtypes.TargetGroup{
		TargetGroupName: in.Name, TargetType: cmp.Or(in.TargetType, elbtypes.TargetTypeEnumInstance), Protocol: in.Protocol, Port: in.Port, VpcId: in.VpcId,
		IpAddressType: cmp.Or(in.IpAddressType, elbtypes.TargetGroupIpAddressTypeEnumIpv4), ProtocolVersion: in.ProtocolVersion,
		HealthCheckProtocol: in.HealthCheckProtocol, HealthCheckPort: in.HealthCheckPort, HealthCheckPath: in.HealthCheckPath, Matcher: in.Matcher,
	}
	lambda := g.TargetType == elbtypes.TargetTypeEnumLambda
	web := in.Protocol == elbtypes.ProtocolEnumHttp || in.Protocol == elbtypes.ProtocolEnumHttps
	if web {
		g.ProtocolVersion = or(in.ProtocolVersion, "HTTP1")
	}
	if !lambda {
		protocol := elbtypes.ProtocolEnumTcp
		if web {
			protocol = elbtypes.ProtocolEnumHttp
		}
		g.HealthCheckProtocol = cmp.Or(in.HealthCheckProtocol, protocol)
		g.HealthCheckPort = or(in.HealthCheckPort, "traffic-port")
	}
	if lambda || g.HealthCheckProtocol == elbtypes.ProtocolEnumHttp || g.HealthCheckProtocol == elbtypes.ProtocolEnumHttps {
		g.HealthCheckPath = or(in.HealthCheckPath, "/")
		if in.Matcher == nil {
			g.Matcher = &elbtypes.Matcher{HttpCode: aws.String("200")}
		}
	}
	const interval, timeout, webTimeout, lambdaInterval, lambdaTimeout, healthy, unhealthy = 30, 10, 6, 35, 30, 5, 2
	g.HealthCheckEnabled = or(in.HealthCheckEnabled, !lambda)
	g.HealthyThresholdCount = or[int32](in.HealthyThresholdCount, healthy)
	g.UnhealthyThresholdCount = or[int32](in.UnhealthyThresholdCount, unhealthy)
	g.HealthCheckIntervalSeconds = or[int32](in.HealthCheckIntervalSeconds, interval)
	g.HealthCheckTimeoutSeconds = or[int32](in.HealthCheckTimeoutSeconds, timeout)
	switch {
	case lambda:
		g.HealthCheckIntervalSeconds = or[int32](in.HealthCheckIntervalSeconds, lambdaInterval)
		g.HealthCheckTimeoutSeconds = or[int32](in.HealthCheckTimeoutSeconds, lambdaTimeout)
		g.UnhealthyThresholdCount = or[int32](in.UnhealthyThresholdCount, healthy)
	case in.Protocol == elbtypes.ProtocolEnumHttp:
		g.HealthCheckTimeoutSeconds = or[int32](in.HealthCheckTimeoutSeconds, webTimeout)
	}
	return g
}

// or returns what is given, and otherwise the default.
func or[T any](given *T, initial T) *T {
	if given != nil {
		return given
	}
	return &initial
}

func (s *Service) modifyTargetGroup(_ *wire.Call, in *elb.ModifyTargetGroupInput) (*elb.ModifyTargetGroupOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	info := g.info
	info.HealthCheckEnabled = cmp.Or(in.HealthCheckEnabled, info.HealthCheckEnabled)
	info.HealthCheckIntervalSeconds = cmp.Or(in.HealthCheckIntervalSeconds, info.HealthCheckIntervalSeconds)
	info.HealthCheckPath = cmp.Or(in.HealthCheckPath, info.HealthCheckPath)
	info.HealthCheckPort = cmp.Or(in.HealthCheckPort, info.HealthCheckPort)
	info.HealthCheckProtocol = cmp.Or(in.HealthCheckProtocol, info.HealthCheckProtocol)
	info.HealthCheckTimeoutSeconds = cmp.Or(in.HealthCheckTimeoutSeconds, info.HealthCheckTimeoutSeconds)
	info.HealthyThresholdCount = cmp.Or(in.HealthyThresholdCount, info.HealthyThresholdCount)
	info.UnhealthyThresholdCount = cmp.Or(in.UnhealthyThresholdCount, info.UnhealthyThresholdCount)
	info.Matcher = cmp.Or(in.Matcher, info.Matcher)
	if err := checkHealthChecks(info); err != nil {
		return nil, err
	}
	was := *g.info.HealthCheckEnabled
	g.info = info
	if was != *info.HealthCheckEnabled && g.used {
		for _, t := range g.targets {
			s.begin(g, t)
		}
	}
	return &elb.ModifyTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{s.describeGroup(g)}}, nil
}

// deleteTargetGroup refuses a group that an action refers to. A group that does
// not exist is deleted already.
func (s *Service) deleteTargetGroup(_ *wire.Call, in *elb.DeleteTargetGroupInput) (*elb.DeleteTargetGroupOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	switch {
	case err != nil:
		return &elb.DeleteTargetGroupOutput{}, nil //nolint:nilerr // idempotent
	case g.used:
		return nil, &elbtypes.ResourceInUseException{Message: aws.String("Target group '" + g.arn() + "' is currently in use by a listener or a rule")}
	}
	for _, t := range g.targets {
		s.w.Stop(t.timer)
	}
	delete(s.tags, g.arn())
	s.groups = slices.DeleteFunc(s.groups, func(x *targetGroup) bool { return x == g })
	return &elb.DeleteTargetGroupOutput{}, nil
}

func (s *Service) describeTargetGroups(_ *wire.Call, in *elb.DescribeTargetGroupsInput) (*elb.DescribeTargetGroupsOutput, error) {
	chosen, err := s.chooseGroups(in)
	if err != nil {
		return nil, err
	}
	part, next, err := page(chosen, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTargetGroupsOutput{TargetGroups: []elbtypes.TargetGroup{}, NextMarker: next}
	for _, g := range part {
		out.TargetGroups = append(out.TargetGroups, s.describeGroup(g))
	}
	return out, nil
}

func (s *Service) chooseGroups(in *elb.DescribeTargetGroupsInput) (chosen []*targetGroup, err error) {
	if in.LoadBalancerArn != nil {
		if len(in.Names)+len(in.TargetGroupArns) > 0 {
			return nil, invalid("Only one of target group names, target group ARNs and a load balancer ARN can be specified")
		}
		return s.groupsOf(in.LoadBalancerArn)
	}
	is, wanted := (*targetGroup).name, in.Names
	switch {
	case len(in.Names) > 0 && len(in.TargetGroupArns) > 0:
		return nil, invalid("Only one of target group names, target group ARNs and a load balancer ARN can be specified")
	case len(in.Names)+len(in.TargetGroupArns) == 0:
		return s.groups, nil
	case len(in.TargetGroupArns) > 0:
		is, wanted = (*targetGroup).arn, in.TargetGroupArns
	}
	for _, want := range wanted {
		i := slices.IndexFunc(s.groups, func(g *targetGroup) bool { return is(g) == want })
		if i < 0 {
			return nil, &elbtypes.TargetGroupNotFoundException{Message: aws.String("One or more target groups not found")}
		}
		chosen = append(chosen, s.groups[i])
	}
	return chosen, nil
}

// groupsOf lists the target groups that a load balancer uses.
func (s *Service) groupsOf(balancerARN *string) (used []*targetGroup, err error) {
	b, err := s.balancer(balancerARN)
	if err != nil {
		return nil, err
	}
	for _, g := range s.groups {
		if b.uses(g.arn()) {
			used = append(used, g)
		}
	}
	return used, nil
}
