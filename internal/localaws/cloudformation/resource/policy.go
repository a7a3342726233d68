package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func createPolicy(j *job) error {
	_, err := j.embed()
	return err
}

// embed puts a policy into its roles, which it returns.
func (j *job) embed() ([]string, error) {
	name, document := j.text("PolicyName"), j.policy(j.take("PolicyDocument"), "PolicyDocument")
	roles := j.texts("Roles")
	if err := j.putPolicies(roles, inline{name, aws.ToString(document)}); err != nil {
		return nil, err
	}
	j.made(name, "Id", name)
	return roles, nil
}

func updatePolicy(j *job) error {
	roles, err := j.embed()
	if err != nil {
		return err
	}
	return j.dropPolicies(without(j.before().texts("Roles"), roles), j.resource.PhysicalID)
}

func createManagedPolicy(j *job) error {
	in := &iam.CreatePolicyInput{
		PolicyName: aws.String(j.name("ManagedPolicyName", longestPolicy, "")), Path: path(j),
		PolicyDocument: j.policy(j.take("PolicyDocument"), "PolicyDocument"),
	}
	roles := j.texts("Roles")
	delete(j.left, "ManagedPolicyName")
	delete(j.left, "Path")
	j.fill(in)
	out, err := call[iam.CreatePolicyOutput](j, "iam", "CreatePolicy", in)
	if err != nil || j.dry {
		return err
	}
	arn := aws.ToString(out.Policy.Arn)
	j.made(arn, "PolicyArn", arn)
	return j.attach(roles, []string{arn})
}

// updateManagedPolicy makes a new version of the policy the one in force; the
// others go, because there may be no more than five (IAM user guide, "Versioning
// IAM policies").
func updateManagedPolicy(j *job) error {
	arn := j.resource.PhysicalID
	roles, document := j.texts("Roles"), j.policy(j.take("PolicyDocument"), "PolicyDocument")
	if j.changed("PolicyDocument") {
		_, err := call[iam.CreatePolicyVersionOutput](j, "iam", "CreatePolicyVersion",
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: document, SetAsDefault: true})
		if err != nil {
			return err
		}
		if err := dropVersions(j, arn); err != nil {
			return err
		}
	}
	if err := j.attach(roles, []string{arn}); err != nil {
		return err
	}
	return j.detach(without(j.before().texts("Roles"), roles), []string{arn})
}

// dropVersions deletes the versions of a policy that are not in force.
func dropVersions(j *job, arn string) error {
	out, err := call[iam.ListPolicyVersionsOutput](j, "iam", "ListPolicyVersions", &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil {
		return err
	}
	for _, v := range out.Versions {
		if v.IsDefaultVersion {
			continue
		}
		_, err := call[iam.DeletePolicyVersionOutput](j, "iam", "DeletePolicyVersion", &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.VersionId})
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *job) putPolicies(roles []string, p inline) error {
	for i := range roles {
		_, err := call[iam.PutRolePolicyOutput](j, "iam", "PutRolePolicy",
			&iam.PutRolePolicyInput{RoleName: &roles[i], PolicyName: &p.name, PolicyDocument: &p.document})
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *job) dropPolicies(roles []string, name string) error {
	for i := range roles {
		_, err := call[iam.DeleteRolePolicyOutput](j, "iam", "DeleteRolePolicy", &iam.DeleteRolePolicyInput{RoleName: &roles[i], PolicyName: &name})
		if err := absent(err); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) attach(roles, policies []string) error {
	for _, role := range roles {
		for _, policy := range policies {
			_, err := call[iam.AttachRolePolicyOutput](j, "iam", "AttachRolePolicy", &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: &policy})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *job) detach(roles, policies []string) error {
	for _, role := range roles {
		for _, policy := range policies {
			_, err := call[iam.DetachRolePolicyOutput](j, "iam", "DetachRolePolicy", &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: &policy})
			if err := absent(err); err != nil {
				return err
			}
		}
	}
	return nil
}

// path returns the path of a role or policy; nil if none is given.
func path(j *job) *string {
	p := j.text("Path")
	if p == "" {
		return nil
	}
	if p[0] != '/' || p[len(p)-1] != '/' {
		j.report("Path", "must begin and end with a slash")
	}
	return &p
}

// policy checks the form of a policy document and returns its text.
func (j *job) policy(v any, at string) *string {
	if isUnknown(v) {
		return nil
	}
	object, ok := v.(map[string]any)
	if _, has := object["Statement"]; !ok || !has {
		j.report(at, "must be a policy document with a Statement")
		return nil
	}
	return aws.String(document(object))
}
