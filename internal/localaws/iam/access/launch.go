package access

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// launches is the launch template that a refresh brings, as Auto Scaling looks
// whether its caller might launch instances from it: with their tags, and with
// the role of their profile (Auto Scaling user guide, "Control Amazon EC2 launch
// template usage in Auto Scaling groups"); nil if there is none.
func (k *call) launches() *ec2types.ResponseLaunchTemplateData {
	in, ok := k.in.(*autoscaling.StartInstanceRefreshInput)
	if !ok || in.DesiredConfiguration == nil || in.DesiredConfiguration.LaunchTemplate == nil {
		return nil
	}
	t := in.DesiredConfiguration.LaunchTemplate
	version := aws.ToString(t.Version)
	if version == "" {
		version = "$Default"
	}
	out, ok := look[ec2.DescribeLaunchTemplateVersionsOutput](k, "ec2", "DescribeLaunchTemplateVersions",
		&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: t.LaunchTemplateId, LaunchTemplateName: t.LaunchTemplateName, Versions: []string{version}})
	if !ok || len(out.LaunchTemplateVersions) == 0 {
		return nil
	}
	return out.LaunchTemplateVersions[0].LaunchTemplateData
}

// launching applies a function of the table that is about a launch template.
func (k *call) launching(function string) []string {
	switch function {
	case "tagslaunched":
		return given("ec2:CreateTags", k.launchTagged())
	case "launched":
		return k.launchTagged()
	case "passeslaunched":
		return given("iam:PassRole", k.launchRoles())
	default:
		return k.launchRoles()
	}
}

// launchTagged are the kinds of resources that a launch template tags.
func (k *call) launchTagged() []string {
	t := k.launches()
	if t == nil {
		return nil
	}
	var all []string
	for _, s := range t.TagSpecifications {
		all = append(all, k.arn("ec2", string(s.ResourceType)+"/*"))
	}
	return all
}

// launchRoles is the role of a launch template's instance profile.
func (k *call) launchRoles() []string {
	t := k.launches()
	if t == nil || t.IamInstanceProfile == nil {
		return nil
	}
	name := aws.ToString(t.IamInstanceProfile.Name)
	if name == "" {
		name = last(aws.ToString(t.IamInstanceProfile.Arn))
	}
	out, ok := look[awsiam.GetInstanceProfileOutput](k, "iam", "GetInstanceProfile", &awsiam.GetInstanceProfileInput{InstanceProfileName: &name})
	if !ok {
		return nil
	}
	var all []string
	for _, r := range out.InstanceProfile.Roles {
		all = append(all, *r.Arn)
	}
	return all
}

// given is an action if there is anything that it is about.
func given(action string, about []string) []string {
	if len(about) == 0 {
		return nil
	}
	return []string{action}
}
