package resource

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// The limits of names (IAM user guide, "IAM and AWS STS quotas").
const (
	longestRole   = 64
	longestPolicy = 128
)

// iamKinds returns roles and policies. A policy cannot be for users or groups
// here.
func iamKinds() map[string]kind {
	return map[string]kind{
		"AWS::IAM::Role": {
			properties: "AssumeRolePolicyDocument! Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary " +
				"Policies RoleName Tags",
			replace:    "Path RoleName PermissionsBoundary Tags",
			attributes: "Arn RoleId",
			create:     createRole,
			update:     updateRole,
			remove:     removeRole,
		},
		"AWS::IAM::Policy": {
			properties: "PolicyDocument! PolicyName! Roles!",
			replace:    "PolicyName",
			attributes: "Id",
			create:     createPolicy,
			update:     updatePolicy,
			remove: func(j *job) error {
				return j.dropPolicies(j.texts("Roles"), j.text("PolicyName"))
			},
		},
		"AWS::IAM::ManagedPolicy": {
			properties: "Description ManagedPolicyName Path PolicyDocument! Roles",
			attributes: "PolicyArn",
			create:     createManagedPolicy,
			remove: func(j *job) error {
				arn := j.resource.PhysicalID
				if err := j.detach(j.texts("Roles"), []string{arn}); err != nil {
					return err
				}
				_, err := call[iam.DeletePolicyOutput](j, "iam", "DeletePolicy", &iam.DeletePolicyInput{PolicyArn: &arn})
				return absent(err)
			},
		},
	}
}

// absent is no error if something to be removed is not there.
func absent(err error) error {
	if _, gone := errors.AsType[*iamtypes.NoSuchEntityException](err); gone {
		return nil
	}
	return err
}

// inline is a policy within a role.
type inline struct{ name, document string }

func createRole(j *job) error {
	in := &iam.CreateRoleInput{
		RoleName: aws.String(j.name("RoleName", longestRole, "")), Path: path(j),
		AssumeRolePolicyDocument: j.policy(j.take("AssumeRolePolicyDocument"), "AssumeRolePolicyDocument"),
	}
	managed, policies := j.texts("ManagedPolicyArns"), j.inline()
	delete(j.left, "RoleName")
	delete(j.left, "Path")
	j.fill(in)
	out, err := call[iam.CreateRoleOutput](j, "iam", "CreateRole", in)
	if err != nil || j.dry {
		return err
	}
	j.made(*in.RoleName, "Arn", aws.ToString(out.Role.Arn), "RoleId", aws.ToString(out.Role.RoleId))
	if err := j.attach([]string{*in.RoleName}, managed); err != nil {
		return err
	}
	for _, p := range policies {
		if err := j.putPolicies([]string{*in.RoleName}, p); err != nil {
			return err
		}
	}
	return nil
}

// inline hands out the policies within a role.
func (j *job) inline() []inline {
	var all []inline
	for i, v := range j.list("Policies") {
		at := fmt.Sprintf("Policies[%d]", i)
		one, _ := v.(map[string]any)
		name, ok := template.Text(one["PolicyName"])
		if len(one) != 2 || !ok && !isUnknown(one["PolicyName"]) {
			j.report(at, "must have PolicyName and PolicyDocument and nothing else")
			continue
		}
		all = append(all, inline{name, aws.ToString(j.policy(one["PolicyDocument"], at))})
	}
	return all
}

func updateRole(j *job) error {
	role := j.resource.PhysicalID
	trust := j.policy(j.take("AssumeRolePolicyDocument"), "AssumeRolePolicyDocument")
	managed, policies := j.texts("ManagedPolicyArns"), j.inline()
	before := j.before()
	oldManaged, oldPolicies := before.texts("ManagedPolicyArns"), before.inline()
	_, err := call[iam.UpdateAssumeRolePolicyOutput](j, "iam", "UpdateAssumeRolePolicy", &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: trust})
	if err != nil {
		return err
	}
	in := &iam.UpdateRoleInput{RoleName: &role}
	for _, name := range []string{"RoleName", "Path", "PermissionsBoundary", "Tags"} { // a change of these makes another role
		delete(j.left, name)
	}
	j.fill(in)
	if _, err := call[iam.UpdateRoleOutput](j, "iam", "UpdateRole", in); err != nil {
		return err
	}
	if err := j.attach([]string{role}, managed); err != nil {
		return err
	}
	if err := j.detach([]string{role}, without(oldManaged, managed)); err != nil {
		return err
	}
	var kept []string
	for _, p := range policies {
		kept = append(kept, p.name)
		if err := j.putPolicies([]string{role}, p); err != nil {
			return err
		}
	}
	for _, p := range oldPolicies {
		if slices.Contains(kept, p.name) {
			continue
		}
		if err := j.dropPolicies([]string{role}, p.name); err != nil {
			return err
		}
	}
	j.made(role, "Arn", j.old.Attributes["Arn"], "RoleId", j.old.Attributes["RoleId"])
	return nil
}

// before is a look at the properties that the resource had.
func (j *job) before() *job {
	old := *j
	old.properties, old.left, old.problems = j.old.Properties, map[string]any{}, nil
	for name, v := range j.old.Properties {
		old.left[name] = v
	}
	return &old
}

// without returns what is in all and not in others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(v string) bool { return slices.Contains(others, v) })
}

func removeRole(j *job) error {
	role := []string{j.resource.PhysicalID}
	if err := j.detach(role, j.texts("ManagedPolicyArns")); err != nil {
		return err
	}
	for _, p := range j.inline() {
		if err := j.dropPolicies(role, p.name); err != nil {
			return err
		}
	}
	_, err := call[iam.DeleteRoleOutput](j, "iam", "DeleteRole", &iam.DeleteRoleInput{RoleName: &role[0]})
	return absent(err)
}

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
	for i := range roles {
		for k := range policies {
			_, err := call[iam.AttachRolePolicyOutput](j, "iam", "AttachRolePolicy", &iam.AttachRolePolicyInput{RoleName: &roles[i], PolicyArn: &policies[k]})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *job) detach(roles, policies []string) error {
	for i := range roles {
		for k := range policies {
			_, err := call[iam.DetachRolePolicyOutput](j, "iam", "DetachRolePolicy", &iam.DetachRolePolicyInput{RoleName: &roles[i], PolicyArn: &policies[k]})
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
