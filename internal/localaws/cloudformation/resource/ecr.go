package resource

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// longestRepository is the limit of a repository's name (ECR API reference,
// CreateRepository).
const longestRepository = 256

// ecrKinds returns repositories of container images.
func ecrKinds() map[string]kind {
	return map[string]kind{
		"AWS::ECR::Repository": {
			properties: "EmptyOnDelete EncryptionConfiguration ImageScanningConfiguration ImageTagMutability LifecyclePolicy RepositoryName " +
				"RepositoryPolicyText Tags",
			attributes: "Arn RepositoryUri",
			replace:    "RepositoryName EncryptionConfiguration",
			asJSON:     []string{"RepositoryPolicyText"},
			create:     createRepository,
			update:     updateRepository,
			remove: func(j *job) error {
				empty := j.flag("EmptyOnDelete")
				_, err := call[ecr.DeleteRepositoryOutput](j, "ecr", "DeleteRepository",
					&ecr.DeleteRepositoryInput{RepositoryName: &j.resource.PhysicalID, Force: empty})
				return err
			},
		},
	}
}

func createRepository(j *job) error {
	if _, given := j.left["RepositoryName"]; !given {
		j.left["RepositoryName"] = strings.ToLower(j.env.name(j.id, longestRepository, j.dry))
	}
	name := j.text("RepositoryName")
	lifecycle, policy := j.object("LifecyclePolicy"), j.take("RepositoryPolicyText")
	j.flag("EmptyOnDelete")
	j.without("EmptyOnDelete")
	var in ecr.CreateRepositoryInput
	j.fill(&in)
	out, err := call[ecr.CreateRepositoryOutput](j, "ecr", "CreateRepository", &in)
	if err != nil {
		return err
	}
	repository := out.Repository
	if repository == nil {
		repository = &ecrtypes.Repository{}
	}
	j.made(name, "Arn", aws.ToString(repository.RepositoryArn), "RepositoryUri", aws.ToString(repository.RepositoryUri))
	if policy != nil {
		if err := setRepositoryPolicy(j, name, policy); err != nil {
			return err
		}
	}
	if lifecycle != nil {
		return putRepositoryLifecycle(j, name, lifecycle)
	}
	return nil
}

func setRepositoryPolicy(j *job, name string, policy any) error {
	_, err := call[ecr.SetRepositoryPolicyOutput](j, "ecr", "SetRepositoryPolicy",
		&ecr.SetRepositoryPolicyInput{RepositoryName: &name, PolicyText: aws.String(document(policy))})
	return err
}

func putRepositoryLifecycle(j *job, name string, lifecycle map[string]any) error {
	in := ecr.PutLifecyclePolicyInput{RepositoryName: &name}
	m := mapper{report: func(path, reason string) { j.report("LifecyclePolicy."+path, reason) }}
	m.fill(&in, lifecycle)
	_, err := call[ecr.PutLifecyclePolicyOutput](j, "ecr", "PutLifecyclePolicy", &in)
	return err
}

// updateRepository sets what changed, each with its own call.
func updateRepository(j *job) error {
	name := j.resource.PhysicalID
	set, gone := j.retag()
	if j.changed("ImageTagMutability") {
		in := ecr.PutImageTagMutabilityInput{RepositoryName: &name, ImageTagMutability: ecrtypes.ImageTagMutabilityMutable}
		if v := j.take("ImageTagMutability"); v != nil {
			j.into(&in, "ImageTagMutability", v)
		}
		if _, err := call[ecr.PutImageTagMutabilityOutput](j, "ecr", "PutImageTagMutability", &in); err != nil {
			return err
		}
	}
	if j.changed("ImageScanningConfiguration") {
		in := ecr.PutImageScanningConfigurationInput{RepositoryName: &name, ImageScanningConfiguration: &ecrtypes.ImageScanningConfiguration{}}
		if v := j.take("ImageScanningConfiguration"); v != nil {
			j.into(&in, "ImageScanningConfiguration", v)
		}
		if _, err := call[ecr.PutImageScanningConfigurationOutput](j, "ecr", "PutImageScanningConfiguration", &in); err != nil {
			return err
		}
	}
	if err := updatePolicies(j, name); err != nil {
		return err
	}
	arn := aws.String(j.resource.Attributes["Arn"])
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) ecrtypes.Tag { return ecrtypes.Tag{Key: k, Value: v} })
		_, err := call[ecr.TagResourceOutput](j, "ecr", "TagResource", &ecr.TagResourceInput{ResourceArn: arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[ecr.UntagResourceOutput](j, "ecr", "UntagResource", &ecr.UntagResourceInput{ResourceArn: arn, TagKeys: gone})
		return err
	})
}

func updatePolicies(j *job, name string) error {
	policy, lifecycle := j.take("RepositoryPolicyText"), j.object("LifecyclePolicy")
	switch {
	case !j.changed("RepositoryPolicyText"):
	case policy != nil:
		if err := setRepositoryPolicy(j, name, policy); err != nil {
			return err
		}
	default:
		_, err := call[ecr.DeleteRepositoryPolicyOutput](j, "ecr", "DeleteRepositoryPolicy", &ecr.DeleteRepositoryPolicyInput{RepositoryName: &name})
		if _, none := errors.AsType[*ecrtypes.RepositoryPolicyNotFoundException](err); err != nil && !none {
			return err
		}
	}
	switch {
	case !j.changed("LifecyclePolicy"):
	case lifecycle != nil:
		return putRepositoryLifecycle(j, name, lifecycle)
	default:
		_, err := call[ecr.DeleteLifecyclePolicyOutput](j, "ecr", "DeleteLifecyclePolicy", &ecr.DeleteLifecyclePolicyInput{RepositoryName: &name})
		return err
	}
	return nil
}
