package resource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// The limits of names (IAM user guide, "IAM and AWS STS quotas").
const (
	longestRole   = 64
	longestPolicy = 128
)

// iamKinds returns roles and policies. Users and groups are not recorded, so a
// policy cannot be for them.
func iamKinds() map[string]kind {
	return map[string]kind{
		"AWS::IAM::Role": {
			properties: "AssumeRolePolicyDocument! Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary " +
				"Policies RoleName Tags",
			attributes: "Arn RoleId",
			create:     createRole,
			remove: func(j *job) error {
				delete(j.env.roles.roles, j.resource.PhysicalID)
				return nil
			},
		},
		"AWS::IAM::Policy": {
			properties: "PolicyDocument! PolicyName! Roles!",
			attributes: "Id",
			create:     createPolicy,
			remove: func(j *job) error {
				for _, name := range j.texts("Roles") {
					if role, ok := j.env.roles.roles[name]; ok {
						role.Policies = slices.DeleteFunc(role.Policies, func(p Policy) bool { return p.Name == j.text("PolicyName") })
					}
				}
				return nil
			},
		},
		"AWS::IAM::ManagedPolicy": {
			properties: "Description ManagedPolicyName Path PolicyDocument! Roles",
			attributes: "PolicyArn",
			create:     createManagedPolicy,
			remove: func(j *job) error {
				arn := j.resource.PhysicalID
				delete(j.env.roles.policies, arn)
				for _, name := range j.texts("Roles") {
					if role, ok := j.env.roles.roles[name]; ok {
						role.Managed = slices.DeleteFunc(role.Managed, func(one string) bool { return one == arn })
					}
				}
				return nil
			},
		},
	}
}

func createRole(j *job) error {
	role := Role{
		Name:     j.name("RoleName", longestRole, ""),
		Path:     path(j),
		Trust:    j.policy(j.take("AssumeRolePolicyDocument"), "AssumeRolePolicyDocument"),
		Managed:  j.texts("ManagedPolicyArns"),
		Boundary: j.text("PermissionsBoundary"),
	}
	role.ARN = j.env.iamARN("role" + role.Path + role.Name)
	session := j.setting("MaxSessionDuration")
	role.MaxSession = time.Duration(session.MaxSessionDuration) * time.Second
	if session.MaxSessionDuration == 0 {
		role.MaxSession = defaultSession
	}
	role.Tags = j.setting("Tags").Tags
	for i, v := range j.list("Policies") {
		at := fmt.Sprintf("Policies[%d]", i)
		one, _ := v.(map[string]any)
		name, ok := template.Text(one["PolicyName"])
		if len(one) != 2 || !ok && !isUnknown(one["PolicyName"]) {
			j.report(at, "must have PolicyName and PolicyDocument and nothing else")
			continue
		}
		role.Policies = append(role.Policies, Policy{Name: name, Document: j.policy(one["PolicyDocument"], at)})
	}
	if j.dry || len(j.problems) > 0 {
		return j.problems.Err()
	}
	// Like a real id: AROA and 17 more letters (IAM user guide, "IAM
	// identifiers").
	role.ID = "AROA" + random(j.env.world) + random(j.env.world)[:4]
	if err := j.env.roles.add(role); err != nil {
		return err
	}
	j.made(role.Name, "Arn", role.ARN, "RoleId", role.ID)
	return nil
}

func createPolicy(j *job) error {
	p := Policy{Name: j.text("PolicyName"), Document: j.policy(j.take("PolicyDocument"), "PolicyDocument")}
	names := j.texts("Roles")
	if j.dry || len(j.problems) > 0 {
		return j.problems.Err()
	}
	err := j.env.roles.each(names, func(r *Role) { r.Policies = append(r.Policies, p) })
	if err != nil {
		return err
	}
	j.made(p.Name, "Id", p.Name)
	return nil
}

func createManagedPolicy(j *job) error {
	p := Policy{Name: j.name("ManagedPolicyName", longestPolicy, "")}
	p.ARN = j.env.iamARN("policy" + path(j) + p.Name)
	p.Document = j.policy(j.take("PolicyDocument"), "PolicyDocument")
	names := j.texts("Roles")
	if j.dry || len(j.problems) > 0 {
		return j.problems.Err()
	}
	if _, taken := j.env.roles.policies[p.ARN]; taken {
		return fmt.Errorf("a policy called %s already exists", p.Name)
	}
	if err := j.env.roles.each(names, func(r *Role) { r.Managed = append(r.Managed, p.ARN) }); err != nil {
		return err
	}
	j.env.roles.policies[p.ARN] = &p
	j.made(p.ARN, "PolicyArn", p.ARN)
	return nil
}

// defaultSession is the MaxSessionDuration of a role that has none (IAM API
// reference, CreateRole).
const defaultSession = time.Hour

// settings are the properties of a role that have a form of their own.
type settings struct {
	MaxSessionDuration int32
	Tags               map[string]string
}

// setting hands out one of them.
func (j *job) setting(name string) settings {
	var s settings
	if v := j.take(name); v != nil {
		j.into(&s, name, v)
	}
	return s
}

// path returns the path of a role or policy: "/" unless one is given.
func path(j *job) string {
	p := j.text("Path")
	if p == "" {
		return "/"
	}
	if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") {
		j.report("Path", "must begin and end with a slash")
	}
	return p
}

// policy checks the form of a policy document and returns its text.
func (j *job) policy(v any, at string) json.RawMessage {
	if isUnknown(v) {
		return nil
	}
	object, ok := v.(map[string]any)
	if _, has := object["Statement"]; !ok || !has {
		j.report(at, "must be a policy document with a Statement")
		return nil
	}
	return json.RawMessage(document(object))
}

// iamARN spells the name of something of IAM, which has no region.
func (p *Provider) iamARN(resource string) string {
	return "arn:" + Partition(p.world.Region) + ":iam::" + p.world.Account + ":" + resource
}
