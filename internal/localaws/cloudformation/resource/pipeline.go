package resource

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// longestPipeline is the limit of a pipeline's name (CodePipeline API reference,
// PipelineDeclaration).
const longestPipeline = 100

// pipelineKinds returns pipelines.
func pipelineKinds() map[string]kind {
	return map[string]kind{
		"AWS::CodePipeline::Pipeline": {
			properties: "ArtifactStore ExecutionMode Name PipelineType RoleArn! Stages! Tags Triggers Variables",
			attributes: "Version",
			replace:    "Name",
			create: func(j *job) error {
				name := j.name("Name", longestPipeline, "")
				in := codepipeline.CreatePipelineInput{}
				if tags := j.take("Tags"); tags != nil {
					j.into(&in, "Tags", tags)
				}
				in.Pipeline = declaration(j)
				out, err := call[codepipeline.CreatePipelineOutput](j, "codepipeline", "CreatePipeline", &in)
				if err != nil || j.dry {
					return err
				}
				j.made(name, "Version", strconv.Itoa(int(aws.ToInt32(out.Pipeline.Version))))
				return nil
			},
			update: updatePipeline,
			remove: func(j *job) error {
				_, err := call[codepipeline.DeletePipelineOutput](j, "codepipeline", "DeletePipeline", &codepipeline.DeletePipelineInput{Name: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

// declaration reads a pipeline: the names are those of the API, one level up.
func declaration(j *job) *cptypes.PipelineDeclaration {
	d := &cptypes.PipelineDeclaration{}
	j.fill(d)
	return d
}

func updatePipeline(j *job) error {
	set, gone := j.retag()
	j.left["Name"] = j.resource.PhysicalID
	out, err := call[codepipeline.UpdatePipelineOutput](j, "codepipeline", "UpdatePipeline", &codepipeline.UpdatePipelineInput{Pipeline: declaration(j)})
	if err != nil {
		return err
	}
	if out.Pipeline != nil {
		j.resource.Attributes["Version"] = strconv.Itoa(int(aws.ToInt32(out.Pipeline.Version)))
	}
	arn := j.env.arn("codepipeline", j.resource.PhysicalID)
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) cptypes.Tag { return cptypes.Tag{Key: k, Value: v} })
		_, err := call[codepipeline.TagResourceOutput](j, "codepipeline", "TagResource", &codepipeline.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[codepipeline.UntagResourceOutput](j, "codepipeline", "UntagResource", &codepipeline.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
		return err
	})
}
