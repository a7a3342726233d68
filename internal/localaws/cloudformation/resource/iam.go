package resource

import (
	"errors"
	"fmt"
	"maps"
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
			replace:    "Path RoleName",
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
			replace:    "Description ManagedPolicyName Path",
			attributes: "PolicyArn",
			create:     createManagedPolicy,
			update:     updateManagedPolicy,
			remove: func(j *job) error {
				arn := j.resource.PhysicalID
				if err := j.detach(j.texts("Roles"), []string{arn}); err != nil {
					return err
				}
				if err := dropVersions(j, arn); err != nil {
					return absent(err)
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
	if err := updateRoleBeside(j, role); err != nil {
		return err
	}
	in := &iam.UpdateRoleInput{RoleName: &role}
	j.without("RoleName", "Path") // a change of these makes another role
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

// updateRoleBeside changes what has calls of its own.
func updateRoleBeside(j *job, role string) error {
	boundary := j.text("PermissionsBoundary")
	j.without("PermissionsBoundary")
	var err error
	switch {
	case !j.changed("PermissionsBoundary"):
	case boundary == "":
		_, err = call[iam.DeleteRolePermissionsBoundaryOutput](j, "iam", "DeleteRolePermissionsBoundary", &iam.DeleteRolePermissionsBoundaryInput{RoleName: &role})
	default:
		_, err = call[iam.PutRolePermissionsBoundaryOutput](j, "iam", "PutRolePermissionsBoundary",
			&iam.PutRolePermissionsBoundaryInput{RoleName: &role, PermissionsBoundary: &boundary})
	}
	if err != nil {
		return err
	}
	set, gone := j.retag()
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) iamtypes.Tag { return iamtypes.Tag{Key: k, Value: v} })
		_, err := call[iam.TagRoleOutput](j, "iam", "TagRole", &iam.TagRoleInput{RoleName: &role, Tags: tags})
		return err
	}, func() error {
		_, err := call[iam.UntagRoleOutput](j, "iam", "UntagRole", &iam.UntagRoleInput{RoleName: &role, TagKeys: gone})
		return err
	})
}

// before is a look at the properties that the resource had.
func (j *job) before() *job {
	old := *j
	old.properties, old.left, old.problems = j.old.Properties, maps.Clone(j.old.Properties), nil
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
