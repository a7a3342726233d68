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
			replace:    "Name",
			create:     createParameter,
			update:     updateParameter,
			remove: func(j *job) error {
				_, err := call[ssm.DeleteParameterOutput](j, "ssm", "DeleteParameter",
					&ssm.DeleteParameterInput{Name: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

// updateParameter writes the parameter again. Its tags stay as they are.
func updateParameter(j *job) error {
	if j.changed("Tags") {
		j.report("Tags", "cannot be changed here")
		return j.problems.Err()
	}
	j.without("Tags")
	j.lacking(map[string]any{"Description": "", "AllowedPattern": "", "Tags": nil, "DataType": "text", "Tier": "Standard"})
	j.without("Tags")
	j.left["Name"] = j.resource.PhysicalID
	in := ssm.PutParameterInput{Overwrite: aws.Bool(true)}
	j.fill(&in)
	if _, err := call[ssm.PutParameterOutput](j, "ssm", "PutParameter", &in); err != nil {
		return err
	}
	j.made(j.resource.PhysicalID, "Type", string(in.Type), "Value", aws.ToString(in.Value))
	return nil
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
