package resource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// longestBalancer is the limit of the names of load balancers and target
// groups (ELB API reference, CreateLoadBalancer, CreateTargetGroup).
const longestBalancer = 32

const elbService = "elasticloadbalancing"

// elbKinds returns load balancers, target groups, listeners and their rules.
func elbKinds() map[string]kind {
	return map[string]kind{
		"AWS::ElasticLoadBalancingV2::LoadBalancer": {
			properties: "IpAddressType LoadBalancerAttributes Name Scheme SecurityGroups SubnetMappings Subnets Tags Type",
			attributes: "CanonicalHostedZoneID DNSName LoadBalancerArn LoadBalancerFullName LoadBalancerName",
			replace:    "IpAddressType Name Scheme SecurityGroups SubnetMappings Subnets Type",
			create:     createBalancer,
			update: func(j *job) error {
				if err := retagELB(j); err != nil {
					return err
				}
				return balancerAttributes(j, j.resource.PhysicalID, j.list("LoadBalancerAttributes"))
			},
			remove: func(j *job) error {
				_, err := call[elb.DeleteLoadBalancerOutput](j, elbService, "DeleteLoadBalancer", &elb.DeleteLoadBalancerInput{LoadBalancerArn: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::ElasticLoadBalancingV2::TargetGroup": {
			properties: "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol HealthCheckTimeoutSeconds " +
				"HealthyThresholdCount IpAddressType Matcher Name Port Protocol ProtocolVersion Tags TargetGroupAttributes Targets TargetType " +
				"UnhealthyThresholdCount VpcId",
			attributes: "TargetGroupArn TargetGroupFullName TargetGroupName",
			replace:    "IpAddressType Name Port Protocol ProtocolVersion TargetType VpcId",
			create:     createTargetGroup,
			update:     updateTargetGroup,
			remove: func(j *job) error {
				_, err := call[elb.DeleteTargetGroupOutput](j, elbService, "DeleteTargetGroup", &elb.DeleteTargetGroupInput{TargetGroupArn: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::ElasticLoadBalancingV2::Listener": {
			properties: "Certificates DefaultActions! LoadBalancerArn! Port Protocol SslPolicy",
			attributes: "ListenerArn",
			replace:    "LoadBalancerArn",
			create:     createListener,
			update: func(j *job) error {
				j.without("LoadBalancerArn")
				in := elb.ModifyListenerInput{ListenerArn: &j.resource.PhysicalID}
				j.fill(&in)
				_, err := call[elb.ModifyListenerOutput](j, elbService, "ModifyListener", &in)
				return err
			},
			remove: func(j *job) error {
				_, err := call[elb.DeleteListenerOutput](j, elbService, "DeleteListener", &elb.DeleteListenerInput{ListenerArn: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::ElasticLoadBalancingV2::ListenerRule": {
			properties: "Actions! Conditions! ListenerArn! Priority! Tags",
			attributes: "IsDefault RuleArn",
			replace:    "ListenerArn",
			create:     createListenerRule,
			update:     updateListenerRule,
			remove: func(j *job) error {
				_, err := call[elb.DeleteRuleOutput](j, elbService, "DeleteRule", &elb.DeleteRuleInput{RuleArn: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

func retagELB(j *job) error {
	set, gone := j.retag()
	arns := []string{j.resource.PhysicalID}
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) elbtypes.Tag { return elbtypes.Tag{Key: k, Value: v} })
		_, err := call[elb.AddTagsOutput](j, elbService, "AddTags", &elb.AddTagsInput{ResourceArns: arns, Tags: tags})
		return err
	}, func() error {
		_, err := call[elb.RemoveTagsOutput](j, elbService, "RemoveTags", &elb.RemoveTagsInput{ResourceArns: arns, TagKeys: gone})
		return err
	})
}

func createBalancer(j *job) error {
	j.name("Name", longestBalancer, "")
	attributes := j.list("LoadBalancerAttributes")
	var in elb.CreateLoadBalancerInput
	j.fill(&in)
	out, err := call[elb.CreateLoadBalancerOutput](j, elbService, "CreateLoadBalancer", &in)
	if err != nil || j.dry {
		return err
	}
	b := out.LoadBalancers[0]
	arn := aws.ToString(b.LoadBalancerArn)
	_, full, _ := strings.Cut(arn, ":loadbalancer/")
	j.made(arn, "LoadBalancerArn", arn, "DNSName", aws.ToString(b.DNSName), "LoadBalancerName", aws.ToString(b.LoadBalancerName),
		"CanonicalHostedZoneID", aws.ToString(b.CanonicalHostedZoneId), "LoadBalancerFullName", full)
	return balancerAttributes(j, arn, attributes)
}

func balancerAttributes(j *job, arn string, attributes []any) error {
	if len(attributes) == 0 {
		return nil
	}
	in := elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn}
	m := mapper{report: func(path, reason string) { j.report("LoadBalancer"+path, reason) }}
	m.fill(&in, map[string]any{"Attributes": attributes})
	_, err := call[elb.ModifyLoadBalancerAttributesOutput](j, elbService, "ModifyLoadBalancerAttributes", &in)
	return err
}

func createTargetGroup(j *job) error {
	j.name("Name", longestBalancer, "")
	attributes, targets := j.list("TargetGroupAttributes"), j.list("Targets")
	var in elb.CreateTargetGroupInput
	j.fill(&in)
	out, err := call[elb.CreateTargetGroupOutput](j, elbService, "CreateTargetGroup", &in)
	if err != nil || j.dry {
		return err
	}
	g := out.TargetGroups[0]
	arn := aws.ToString(g.TargetGroupArn)
	j.made(arn, "TargetGroupArn", arn, "TargetGroupName", aws.ToString(g.TargetGroupName), "TargetGroupFullName", arn[strings.LastIndex(arn, ":")+1:])
	if err := targetGroupAttributes(j, arn, attributes); err != nil {
		return err
	}
	return registerTargets(j, arn, targets)
}

func targetGroupAttributes(j *job, arn string, attributes []any) error {
	if len(attributes) == 0 {
		return nil
	}
	in := elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &arn}
	m := mapper{report: func(path, reason string) { j.report("TargetGroup"+path, reason) }}
	m.fill(&in, map[string]any{"Attributes": attributes})
	_, err := call[elb.ModifyTargetGroupAttributesOutput](j, elbService, "ModifyTargetGroupAttributes", &in)
	return err
}

func registerTargets(j *job, arn string, targets []any) error {
	if len(targets) == 0 {
		return nil
	}
	in := elb.RegisterTargetsInput{TargetGroupArn: &arn}
	j.into(&in, "Targets", targets)
	_, err := call[elb.RegisterTargetsOutput](j, elbService, "RegisterTargets", &in)
	return err
}

func updateTargetGroup(j *job) error {
	arn := j.resource.PhysicalID
	if err := retagELB(j); err != nil {
		return err
	}
	if j.changed("Targets") {
		if old, _ := j.was("Targets").([]any); len(old) > 0 {
			in := elb.DeregisterTargetsInput{TargetGroupArn: &arn}
			j.into(&in, "Targets", old)
			if _, err := call[elb.DeregisterTargetsOutput](j, elbService, "DeregisterTargets", &in); err != nil {
				return err
			}
		}
		if err := registerTargets(j, arn, j.list("Targets")); err != nil {
			return err
		}
	}
	if err := targetGroupAttributes(j, arn, j.list("TargetGroupAttributes")); err != nil {
		return err
	}
	j.without("Targets", "IpAddressType", "Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId")
	in := elb.ModifyTargetGroupInput{TargetGroupArn: &arn}
	j.fill(&in)
	_, err := call[elb.ModifyTargetGroupOutput](j, elbService, "ModifyTargetGroup", &in)
	return err
}

func createListener(j *job) error {
	var in elb.CreateListenerInput
	j.fill(&in)
	out, err := call[elb.CreateListenerOutput](j, elbService, "CreateListener", &in)
	if err != nil || j.dry {
		return err
	}
	arn := aws.ToString(out.Listeners[0].ListenerArn)
	j.made(arn, "ListenerArn", arn)
	return nil
}

func createListenerRule(j *job) error {
	var in elb.CreateRuleInput
	j.fill(&in)
	out, err := call[elb.CreateRuleOutput](j, elbService, "CreateRule", &in)
	if err != nil || j.dry {
		return err
	}
	arn := aws.ToString(out.Rules[0].RuleArn)
	j.made(arn, "RuleArn", arn, "IsDefault", "false")
	return nil
}

func updateListenerRule(j *job) error {
	arn := j.resource.PhysicalID
	if err := retagELB(j); err != nil {
		return err
	}
	j.without("ListenerArn")
	if v := j.take("Priority"); j.changed("Priority") {
		pair := elbtypes.RulePriorityPair{RuleArn: &arn}
		j.into(&pair, "Priority", v)
		_, err := call[elb.SetRulePrioritiesOutput](j, elbService, "SetRulePriorities",
			&elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{pair}})
		if err != nil {
			return err
		}
	}
	in := elb.ModifyRuleInput{RuleArn: &arn}
	j.fill(&in)
	_, err := call[elb.ModifyRuleOutput](j, elbService, "ModifyRule", &in)
	return err
}
