package resource

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// longestDeploy is the limit of the names of applications, groups and
// configurations (CodeDeploy user guide, "Limits").
const longestDeploy = 100

// codedeployKinds returns applications, deployment groups and configurations.
func codedeployKinds() map[string]kind {
	return map[string]kind{
		"AWS::CodeDeploy::Application": {
			properties: "ApplicationName ComputePlatform Tags",
			replace:    "ApplicationName ComputePlatform",
			update: func(j *job) error {
				return retagDeploy(j, j.env.arn("codedeploy", "application:"+j.resource.PhysicalID))
			},
			create: func(j *job) error {
				name := j.name("ApplicationName", longestDeploy, "")
				var in codedeploy.CreateApplicationInput
				j.fill(&in)
				_, err := call[codedeploy.CreateApplicationOutput](j, "codedeploy", "CreateApplication", &in)
				return madeNamed(j, name, err)
			},
			remove: func(j *job) error {
				_, err := call[codedeploy.DeleteApplicationOutput](j, "codedeploy", "DeleteApplication",
					&codedeploy.DeleteApplicationInput{ApplicationName: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::CodeDeploy::DeploymentGroup": {
			properties: "AlarmConfiguration ApplicationName! AutoRollbackConfiguration AutoScalingGroups " +
				"BlueGreenDeploymentConfiguration DeploymentConfigName DeploymentGroupName DeploymentStyle ECSServices Ec2TagFilters " +
				"Ec2TagSet LoadBalancerInfo OnPremisesInstanceTagFilters OnPremisesTagSet OutdatedInstancesStrategy " +
				"ServiceRoleArn! Tags TerminationHookEnabled TriggerConfigurations",
			replace: "ApplicationName DeploymentGroupName",
			create:  createGroup,
			update:  updateGroup,
			remove: func(j *job) error {
				_, err := call[codedeploy.DeleteDeploymentGroupOutput](j, "codedeploy", "DeleteDeploymentGroup",
					&codedeploy.DeleteDeploymentGroupInput{
						ApplicationName: aws.String(j.text("ApplicationName")), DeploymentGroupName: &j.resource.PhysicalID,
					})
				return err
			},
		},
		"AWS::CodeDeploy::DeploymentConfig": {
			properties: "ComputePlatform DeploymentConfigName MinimumHealthyHosts TrafficRoutingConfig ZonalConfig",
			create: func(j *job) error {
				name := j.name("DeploymentConfigName", longestDeploy, "")
				var in codedeploy.CreateDeploymentConfigInput
				j.fill(&in)
				_, err := call[codedeploy.CreateDeploymentConfigOutput](j, "codedeploy", "CreateDeploymentConfig", &in)
				return madeNamed(j, name, err)
			},
			remove: func(j *job) error {
				_, err := call[codedeploy.DeleteDeploymentConfigOutput](j, "codedeploy", "DeleteDeploymentConfig",
					&codedeploy.DeleteDeploymentConfigInput{DeploymentConfigName: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

// createGroup makes a group. CloudFormation wraps the lists inside tag sets
// into objects, the API does not.
func createGroup(j *job) error {
	unwrap(j, "Ec2TagSet", "Ec2TagSetList", "Ec2TagGroup")
	unwrap(j, "OnPremisesTagSet", "OnPremisesTagSetList", "OnPremisesTagGroup")
	name := j.name("DeploymentGroupName", longestDeploy, "")
	var in codedeploy.CreateDeploymentGroupInput
	j.fill(&in)
	_, err := call[codedeploy.CreateDeploymentGroupOutput](j, "codedeploy", "CreateDeploymentGroup", &in)
	return madeNamed(j, name, err)
}

// updateGroup changes a group. What is left out of the call stays as it was, so
// what was taken away is emptied.
func updateGroup(j *job) error {
	set, gone := j.retag()
	empty, off := []any{}, map[string]any{"Enabled": false}
	j.lacking(map[string]any{
		"AlarmConfiguration": off, "AutoRollbackConfiguration": off, "AutoScalingGroups": empty, "Ec2TagFilters": empty,
		"OnPremisesInstanceTagFilters": empty, "TriggerConfigurations": empty, "ECSServices": empty, "Tags": nil,
		"DeploymentConfigName": "CodeDeployDefault.OneAtATime",
	})
	j.without("Tags")
	unwrap(j, "Ec2TagSet", "Ec2TagSetList", "Ec2TagGroup")
	unwrap(j, "OnPremisesTagSet", "OnPremisesTagSetList", "OnPremisesTagGroup")
	j.left["CurrentDeploymentGroupName"] = j.resource.PhysicalID
	j.without("DeploymentGroupName")
	var in codedeploy.UpdateDeploymentGroupInput
	j.fill(&in)
	if _, err := call[codedeploy.UpdateDeploymentGroupOutput](j, "codedeploy", "UpdateDeploymentGroup", &in); err != nil {
		return err
	}
	arn := j.env.arn("codedeploy", "deploymentgroup:"+aws.ToString(in.ApplicationName)+"/"+j.resource.PhysicalID)
	return retagTo(j, arn, set, gone)
}

func retagDeploy(j *job, arn string) error {
	set, gone := j.retag()
	return retagTo(j, arn, set, gone)
}

func retagTo(j *job, arn string, set []pair, gone []string) error {
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) cdtypes.Tag { return cdtypes.Tag{Key: k, Value: v} })
		_, err := call[codedeploy.TagResourceOutput](j, "codedeploy", "TagResource", &codedeploy.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[codedeploy.UntagResourceOutput](j, "codedeploy", "UntagResource", &codedeploy.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
		return err
	})
}

// unwrap turns {list: [{group: […]}, …]} into {list: [[…], …]}.
func unwrap(j *job, property, list, group string) {
	set, ok := j.left[property].(map[string]any)
	if !ok {
		return
	}
	wrapped, ok := set[list].([]any)
	if !ok {
		return // the mapper says what is wrong with it
	}
	plain := make([]any, 0, len(wrapped))
	for i, v := range wrapped {
		one, _ := v.(map[string]any)
		inner, has := one[group]
		if !has || len(one) != 1 {
			j.report(fmt.Sprintf("%s.%s[%d]", property, list, i), "must have "+group+" and nothing else")
			continue
		}
		plain = append(plain, inner)
	}
	rest := maps.Clone(set)
	rest[list] = plain
	j.left[property] = rest
}

// madeNamed notes a resource whose Ref is its name and that has no attributes.
func madeNamed(j *job, name string, err error) error {
	if err != nil {
		return err
	}
	j.made(name)
	return nil
}
