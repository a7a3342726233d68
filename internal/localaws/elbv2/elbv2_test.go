package elbv2_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALoadBalancerIsDescribedAndGoesWithItsListeners(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.balancer("web", "")
	assert.Regexp(t, `^arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/[0-9a-f]{16}$`, arn)
	assert.Equal(t, arn, b.balancer("web", elbtypes.LoadBalancerTypeEnumApplication), "the same settings: idempotent")
	found := must[*elb.DescribeLoadBalancersOutput](b)(b.DescribeLoadBalancers(b.ctx, &elb.DescribeLoadBalancersInput{Names: []string{"web"}})).LoadBalancers
	require.Len(t, found, 1)
	assert.Regexp(t, `^web-\d{10}\.us-east-1\.elb\.amazonaws\.com$`, *found[0].DNSName)
	assert.Equal(t, []elbtypes.AvailabilityZone{
		{SubnetId: aws.String("subnet-1"), ZoneName: aws.String("us-east-1a"), LoadBalancerAddresses: []elbtypes.LoadBalancerAddress{}},
		{SubnetId: aws.String("subnet-2"), ZoneName: aws.String("us-east-1b"), LoadBalancerAddresses: []elbtypes.LoadBalancerAddress{}},
	}, found[0].AvailabilityZones)
	group := b.group("blue")
	listener := b.listener(arn, forward(group))
	must[*elb.DeleteLoadBalancerOutput](b)(b.DeleteLoadBalancer(b.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn}))
	must[*elb.DeleteLoadBalancerOutput](b)(b.DeleteLoadBalancer(b.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn}))
	_, err := b.DescribeListeners(b.ctx, &elb.DescribeListenersInput{ListenerArns: []string{listener}})
	assert.Equal(t, "ListenerNotFound: One or more listeners not found", code(t, err))
	must[*elb.DeleteTargetGroupOutput](b)(b.DeleteTargetGroup(b.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &group}))
}

func TestAProtectedLoadBalancerStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.balancer("web", "")
	must[*elb.ModifyLoadBalancerAttributesOutput](b)(b.ModifyLoadBalancerAttributes(b.ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &arn, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")}},
	}))
	_, err := b.DeleteLoadBalancer(b.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn})
	assert.Contains(t, code(t, err), "OperationNotPermitted: Load balancer '"+arn+"' cannot be deleted because deletion protection is enabled")
	all := must[*elb.DescribeLoadBalancerAttributesOutput](b)(b.DescribeLoadBalancerAttributes(b.ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn}))
	assert.Contains(t, all.Attributes, elbtypes.LoadBalancerAttribute{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("60")})
	assert.Contains(t, all.Attributes, elbtypes.LoadBalancerAttribute{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")})
}

func TestATargetGroupHasTheDefaultsOfItsProtocol(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.group("blue")
	found := must[*elb.DescribeTargetGroupsOutput](b)(b.DescribeTargetGroups(b.ctx, &elb.DescribeTargetGroupsInput{Names: []string{"blue"}})).TargetGroups
	assert.Equal(t, []elbtypes.TargetGroup{{
		TargetGroupArn: &arn, TargetGroupName: aws.String("blue"), Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: "ip",
		ProtocolVersion: aws.String("HTTP1"), IpAddressType: "ipv4", LoadBalancerArns: []string{}, Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
		HealthCheckEnabled: aws.Bool(true), HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckPath: aws.String("/"), HealthCheckPort: aws.String("traffic-port"),
		HealthCheckProtocol: "HTTP", HealthCheckTimeoutSeconds: aws.Int32(6), HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2),
	}}, found)
	assert.Equal(t, arn, b.group("blue"), "the same settings: idempotent")
	changed := must[*elb.ModifyTargetGroupOutput](b)(b.ModifyTargetGroup(b.ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: &arn, HealthCheckIntervalSeconds: aws.Int32(7), Matcher: &elbtypes.Matcher{HttpCode: aws.String("200-299")},
	})).TargetGroups[0]
	assert.EqualValues(t, 7, *changed.HealthCheckIntervalSeconds)
	assert.Equal(t, "200-299", *changed.Matcher.HttpCode)
	balancer := b.balancer("web", "")
	b.listener(balancer, forward(arn))
	assert.Equal(t, []string{balancer}, must[*elb.DescribeTargetGroupsOutput](b)(b.DescribeTargetGroups(b.ctx,
		&elb.DescribeTargetGroupsInput{LoadBalancerArn: &balancer})).TargetGroups[0].LoadBalancerArns)
}

func TestAttributesOfATargetGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.group("blue")
	set := func(key, value string) error {
		_, err := b.ModifyTargetGroupAttributes(b.ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: &arn, Attributes: []elbtypes.TargetGroupAttribute{{Key: &key, Value: &value}},
		})
		return err
	}
	require.NoError(t, set("deregistration_delay.timeout_seconds", "20"))
	assert.Equal(t, "ValidationError: 'deregistration_delay.timeout_seconds' must be a value between 0 and 3600 inclusive", code(t, set("deregistration_delay.timeout_seconds", "3601")))
	assert.Equal(t, "ValidationError: Attribute key 'speed' is not recognized", code(t, set("speed", "1")))
	assert.Contains(t, code(t, set("slow_start.duration_seconds", "30")), "InvalidConfigurationRequest: attribute slow_start.duration_seconds")
	all := must[*elb.DescribeTargetGroupAttributesOutput](b)(b.DescribeTargetGroupAttributes(b.ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})).Attributes
	assert.Contains(t, all, elbtypes.TargetGroupAttribute{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("20")})
	assert.Contains(t, all, elbtypes.TargetGroupAttribute{Key: aws.String("load_balancing.algorithm.type"), Value: aws.String("round_robin")})
}

func TestTagsOfAllKindsOfResources(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	balancer, group := b.balancer("web", ""), b.group("blue")
	listener := b.listener(balancer, forward(group))
	rule := *must[*elb.DescribeRulesOutput](b)(b.DescribeRules(b.ctx, &elb.DescribeRulesInput{ListenerArn: &listener})).Rules[0].RuleArn
	all := []string{balancer, group, listener, rule}
	must[*elb.AddTagsOutput](b)(b.AddTags(b.ctx, &elb.AddTagsInput{ResourceArns: all, Tags: []elbtypes.Tag{
		{Key: aws.String("team"), Value: aws.String("shop")}, {Key: aws.String("tier"), Value: aws.String("1")},
	}}))
	must[*elb.RemoveTagsOutput](b)(b.RemoveTags(b.ctx, &elb.RemoveTagsInput{ResourceArns: all[:3], TagKeys: []string{"tier"}}))
	var got []int
	for _, d := range must[*elb.DescribeTagsOutput](b)(b.DescribeTags(b.ctx, &elb.DescribeTagsInput{ResourceArns: all})).TagDescriptions {
		got = append(got, len(d.Tags))
	}
	assert.Equal(t, []int{1, 1, 1, 2}, got)
	_, err := b.DescribeTags(b.ctx, &elb.DescribeTagsInput{ResourceArns: []string{strings.Replace(rule, "web", "gone", 1)}})
	assert.Contains(t, code(t, err), "RuleNotFound: ")
}

func TestWhatIsWrongIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	web, other := b.balancer("web", ""), b.balancer("other", "")
	net := b.balancer("net", elbtypes.LoadBalancerTypeEnumNetwork)
	blue, foreign := b.group("blue"), b.group("foreign")
	b.listener(other, forward(foreign))
	listener := b.listener(web, forward(blue))
	rule := func(change func(*elb.CreateRuleInput)) func() error {
		in := &elb.CreateRuleInput{ListenerArn: &listener, Priority: aws.Int32(10), Actions: []elbtypes.Action{forward(blue)}, Conditions: []elbtypes.RuleCondition{
			{Field: aws.String("path-pattern"), Values: []string{"/a"}},
		}}
		change(in)
		return func() error { _, err := b.CreateRule(b.ctx, in); return err }
	}
	require.NoError(t, rule(func(*elb.CreateRuleInput) {})())
	listen := func(balancer string, port int32, protocol elbtypes.ProtocolEnum, actions ...elbtypes.Action) func() error {
		return func() error {
			_, err := b.CreateListener(b.ctx, &elb.CreateListenerInput{LoadBalancerArn: &balancer, Port: &port, Protocol: protocol, DefaultActions: actions})
			return err
		}
	}
	for want, call := range map[string]func() error{
		"DuplicateLoadBalancerName: A load balancer with the same name 'web' exists, but with different settings": func() error {
			_, err := b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-8", "subnet-9"}})
			return err
		},
		"InvalidConfigurationRequest: At least two subnets in two different Availability Zones must be specified": func() error {
			_, err := b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("one"), Subnets: []string{"subnet-8"}})
			return err
		},
		"SubnetNotFound: The subnet ID 'net-8' does not exist": func() error {
			_, err := b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("one"), Subnets: []string{"net-8", "subnet-9"}})
			return err
		},
		"InvalidConfigurationRequest: a gateway load balancer is not supported": func() error {
			_, err := b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("one"), Type: "gateway", Subnets: []string{"subnet-9"}})
			return err
		},
		"ValidationError: Load balancer name 'a_b' can only contain characters": func() error {
			_, err := b.CreateLoadBalancer(b.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("a_b"), Subnets: []string{"subnet-9"}})
			return err
		},
		"LoadBalancerNotFound: Load balancers '[gone]' not found": func() error {
			_, err := b.DescribeLoadBalancers(b.ctx, &elb.DescribeLoadBalancersInput{Names: []string{"gone"}})
			return err
		},
		"DuplicateTargetGroupName: A target group with the same name 'blue' exists, but with different settings": func() error {
			_, err := b.CreateTargetGroup(b.ctx, &elb.CreateTargetGroupInput{Name: aws.String("blue"), Protocol: "HTTP", Port: aws.Int32(81), VpcId: aws.String("vpc-1")})
			return err
		},
		"TargetGroupNotFound: One or more target groups not found": func() error {
			_, err := b.DescribeTargetGroups(b.ctx, &elb.DescribeTargetGroupsInput{Names: []string{"gone"}})
			return err
		},
		"ResourceInUse: Target group '" + blue + "' is currently in use by a listener or a rule": func() error {
			_, err := b.DeleteTargetGroup(b.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &blue})
			return err
		},
		"TargetGroupNotFound: Target group 'arn:gone' not found":                   listen(web, 81, "HTTP", forward("arn:gone")),
		"DuplicateListener: A listener already exists on this port":                listen(web, 80, "HTTP", forward(blue)),
		"UnsupportedProtocol: Listener protocol 'TCP' is not supported":            listen(web, 82, "TCP", forward(blue)),
		"CertificateNotFound: A certificate must be specified for HTTPS listeners": listen(web, 443, "HTTPS", forward(blue)),
		"IncompatibleProtocols: The protocol 'HTTP' of target group":               listen(net, 80, "TCP", forward(blue)),
		"TargetGroupAssociationLimit: The following target groups":                 listen(web, 83, "HTTP", forward(foreign)),
		"InvalidLoadBalancerAction: You can only specify one action":               listen(web, 83, "HTTP", forward(blue), forward(blue)),
		"ValidationError: The weight of a target group":                            listen(web, 83, "HTTP", weighted(map[string]int32{blue: 1000})),
		"InvalidConfigurationRequest: an action of type authenticate-oidc":         listen(web, 83, "HTTP", elbtypes.Action{Type: "authenticate-oidc"}),
		"PriorityInUse: Priority '10' is currently in use":                         rule(func(*elb.CreateRuleInput) {}),
		"ValidationError: Priority must be between 1 and 50000":                    rule(func(in *elb.CreateRuleInput) { in.Priority = aws.Int32(50001) }),
		"ListenerNotFound: ": rule(func(in *elb.CreateRuleInput) { in.ListenerArn = aws.String("arn:gone") }),
		"ValidationError: Condition field 'moon' must be one of": rule(func(in *elb.CreateRuleInput) {
			in.Priority, in.Conditions = aws.Int32(11), []elbtypes.RuleCondition{{Field: aws.String("moon"), Values: []string{"full"}}}
		}),
		"ValidationError: A rule can only have '5' condition values": rule(func(in *elb.CreateRuleInput) {
			in.Priority, in.Conditions[0].Values = aws.Int32(11), strings.Split("/a/b/c/d/e/f", "/")[1:]
		}),
		"UnsupportedParameter: the local AWS does not support member Transforms": rule(func(in *elb.CreateRuleInput) {
			in.Transforms = []elbtypes.RuleTransform{{Type: "url-rewrite"}}
		}),
		"TargetGroupNotFound: Target group 'arn:none' not found": func() error {
			_, err := b.RegisterTargets(b.ctx, &elb.RegisterTargetsInput{TargetGroupArn: aws.String("arn:none"), Targets: targets([]string{"10.0.0.1"})})
			return err
		},
		"ValidationError: The IP address 'i-0123456789abcdef0' is not a valid IPv4 address": func() error {
			_, err := b.RegisterTargets(b.ctx, &elb.RegisterTargetsInput{TargetGroupArn: &blue, Targets: targets([]string{"i-0123456789abcdef0"})})
			return err
		},
		"DuplicateTagKeys: ": func() error {
			_, err := b.AddTags(b.ctx, &elb.AddTagsInput{ResourceArns: []string{blue}, Tags: []elbtypes.Tag{{Key: aws.String("a")}, {Key: aws.String("a")}}})
			return err
		},
	} {
		err := call()
		require.Error(t, err, want)
		assert.Contains(t, code(t, err), want)
	}
}
