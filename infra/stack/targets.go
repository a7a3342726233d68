package stack

import "slices"

// What is looked at and changed of the targets that CodeDeploy does not deploy, or
// that its deployments are about. Sources: Service Authorization Reference, the
// tables of the services.
const (
	anyService   scope = "ECS services"
	service      scope = "ECS services tagged pullback:enabled=true"
	deployment   scope = "deployments of ECS services"
	revision     scope = "revisions of ECS services"
	anyListener  scope = "listeners of load balancers"
	anyRule      scope = "rules of listeners"
	scalingGroup scope = "Auto Scaling groups tagged pullback:enabled=true"
	launches     scope = "what an instance is launched from"
	launched     scope = "what an instance is launched with, as it is launched"
	machineRole  scope = "IAM roles, to be passed to instances"
	hookRole     scope = "IAM roles, to be passed to ECS"
	anyPipeline  scope = "pipelines"
	pipeline     scope = "pipelines tagged pullback:enabled=true"
	anyStage     scope = "stages of pipelines" // which have no tags of their own, so that code checks that of the pipeline
	anyImage     scope = "ECR repositories"
	anyRole      scope = "IAM roles"
	anyProfile   scope = "instance profiles"
	anyParameter scope = "parameters of the Parameter Store"
	anyKey       scope = "keys of KMS"
	anyVault     scope = "secrets of Secrets Manager"
	anyBucket    scope = "S3 buckets of the account"
	anyObject    scope = "S3 objects of the account" // bundles and artifacts may lie in any bucket
)

// inspect is what it takes to see what serves a target of any kind, and whether a
// revision could be put back.
func inspect() []permission {
	return slices.Concat(inspectHooked(), []permission{
		{everything, []string{
			"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes",
			"codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeployments", // of the account, too
			"ec2:DescribeImages", "ec2:DescribeLaunchTemplateVersions",
			"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
		}},
		{groups, []string{"codedeploy:BatchGetDeployments"}},
		{lambdas, []string{"lambda:GetAlias", "lambda:ListTags"}},
		{anyService, []string{"ecs:ListServiceDeployments"}},
		{anyPipeline, []string{
			"codepipeline:GetPipeline", "codepipeline:GetPipelineExecution", "codepipeline:GetPipelineState", "codepipeline:ListActionExecutions", "codepipeline:ListPipelineExecutions", "codepipeline:ListTagsForResource",
		}},
		{anyProfile, []string{"iam:GetInstanceProfile"}},
		{anyObject, []string{"s3:GetObject", "s3:GetObjectVersion"}},
		{anyBucket, []string{"s3:ListBucket"}}, // without it a missing object looks like a forbidden one
	})
}

// inspectHooked is the same of the targets whose deployments run hooks: on Lambda
// and ECS.
func inspectHooked() []permission {
	return []permission{
		{everything, []string{"ecs:DescribeTaskDefinition"}},
		{applications, []string{"codedeploy:GetApplicationRevision"}},
		{groups, []string{"codedeploy:GetDeploymentGroup", "codedeploy:ListTagsForResource"}},
		{anyService, []string{"ecs:DescribeServices"}},
		{deployment, []string{"ecs:DescribeServiceDeployments"}},
		{revision, []string{"ecs:DescribeServiceRevisions"}},
		{anyImage, []string{"ecr:DescribeImages"}},
		{anyRole, []string{"iam:GetRole"}},
		{anyParameter, []string{"ssm:GetParameters"}},
		{anyKey, []string{"kms:DescribeKey"}},
		{anyVault, []string{"secretsmanager:DescribeSecret"}}, // never GetSecretValue: no value is read
	}
}

// find is what it takes to look for targets.
func find() []permission {
	return []permission{
		{everything, []string{"codepipeline:ListPipelines", "ecs:ListClusters", "ecs:ListServices", "lambda:ListFunctions"}},
	}
}

// takeBack is what it takes to take targets back. Where AWS can tell by a tag which
// of them are looked after, only those.
func takeBack() []permission {
	return slices.Concat(restore(), []permission{
		{everything, []string{"codedeploy:StopDeployment"}},
		{enabled, []string{"lambda:UpdateAlias"}},
		{deployment, []string{"ecs:StopServiceDeployment"}}, // which has no tags: the code looks at those of the service
		{service, []string{"ecs:TagResource", "ecs:UntagResource", "ecs:UpdateService"}},
		// What CodeDeploy deploys is tagged at its deployment group, and not at the service:
		// the code looks there.
		{anyService, []string{"ecs:UpdateServicePrimaryTaskSet"}},
		{anyListener, []string{"elasticloadbalancing:ModifyListener"}},
		{anyRule, []string{"elasticloadbalancing:ModifyRule"}},
		{scalingGroup, []string{"autoscaling:CancelInstanceRefresh", "autoscaling:RollbackInstanceRefresh", "autoscaling:StartInstanceRefresh"}},
		// StartInstanceRefresh wants of its caller what it takes to launch an instance
		// (Auto Scaling user guide, "Control Amazon EC2 launch template usage in Auto
		// Scaling groups").
		{launches, []string{"ec2:RunInstances"}},
		{launched, []string{"ec2:CreateTags"}},
		{machineRole, []string{"iam:PassRole"}},
		// Hooks that were set aside for a rollback are put back with the role as which ECS
		// invokes them. It is the team's, so that its name is not known here; whoever gives
		// a service a role passes it (IAM user guide, "Grant a user permissions to pass a
		// role to an AWS service"), and its trust policy says to whom: ecs.amazonaws.com
		// (ECS developer guide, "Permissions required for Lambda functions in Amazon ECS
		// blue/green deployments").
		{hookRole, []string{"iam:PassRole"}},
		{anyStage, []string{"codepipeline:DisableStageTransition", "codepipeline:RollbackStage"}},
		{pipeline, []string{"codepipeline:StopPipelineExecution"}},
	})
}

// gate is what it takes to close and open the way into a stage.
func gate() []permission {
	return []permission{{anyStage, []string{"codepipeline:DisableStageTransition", "codepipeline:EnableStageTransition"}}}
}
