package iam

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// role is a role.
type role struct {
	holder
	trust       string
	description *string
	maxSession  int32
	created     time.Time
}

const (
	defaultSession = 3600
	longestSession = 43200
)

func (s *Service) roleOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateRole", s.createRole),
		wire.Op("GetRole", s.getRole),
		wire.Op("ListRoles", s.listRoles),
		wire.Op("UpdateRole", s.updateRole),
		wire.Op("DeleteRole", s.deleteRole),
		wire.Op("UpdateAssumeRolePolicy", s.updateAssumeRolePolicy),
		wire.Op("PutRolePermissionsBoundary", s.putRolePermissionsBoundary),
		wire.Op("DeleteRolePermissionsBoundary", s.deleteRolePermissionsBoundary),
		wire.Op("TagRole", s.tagRole),
		wire.Op("UntagRole", s.untagRole),
		wire.Op("ListRoleTags", s.listRoleTags),
		wire.Op("PutRolePolicy", s.putRolePolicy),
		wire.Op("GetRolePolicy", s.getRolePolicy),
		wire.Op("ListRolePolicies", s.listRolePolicies),
		wire.Op("DeleteRolePolicy", s.deleteRolePolicy),
		wire.Op("AttachRolePolicy", s.attachRolePolicy),
		wire.Op("DetachRolePolicy", s.detachRolePolicy),
		wire.Op("ListAttachedRolePolicies", s.listAttachedRolePolicies),
	}
}

func (s *Service) role(name *string) (*role, error) {
	if r, ok := s.roles[aws.ToString(name)]; ok {
		return r, nil
	}
	return nil, noSuch("The role with name %s cannot be found.", aws.ToString(name))
}

// withRole finds a role, lets do change it and answers with nothing.
func withRole[O any](s *Service, name *string, do func(r *role) error) (*O, error) {
	r, err := s.role(name)
	if err == nil {
		err = do(r)
	}
	if err != nil {
		return nil, err
	}
	return new(O), nil
}

func (s *Service) createRole(_ *wire.Call, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	n, err := name("roleName", in.RoleName, longestRole)
	if err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	for _, taken := range slices.Sorted(maps.Keys(s.roles)) {
		if strings.EqualFold(taken, n) {
			return nil, exists("Role with name %s already exists.", n)
		}
	}
	r := &role{
		holder:      holder{kind: "role", name: n, path: path, arn: s.arn("role", path, n)},
		description: in.Description, maxSession: defaultSession, created: *s.now(),
	}
	if err := s.setTrust(r, in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if err := r.setSession(in.MaxSessionDuration); err != nil {
		return nil, err
	}
	if err := s.bound(&r.holder, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	if err := r.tag(in.Tags); err != nil {
		return nil, err
	}
	r.id = s.id("AROA")
	s.roles[n] = r
	return &iam.CreateRoleOutput{Role: r.shown()}, nil
}

func (s *Service) setTrust(r *role, document *string) error {
	if err := s.check(document, policy.Trust); err != nil {
		return err
	}
	if weight(*document) > trustBytes {
		return limit("Cannot exceed quota for ACLSizePerRole: %d", trustBytes)
	}
	r.trust = *document
	return nil
}

func (r *role) setSession(seconds *int32) error {
	if seconds == nil {
		return nil
	}
	if *seconds < defaultSession || *seconds > longestSession {
		return invalid("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: "+
			"Member must have value between %d and %d", *seconds, defaultSession, longestSession)
	}
	r.maxSession = *seconds
	return nil
}

// shown is a role as answers show it.
func (r *role) shown() *iamtypes.Role {
	return &iamtypes.Role{
		RoleName: aws.String(r.name), RoleId: aws.String(r.id), Arn: aws.String(r.arn), Path: aws.String(r.path), CreateDate: aws.Time(r.created),
		AssumeRolePolicyDocument: travelling(r.trust), Description: r.description, MaxSessionDuration: aws.Int32(r.maxSession),
		PermissionsBoundary: r.boundaryShown(), Tags: slices.Clone(r.tags),
	}
}

func (s *Service) getRole(_ *wire.Call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: r.shown()}, nil
}

func (s *Service) listRoles(_ *wire.Call, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	var all []*role
	for _, n := range slices.Sorted(maps.Keys(s.roles)) {
		if strings.HasPrefix(s.roles[n].path, aws.ToString(in.PathPrefix)) {
			all = append(all, s.roles[n])
		}
	}
	part, truncated, next, err := page(all, in.Marker, in.MaxItems, func(r *role) string { return r.name })
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{IsTruncated: truncated, Marker: next, Roles: []iamtypes.Role{}}
	for _, r := range part {
		shown := r.shown()
		shown.Tags, shown.PermissionsBoundary = nil, nil // IAM API reference, ListRoles: left out
		out.Roles = append(out.Roles, *shown)
	}
	return out, nil
}

func (s *Service) updateRole(_ *wire.Call, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	return withRole[iam.UpdateRoleOutput](s, in.RoleName, func(r *role) error {
		if in.Description != nil {
			r.description = in.Description
		}
		return r.setSession(in.MaxSessionDuration)
	})
}

func (s *Service) deleteRole(_ *wire.Call, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	return withRole[iam.DeleteRoleOutput](s, in.RoleName, func(r *role) error {
		if err := r.empty(); err != nil {
			return err
		}
		if slices.ContainsFunc(s.profiles, func(p *profile) bool { return p.role == r.name }) {
			return deleteConflict("remove roles from instance profile")
		}
		delete(s.roles, r.name)
		return nil
	})
}

func (s *Service) updateAssumeRolePolicy(_ *wire.Call, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	return withRole[iam.UpdateAssumeRolePolicyOutput](s, in.RoleName, func(r *role) error { return s.setTrust(r, in.PolicyDocument) })
}

func (s *Service) putRolePermissionsBoundary(_ *wire.Call, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return withRole[iam.PutRolePermissionsBoundaryOutput](s, in.RoleName, func(r *role) error { return s.bound(&r.holder, in.PermissionsBoundary) })
}

func (s *Service) deleteRolePermissionsBoundary(_ *wire.Call, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return withRole[iam.DeleteRolePermissionsBoundaryOutput](s, in.RoleName, func(r *role) error { r.boundary = ""; return nil })
}

func (s *Service) tagRole(_ *wire.Call, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return withRole[iam.TagRoleOutput](s, in.RoleName, func(r *role) error { return r.tag(in.Tags) })
}

func (s *Service) untagRole(_ *wire.Call, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return withRole[iam.UntagRoleOutput](s, in.RoleName, func(r *role) error {
		r.tags = slices.DeleteFunc(r.tags, func(t iamtypes.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return nil
	})
}

func (s *Service) listRoleTags(_ *wire.Call, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(r.tags, in.Marker, in.MaxItems, func(t iamtypes.Tag) string { return *t.Key })
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: append([]iamtypes.Tag{}, part...), IsTruncated: truncated, Marker: next}, nil
}
