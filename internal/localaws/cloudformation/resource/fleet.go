package resource

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// The limits of names (EC2 API reference, CreateLaunchTemplate; Auto Scaling API
// reference, CreateAutoScalingGroup).
const (
	longestTemplate = 128
	longestGroup    = 255
)

// fleetKinds returns launch templates and Auto Scaling groups.
func fleetKinds() map[string]kind {
	return map[string]kind{
		"AWS::EC2::LaunchTemplate": {
			properties: "LaunchTemplateData! LaunchTemplateName TagSpecifications VersionDescription",
			attributes: "DefaultVersionNumber LatestVersionNumber LaunchTemplateId",
			replace:    "LaunchTemplateName TagSpecifications",
			create:     createLaunchTemplate,
			update:     updateLaunchTemplate,
			remove: func(j *job) error {
				_, err := call[ec2.DeleteLaunchTemplateOutput](j, "ec2", "DeleteLaunchTemplate", &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::AutoScaling::AutoScalingGroup": {
			properties: "AutoScalingGroupName AvailabilityZones CapacityRebalance Cooldown DefaultInstanceWarmup DesiredCapacity " +
				"HealthCheckGracePeriod HealthCheckType LaunchTemplate LifecycleHookSpecificationList MaxInstanceLifetime MaxSize! MinSize! " +
				"NewInstancesProtectedFromScaleIn Tags TargetGroupARNs TerminationPolicies VPCZoneIdentifier",
			attributes: "AutoScalingGroupARN",
			policies:   "AutoScalingScheduledAction",
			replace:    "AutoScalingGroupName LifecycleHookSpecificationList",
			rename:     map[string]string{"Cooldown": "DefaultCooldown", "LaunchTemplate.LaunchTemplateSpecification": "LaunchTemplate"},
			create:     createScalingGroup,
			update:     updateScalingGroup,
			settle:     settleScalingGroup,
			remove: func(j *job) error {
				_, err := call[autoscaling.DeleteAutoScalingGroupOutput](j, "autoscaling", "DeleteAutoScalingGroup",
					&autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &j.resource.PhysicalID, ForceDelete: aws.Bool(true)})
				return err
			},
			gone: func(j *job) (bool, error) {
				g, err := scalingGroup(j)
				return err == nil && g == nil, err
			},
		},
	}
}

func createLaunchTemplate(j *job) error {
	j.name("LaunchTemplateName", longestTemplate, "")
	var in ec2.CreateLaunchTemplateInput
	j.fill(&in)
	out, err := call[ec2.CreateLaunchTemplateOutput](j, "ec2", "CreateLaunchTemplate", &in)
	if err != nil || j.dry {
		return err
	}
	id := aws.ToString(out.LaunchTemplate.LaunchTemplateId)
	number := func(v *int64) string { return strconv.FormatInt(aws.ToInt64(v), 10) }
	j.made(id, "LaunchTemplateId", id, "LatestVersionNumber", number(out.LaunchTemplate.LatestVersionNumber),
		"DefaultVersionNumber", number(out.LaunchTemplate.DefaultVersionNumber))
	return nil
}

// updateLaunchTemplate makes another version; the default one stays.
func updateLaunchTemplate(j *job) error {
	j.without("LaunchTemplateName", "TagSpecifications")
	in := ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &j.resource.PhysicalID}
	j.fill(&in)
	out, err := call[ec2.CreateLaunchTemplateVersionOutput](j, "ec2", "CreateLaunchTemplateVersion", &in)
	if err != nil {
		return err
	}
	if v := out.LaunchTemplateVersion; v != nil {
		j.resource.Attributes["LatestVersionNumber"] = strconv.FormatInt(aws.ToInt64(v.VersionNumber), 10)
	}
	return nil
}

// zones turns the list of subnets into the API's text.
func zones(j *job) {
	if _, has := j.left["VPCZoneIdentifier"]; has {
		j.left["VPCZoneIdentifier"] = strings.Join(j.texts("VPCZoneIdentifier"), ",")
	}
}

func createScalingGroup(j *job) error {
	name := j.name("AutoScalingGroupName", longestGroup, "")
	zones(j)
	var in autoscaling.CreateAutoScalingGroupInput
	j.fill(&in)
	if _, err := call[autoscaling.CreateAutoScalingGroupOutput](j, "autoscaling", "CreateAutoScalingGroup", &in); err != nil || j.dry {
		return err
	}
	j.made(name)
	g, err := scalingGroup(j)
	if err != nil || g == nil {
		return err
	}
	j.made(name, "AutoScalingGroupARN", aws.ToString(g.AutoScalingGroupARN))
	j.resource.Pending = "instances in service"
	return nil
}

// scalingGroup is the group as it is; nil if it is not there.
func scalingGroup(j *job) (*astypes.AutoScalingGroup, error) {
	out, err := call[autoscaling.DescribeAutoScalingGroupsOutput](j, "autoscaling", "DescribeAutoScalingGroups",
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{j.resource.PhysicalID}})
	if err != nil || len(out.AutoScalingGroups) == 0 {
		return nil, err
	}
	return &out.AutoScalingGroups[0], nil
}

// settleScalingGroup waits until the group is as large as it shall be.
func settleScalingGroup(j *job) error {
	g, err := scalingGroup(j)
	if err != nil || g == nil {
		return err
	}
	ready := 0
	for _, i := range g.Instances {
		if i.LifecycleState == astypes.LifecycleStateInService {
			ready++
		}
	}
	if ready >= int(aws.ToInt32(g.DesiredCapacity)) {
		j.resource.Pending = ""
	}
	return nil
}

func updateScalingGroup(j *job) error {
	name := j.resource.PhysicalID
	if err := retagGroup(j, name); err != nil {
		return err
	}
	if err := retarget(j, name); err != nil {
		return err
	}
	j.lacking(map[string]any{
		"Cooldown": "300", "HealthCheckGracePeriod": "0", "HealthCheckType": "EC2", "DesiredCapacity": nil, "Tags": nil, "TargetGroupARNs": nil,
		"TerminationPolicies": []any{"Default"}, "NewInstancesProtectedFromScaleIn": false, "CapacityRebalance": false,
	})
	policy, _ := j.desired.UpdatePolicy["AutoScalingScheduledAction"].(map[string]any)
	keep, _ := template.Text(policy["IgnoreUnmodifiedGroupSizeProperties"])
	for _, size := range []string{"DesiredCapacity", "MaxSize", "MinSize"} {
		if v, has := j.left[size]; has && (v == nil || keep == "true" && !j.changed(size)) {
			j.without(size)
		}
	}
	j.without("Tags", "TargetGroupARNs", "LifecycleHookSpecificationList")
	j.left["AutoScalingGroupName"] = name
	zones(j)
	var in autoscaling.UpdateAutoScalingGroupInput
	j.fill(&in)
	if _, err := call[autoscaling.UpdateAutoScalingGroupOutput](j, "autoscaling", "UpdateAutoScalingGroup", &in); err != nil {
		return err
	}
	j.resource.Pending = "instances in service"
	return nil
}

// retagGroup sets all tags again, because each says whether instances get it,
// and deletes those that are there no more.
func retagGroup(j *job, name string) error {
	if !j.changed("Tags") {
		return nil
	}
	of := func(v any) []astypes.Tag {
		var in autoscaling.CreateOrUpdateTagsInput
		if v != nil {
			j.into(&in, "Tags", v)
		}
		for i := range in.Tags {
			in.Tags[i].ResourceId, in.Tags[i].ResourceType = &name, aws.String("auto-scaling-group")
		}
		return in.Tags
	}
	after := of(j.left["Tags"])
	gone := slices.DeleteFunc(of(j.was("Tags")), func(t astypes.Tag) bool {
		return slices.ContainsFunc(after, func(o astypes.Tag) bool { return aws.ToString(o.Key) == aws.ToString(t.Key) })
	})
	if len(after) > 0 {
		if _, err := call[autoscaling.CreateOrUpdateTagsOutput](j, "autoscaling", "CreateOrUpdateTags", &autoscaling.CreateOrUpdateTagsInput{Tags: after}); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := call[autoscaling.DeleteTagsOutput](j, "autoscaling", "DeleteTags", &autoscaling.DeleteTagsInput{Tags: gone})
	return err
}

// retarget attaches and detaches target groups.
func retarget(j *job, name string) error {
	after, before := j.texts("TargetGroupARNs"), j.wasTexts("TargetGroupARNs")
	if more := without(after, before); len(more) > 0 {
		_, err := call[autoscaling.AttachLoadBalancerTargetGroupsOutput](j, "autoscaling", "AttachLoadBalancerTargetGroups",
			&autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &name, TargetGroupARNs: more})
		if err != nil {
			return err
		}
	}
	if less := without(before, after); len(less) > 0 {
		_, err := call[autoscaling.DetachLoadBalancerTargetGroupsOutput](j, "autoscaling", "DetachLoadBalancerTargetGroups",
			&autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &name, TargetGroupARNs: less})
		return err
	}
	return nil
}
