package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// longestProfile is the limit of an instance profile's name (IAM user guide, "IAM and
// AWS STS quotas").
const longestProfile = 128

// profileKinds returns instance profiles. One is never changed in place here: another
// role makes another profile, although AWS would change it.
func profileKinds() map[string]kind {
	return map[string]kind{
		"AWS::IAM::InstanceProfile": {
			properties: "InstanceProfileName Path Roles!",
			attributes: "Arn",
			create:     createProfile,
			remove:     removeProfile,
		},
	}
}

func createProfile(j *job) error {
	name := j.name("InstanceProfileName", longestProfile, "")
	roles := j.texts("Roles")
	j.without("Roles")
	if len(roles) != 1 {
		j.report("Roles", "must have one role")
	}
	var in iam.CreateInstanceProfileInput
	j.fill(&in)
	out, err := call[iam.CreateInstanceProfileOutput](j, "iam", "CreateInstanceProfile", &in)
	if err != nil || j.dry {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.InstanceProfile.Arn))
	_, err = call[iam.AddRoleToInstanceProfileOutput](j, "iam", "AddRoleToInstanceProfile", &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &roles[0]})
	return err
}

func removeProfile(j *job) error {
	name := &j.resource.PhysicalID
	for _, role := range j.texts("Roles") {
		_, err := call[iam.RemoveRoleFromInstanceProfileOutput](j, "iam", "RemoveRoleFromInstanceProfile", &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: &role})
		if absent(err) != nil {
			return err
		}
	}
	_, err := call[iam.DeleteInstanceProfileOutput](j, "iam", "DeleteInstanceProfile", &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
	return absent(err)
}
