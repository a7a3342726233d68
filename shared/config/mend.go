package config

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// retag returns the command that gives a target's tag a value. Where a target
// has no tags of its own, those of what it belongs to are read: the function of
// an alias, the pipeline of a stage.
func (c Config) retag(t deploy.Target, tag, value string) string {
	switch t.Kind {
	case deploy.KindAlias:
		return fmt.Sprintf("aws lambda tag-resource --resource %s --tags %s=%s", c.arn(t), tag, value)
	case deploy.KindService:
		return fmt.Sprintf("aws ecs tag-resource --resource-arn %s --tags key=%s,value=%s", c.arn(t), tag, value)
	case deploy.KindScaling:
		return fmt.Sprintf("aws autoscaling create-or-update-tags --tags ResourceId=%s,ResourceType=auto-scaling-group,Key=%s,Value=%s,PropagateAtLaunch=false", t.Group, tag, value)
	case deploy.KindStage:
		return fmt.Sprintf("aws codepipeline tag-resource --resource-arn %s --tags key=%s,value=%s", c.arn(t), tag, value)
	default:
		return fmt.Sprintf("aws deploy tag-resource --resource-arn %s --tags Key=%s,Value=%s", c.arn(t), tag, value)
	}
}

// untag returns the command that takes a tag away.
func (c Config) untag(t deploy.Target, tag string) string {
	switch t.Kind {
	case deploy.KindAlias:
		return fmt.Sprintf("aws lambda untag-resource --resource %s --tag-keys %s", c.arn(t), tag)
	case deploy.KindService:
		return fmt.Sprintf("aws ecs untag-resource --resource-arn %s --tag-keys %s", c.arn(t), tag)
	case deploy.KindScaling:
		return fmt.Sprintf("aws autoscaling delete-tags --tags ResourceId=%s,ResourceType=auto-scaling-group,Key=%s", t.Group, tag)
	case deploy.KindStage:
		return fmt.Sprintf("aws codepipeline untag-resource --resource-arn %s --tag-keys %s", c.arn(t), tag)
	default:
		return fmt.Sprintf("aws deploy untag-resource --resource-arn %s --tag-keys %s", c.arn(t), tag)
	}
}

// arn names what carries a target's tags. Where it is not known where the file is
// in force, the person who reads it has to fill that in.
func (c Config) arn(t deploy.Target) string {
	region, account := cmp.Or(c.Home.Region, "REGION"), cmp.Or(c.Home.Account, "ACCOUNT")
	in := func(service, resource string) string {
		return strings.Join([]string{"arn", partition(region), service, region, account, resource}, ":")
	}
	switch t.Kind {
	case deploy.KindAlias:
		return in("lambda", "function:"+t.Application)
	case deploy.KindService:
		return in("ecs", "service/"+t.Application+"/"+t.Group)
	case deploy.KindStage:
		return in("codepipeline", t.Application)
	default:
		return in("codedeploy", "deploymentgroup:"+t.Application+"/"+t.Group)
	}
}

// partition is the part of AWS that a region is in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
