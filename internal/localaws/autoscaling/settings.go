package autoscaling

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) createAutoScalingGroup(c *wire.Call, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	err := wire.Only(in, "AutoScalingGroupName", "AvailabilityZones", "DefaultCooldown", "DefaultInstanceWarmup", "DesiredCapacity",
		"HealthCheckGracePeriod", "HealthCheckType", "InstanceMaintenancePolicy", "LaunchTemplate", "LifecycleHookSpecificationList", "MaxSize",
		"MinSize", "NewInstancesProtectedFromScaleIn", "Tags", "TargetGroupARNs", "TerminationPolicies", "VPCZoneIdentifier")
	if err != nil {
		return nil, err
	}
	g, err := s.newGroup(in)
	if err != nil {
		return nil, err
	}
	if err := s.setPlace(c, g, in.AvailabilityZones, in.VPCZoneIdentifier); err != nil {
		return nil, err
	}
	if err := g.setHealth(in.HealthCheckType, in.HealthCheckGracePeriod, in.DefaultInstanceWarmup, in.InstanceMaintenancePolicy); err != nil {
		return nil, err
	}
	if err := g.setPolicies(in.TerminationPolicies); err != nil {
		return nil, err
	}
	if in.LaunchTemplate == nil {
		return nil, invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.")
	}
	if g.info.LaunchTemplate, err = s.completed(c.Context, in.LaunchTemplate); err != nil {
		return nil, err
	}
	for _, h := range in.LifecycleHookSpecificationList {
		if err := g.putHook(hookOf(g.name(), h)); err != nil {
			return nil, err
		}
	}
	if err := g.setTags(in.Tags); err != nil {
		return nil, err
	}
	if err := s.checkTargetGroups(c, in.TargetGroupARNs); err != nil {
		return nil, err
	}
	g.info.TargetGroupARNs = slices.Clone(in.TargetGroupARNs)
	g.cause = fmt.Sprintf("At %s a user request created an AutoScalingGroup changing the desired capacity from 0 to %d.", s.stamp(), g.desired())
	s.groups = append(s.groups, g)
	s.poke(c.Context, g)
	return &autoscaling.CreateAutoScalingGroupOutput{}, nil
}

// newGroup makes a group with its name and its sizes.
func (s *Service) newGroup(in *autoscaling.CreateAutoScalingGroupInput) (*group, error) {
	name := aws.ToString(in.AutoScalingGroupName)
	if name == "" || len(name) > 255 || strings.Contains(name, ":") {
		return nil, invalid("1 validation error detected: Value '%s' at 'autoScalingGroupName' failed to satisfy constraint: "+
			"Member must have length between 1 and 255 and must not contain a colon", name)
	}
	if _, err := s.find(&name); err == nil {
		return nil, &astypes.AlreadyExistsFault{Message: aws.String("AutoScalingGroup by this name already exists - A group with the name " + name + " already exists")}
	}
	if in.MinSize == nil || in.MaxSize == nil {
		return nil, invalid("1 validation error detected: Value at 'minSize' and 'maxSize' failed to satisfy constraint: Member must not be null")
	}
	desired := *in.MinSize
	if in.DesiredCapacity != nil {
		desired = *in.DesiredCapacity
	}
	if err := checkSizes(*in.MinSize, *in.MaxSize, desired); err != nil {
		return nil, err
	}
	cooldown := int32(300) // API reference, CreateAutoScalingGroup
	if in.DefaultCooldown != nil {
		cooldown = *in.DefaultCooldown
	}
	return &group{
		suspended: map[string]string{},
		info: astypes.AutoScalingGroup{
			AutoScalingGroupName: &name, MinSize: in.MinSize, MaxSize: in.MaxSize, DesiredCapacity: &desired, DefaultCooldown: &cooldown,
			AutoScalingGroupARN: aws.String("arn:aws:autoscaling:" + s.w.Region + ":" + s.w.Account + ":autoScalingGroup:" + s.w.UUID() +
				":autoScalingGroupName/" + name),
			CreatedTime: aws.Time(s.w.Now()), NewInstancesProtectedFromScaleIn: aws.Bool(aws.ToBool(in.NewInstancesProtectedFromScaleIn)),
			HealthCheckType: aws.String("EC2"), HealthCheckGracePeriod: aws.Int32(0), LoadBalancerNames: []string{}, TargetGroupARNs: []string{},
			EnabledMetrics: []astypes.EnabledMetric{}, Tags: []astypes.TagDescription{}, TerminationPolicies: []string{"Default"},
			TrafficSources: []astypes.TrafficSourceIdentifier{},
			ServiceLinkedRoleARN: aws.String("arn:aws:iam::" + s.w.Account +
				":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
		},
	}, nil
}

func checkSizes(least, most, desired int32) error {
	switch {
	case least < 0 || most < least:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", most, least)
	case desired > most:
		return invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", desired, most)
	case desired < least:
		return invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", desired, least)
	}
	return nil
}

func (g *group) setHealth(typ *string, grace, warmup *int32, policy *astypes.InstanceMaintenancePolicy) error {
	if typ != nil {
		for t := range strings.SplitSeq(*typ, ",") {
			if t != "EC2" && t != "ELB" {
				return invalid("The health check type %s is not valid or not supported by the local Auto Scaling: use EC2 or ELB", t)
			}
		}
		g.info.HealthCheckType = typ
	}
	if grace != nil {
		g.info.HealthCheckGracePeriod = grace
	}
	if warmup != nil {
		g.info.DefaultInstanceWarmup = warmup
		if *warmup == -1 { // removes it (API reference, UpdateAutoScalingGroup)
			g.info.DefaultInstanceWarmup = nil
		}
	}
	if policy != nil {
		if err := checkHealthy(policy.MinHealthyPercentage, policy.MaxHealthyPercentage); err != nil {
			return err
		}
		g.info.InstanceMaintenancePolicy = policy
	}
	return nil
}

// setPolicies sets how instances are chosen for scale-in.
func (g *group) setPolicies(policies []string) error {
	for _, p := range policies {
		switch p {
		case "Default", "OldestInstance", "NewestInstance":
		default:
			return invalid("Termination policy %s is not supported by the local Auto Scaling", p)
		}
	}
	if len(policies) > 0 {
		g.info.TerminationPolicies = policies
	}
	return nil
}

// setPlace sets the zones and subnets.
func (s *Service) setPlace(c *wire.Call, g *group, zones []string, subnets *string) error {
	if subnets != nil && *subnets != "" {
		found, err := wire.Do[ec2.DescribeSubnetsOutput](c.Context, s.c, principal(), "ec2", "DescribeSubnets",
			&ec2.DescribeSubnetsInput{SubnetIds: strings.Split(*subnets, ",")})
		if err != nil {
			return invalid("The subnet ID '%s' does not exist", *subnets)
		}
		g.info.VPCZoneIdentifier, g.info.AvailabilityZones = subnets, nil
		for _, n := range found.Subnets {
			if !slices.Contains(g.info.AvailabilityZones, *n.AvailabilityZone) {
				g.info.AvailabilityZones = append(g.info.AvailabilityZones, *n.AvailabilityZone)
			}
		}
		return nil
	}
	if len(zones) > 0 {
		_, err := wire.Do[ec2.DescribeAvailabilityZonesOutput](c.Context, s.c, principal(), "ec2", "DescribeAvailabilityZones",
			&ec2.DescribeAvailabilityZonesInput{ZoneNames: zones})
		if err != nil {
			return invalid("One or more availability zones could not be found: %s", strings.Join(zones, ", "))
		}
		g.info.AvailabilityZones, g.info.VPCZoneIdentifier = zones, aws.String("")
	}
	if len(g.info.AvailabilityZones) == 0 {
		return invalid("At least one Availability Zone or VPC Subnet is required.")
	}
	return nil
}

func (s *Service) updateAutoScalingGroup(c *wire.Call, in *autoscaling.UpdateAutoScalingGroupInput) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	err := wire.Only(in, "AutoScalingGroupName", "AvailabilityZones", "DefaultCooldown", "DefaultInstanceWarmup", "DesiredCapacity",
		"HealthCheckGracePeriod", "HealthCheckType", "InstanceMaintenancePolicy", "LaunchTemplate", "MaxSize", "MinSize",
		"NewInstancesProtectedFromScaleIn", "TerminationPolicies", "VPCZoneIdentifier")
	if err != nil {
		return nil, err
	}
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if g.deleting {
		return nil, beingDeleted(g)
	}
	before := g.info
	if err := s.update(c, g, in); err != nil {
		g.info = before // all or nothing
		return nil, err
	}
	s.poke(c.Context, g)
	return &autoscaling.UpdateAutoScalingGroupOutput{}, nil
}

func (s *Service) update(c *wire.Call, g *group, in *autoscaling.UpdateAutoScalingGroupInput) error {
	if in.LaunchTemplate != nil {
		if r := g.refresh(); r != nil && r.info.DesiredConfiguration != nil {
			return invalid("An active instance refresh with a desired configuration exists. All configuration options derived from the " +
				"desired configuration are not available for update while the instance refresh is active.")
		}
		completed, err := s.completed(c.Context, in.LaunchTemplate)
		if err != nil {
			return err
		}
		g.info.LaunchTemplate = completed
	}
	if in.AvailabilityZones != nil || in.VPCZoneIdentifier != nil {
		if err := s.setPlace(c, g, in.AvailabilityZones, in.VPCZoneIdentifier); err != nil {
			return err
		}
	}
	if err := g.setHealth(in.HealthCheckType, in.HealthCheckGracePeriod, in.DefaultInstanceWarmup, in.InstanceMaintenancePolicy); err != nil {
		return err
	}
	if err := g.setPolicies(in.TerminationPolicies); err != nil {
		return err
	}
	if in.DefaultCooldown != nil {
		g.info.DefaultCooldown = in.DefaultCooldown
	}
	if in.NewInstancesProtectedFromScaleIn != nil {
		g.info.NewInstancesProtectedFromScaleIn = in.NewInstancesProtectedFromScaleIn
	}
	return s.updateSizes(g, in)
}

// updateSizes sets the bounds. A desired capacity that is not said moves into
// them (API reference, UpdateAutoScalingGroup).
func (s *Service) updateSizes(g *group, in *autoscaling.UpdateAutoScalingGroupInput) error {
	least, most := *g.info.MinSize, *g.info.MaxSize
	if in.MinSize != nil {
		least = *in.MinSize
	}
	if in.MaxSize != nil {
		most = *in.MaxSize
	}
	desired := min(max(*g.info.DesiredCapacity, least), most)
	if in.DesiredCapacity != nil {
		desired = *in.DesiredCapacity
	}
	if err := checkSizes(least, most, desired); err != nil {
		return err
	}
	g.info.MinSize, g.info.MaxSize = &least, &most
	if desired != *g.info.DesiredCapacity {
		s.resize(g, desired, "a user request update of AutoScalingGroup constraints to min: "+itoa(least)+", max: "+itoa(most)+
			", desired: "+itoa(desired)+" changing the desired capacity")
	}
	return nil
}
