package elbv2

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxBalancers is how many load balancers an account may have (user guides,
// "Quotas for your Application Load Balancers").
const maxBalancers = 50

// vpcID is the network of every load balancer: subnets are not looked up.
const vpcID = "vpc-0a1b2c3d4e5f60718"

// balancer is one load balancer.
type balancer struct {
	info       elbtypes.LoadBalancer
	attributes map[string]string // that were changed
	listeners  []*listener       // in order of creation
}

func (b *balancer) arn() string  { return aws.ToString(b.info.LoadBalancerArn) }
func (b *balancer) name() string { return aws.ToString(b.info.LoadBalancerName) }
func (b *balancer) alb() bool    { return b.info.Type == elbtypes.LoadBalancerTypeEnumApplication }

// path is how ARNs and metrics call it: app/<name>/<id>.
func (b *balancer) path() string {
	_, p, _ := strings.Cut(b.arn(), ":loadbalancer/")
	return p
}

// balancer finds a load balancer by its ARN.
func (s *Service) balancer(arn *string) (*balancer, error) {
	for _, b := range s.balancers {
		if b.arn() == aws.ToString(arn) {
			return b, nil
		}
	}
	return nil, noBalancer(aws.ToString(arn))
}

// newID makes the sixteen hexadecimal digits at the end of an ARN.
func (s *Service) newID() string { return fmt.Sprintf("%016x", s.w.Rand().Uint64()) }

func (s *Service) arn(resource string) string {
	return "arn:aws:elasticloadbalancing:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

// createLoadBalancer is idempotent: the same name with the same settings gives
// the load balancer that is there (API reference, CreateLoadBalancer).
func (s *Service) createLoadBalancer(_ *wire.Call, in *elb.CreateLoadBalancerInput) (*elb.CreateLoadBalancerOutput, error) {
	if err := wire.Only(in, "Name", "IpAddressType", "Scheme", "SecurityGroups", "SubnetMappings", "Subnets", "Tags", "Type"); err != nil {
		return nil, err
	}
	info, err := s.balancerOf(in)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, b := range s.balancers {
		if b.name() != *in.Name {
			continue
		}
		if !sameBalancer(b.info, info) {
			return nil, &elbtypes.DuplicateLoadBalancerNameException{
				Message: aws.String("A load balancer with the same name '" + *in.Name + "' exists, but with different settings"),
			}
		}
		return &elb.CreateLoadBalancerOutput{LoadBalancers: []elbtypes.LoadBalancer{b.info}}, nil
	}
	if len(s.balancers) >= maxBalancers {
		return nil, &elbtypes.TooManyLoadBalancersException{Message: aws.String("The maximum number of load balancers has been reached")}
	}
	s.identify(&info)
	b := &balancer{info: info, attributes: map[string]string{}}
	s.balancers = append(s.balancers, b)
	s.tags[b.arn()] = tags
	return &elb.CreateLoadBalancerOutput{LoadBalancers: []elbtypes.LoadBalancer{b.info}}, nil
}

// balancerOf makes a load balancer out of a request, without what makes it
// unique.
func (s *Service) balancerOf(in *elb.CreateLoadBalancerInput) (elbtypes.LoadBalancer, error) {
	info := elbtypes.LoadBalancer{
		LoadBalancerName: in.Name, Type: in.Type, Scheme: in.Scheme, IpAddressType: in.IpAddressType,
		SecurityGroups: slices.Clone(in.SecurityGroups), VpcId: aws.String(vpcID),
		State: &elbtypes.LoadBalancerState{Code: elbtypes.LoadBalancerStateEnumActive},
	}
	if info.Type == "" {
		info.Type = elbtypes.LoadBalancerTypeEnumApplication
	}
	if info.Scheme == "" {
		info.Scheme = elbtypes.LoadBalancerSchemeEnumInternetFacing
	}
	if info.IpAddressType == "" {
		info.IpAddressType = elbtypes.IpAddressTypeIpv4
	}
	subnets := slices.Clone(in.Subnets)
	for _, m := range in.SubnetMappings {
		if m.AllocationId != nil || m.IPv6Address != nil || m.PrivateIPv4Address != nil || m.SourceNatIpv6Prefix != nil {
			return info, unsupported("a subnet mapping with an address")
		}
		subnets = append(subnets, aws.ToString(m.SubnetId))
	}
	for i, id := range subnets {
		zone := s.w.Region + string(rune('a'+i%3)) // subnets are not looked up: one in each zone
		info.AvailabilityZones = append(info.AvailabilityZones, elbtypes.AvailabilityZone{
			SubnetId: aws.String(id), ZoneName: aws.String(zone), LoadBalancerAddresses: []elbtypes.LoadBalancerAddress{},
		})
	}
	return info, checkBalancer(info)
}

func checkBalancer(info elbtypes.LoadBalancer) error {
	if err := checkName("Load balancer", aws.ToString(info.LoadBalancerName)); err != nil {
		return err
	}
	switch {
	case info.Type == elbtypes.LoadBalancerTypeEnumGateway:
		return unsupported("a gateway load balancer")
	case !slices.Contains(info.Type.Values(), info.Type):
		return invalid("Load balancer type '%s' must be one of 'application, network, gateway'", info.Type)
	case !slices.Contains(info.Scheme.Values(), info.Scheme):
		return &elbtypes.InvalidSchemeException{Message: aws.String("Scheme '" + string(info.Scheme) + "' must be one of 'internal, internet-facing'")}
	case !slices.Contains(info.IpAddressType.Values(), info.IpAddressType):
		return invalid("IP address type '%s' must be one of 'ipv4, dualstack, dualstack-without-public-ipv4'", info.IpAddressType)
	default:
		return checkSubnets(info)
	}
}

func checkSubnets(info elbtypes.LoadBalancer) error {
	seen := map[string]bool{}
	for _, z := range info.AvailabilityZones {
		id := aws.ToString(z.SubnetId)
		if seen[id] {
			return invalid("A subnet can only be specified once")
		}
		if !strings.HasPrefix(id, "subnet-") {
			return &elbtypes.SubnetNotFoundException{Message: aws.String("The subnet ID '" + id + "' does not exist")}
		}
		seen[id] = true
	}
	const zones = 2
	switch {
	case len(seen) == 0:
		return invalid("At least one subnet must be specified")
	case info.Type == elbtypes.LoadBalancerTypeEnumApplication && len(seen) < zones:
		return &elbtypes.InvalidConfigurationRequestException{
			Message: aws.String("At least two subnets in two different Availability Zones must be specified"),
		}
	default:
		return nil
	}
}

func sameBalancer(a, b elbtypes.LoadBalancer) bool {
	subnets := func(info elbtypes.LoadBalancer) []string {
		var ids []string
		for _, z := range info.AvailabilityZones {
			ids = append(ids, aws.ToString(z.SubnetId))
		}
		slices.Sort(ids)
		return ids
	}
	return a.Type == b.Type && a.Scheme == b.Scheme && a.IpAddressType == b.IpAddressType &&
		slices.Equal(a.SecurityGroups, b.SecurityGroups) && slices.Equal(subnets(a), subnets(b))
}

// identify gives a load balancer its ARN and its name in the DNS.
func (s *Service) identify(info *elbtypes.LoadBalancer) {
	name, id, kind := aws.ToString(info.LoadBalancerName), s.newID(), "app"
	prefix := ""
	if info.Scheme == elbtypes.LoadBalancerSchemeEnumInternal {
		prefix = "internal-"
	}
	const digits = 1_000_000_000
	dns := prefix + name + "-" + strconv.FormatUint(digits+s.w.Rand().Uint64N(digits), 10) + "." + s.w.Region + ".elb.amazonaws.com"
	if info.Type == elbtypes.LoadBalancerTypeEnumNetwork {
		kind, dns = "net", name+"-"+id+".elb."+s.w.Region+".amazonaws.com"
	}
	info.LoadBalancerArn = aws.String(s.arn("loadbalancer/" + kind + "/" + name + "/" + id))
	info.DNSName = aws.String(dns)
	info.CreatedTime = aws.Time(s.w.Now())
	info.CanonicalHostedZoneId = aws.String("Z35SXDOTRQ7X7K") // of us-east-1 (AWS General Reference); nothing here resolves names
}

func (s *Service) describeLoadBalancers(_ *wire.Call, in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	if len(in.Names) > 0 && len(in.LoadBalancerArns) > 0 {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	chosen := s.balancers
	if len(in.LoadBalancerArns) > 0 || len(in.Names) > 0 {
		chosen = nil
		for _, want := range slices.Concat(in.LoadBalancerArns, in.Names) {
			i := slices.IndexFunc(s.balancers, func(b *balancer) bool {
				return len(in.Names) == 0 && b.arn() == want || len(in.Names) > 0 && b.name() == want
			})
			if i < 0 {
				return nil, &elbtypes.LoadBalancerNotFoundException{Message: aws.String("Load balancers '[" + want + "]' not found")}
			}
			chosen = append(chosen, s.balancers[i])
		}
	}
	part, next, err := page(chosen, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeLoadBalancersOutput{LoadBalancers: []elbtypes.LoadBalancer{}, NextMarker: next}
	for _, b := range part {
		out.LoadBalancers = append(out.LoadBalancers, b.info)
	}
	return out, nil
}

// deleteLoadBalancer is idempotent and takes the listeners along (API
// reference, DeleteLoadBalancer).
func (s *Service) deleteLoadBalancer(_ *wire.Call, in *elb.DeleteLoadBalancerInput) (*elb.DeleteLoadBalancerOutput, error) {
	b, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return &elb.DeleteLoadBalancerOutput{}, nil //nolint:nilerr // "If the load balancer does not exist … the call succeeds"
	}
	if b.attributes["deletion_protection.enabled"] == "true" {
		return nil, &elbtypes.OperationNotPermittedException{
			Message: aws.String("Load balancer '" + b.arn() + "' cannot be deleted because deletion protection is enabled"),
		}
	}
	for _, l := range b.listeners {
		s.forget(l)
	}
	delete(s.tags, b.arn())
	s.balancers = slices.DeleteFunc(s.balancers, func(x *balancer) bool { return x == b })
	s.connect()
	return &elb.DeleteLoadBalancerOutput{}, nil
}
