package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// longestParameter is the limit of a parameter's name (Systems Manager API
// reference, PutParameter).
const longestParameter = 1011

// ssmKinds returns parameters.
func ssmKinds() map[string]kind {
	return map[string]kind{
		"AWS::SSM::Parameter": {
			properties: "AllowedPattern DataType Description Name Policies Tags Tier Type! Value!",
			attributes: "Type Value",
			create:     createParameter,
			remove: func(j *job) error {
				_, err := call[ssm.DeleteParameterOutput](j, "ssm", "DeleteParameter",
					&ssm.DeleteParameterInput{Name: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

func createParameter(j *job) error {
	name := j.name("Name", longestParameter, "")
	// The one type whose tags CloudFormation writes as an object.
	tags := j.object("Tags")
	var in ssm.PutParameterInput
	for _, key := range keys(tags) {
		var tag ssmtypes.Tag
		m := mapper{rename: map[string]string{key: "Value"}, report: func(path, reason string) { j.report("Tags."+path, reason) }}
		m.fill(&tag, map[string]any{key: tags[key]})
		tag.Key = aws.String(key)
		in.Tags = append(in.Tags, tag)
	}
	j.fill(&in)
	if _, err := call[ssm.PutParameterOutput](j, "ssm", "PutParameter", &in); err != nil {
		return err
	}
	j.made(name, "Type", string(in.Type), "Value", aws.ToString(in.Value))
	return nil
}
