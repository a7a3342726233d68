package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) putRolePolicy(_ *wire.Call, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	return withRole[iam.PutRolePolicyOutput](s, in.RoleName, func(r *role) error {
		return s.put(&r.holder, in.PolicyName, in.PolicyDocument, inlineRoleBytes)
	})
}

func (s *Service) getRolePolicy(_ *wire.Call, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	text, err := r.get(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: text}, nil
}

func (s *Service) listRolePolicies(_ *wire.Call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(r.names(), in.Marker, in.MaxItems, func(n string) string { return n })
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: append([]string{}, part...), IsTruncated: truncated, Marker: next}, nil
}

func (s *Service) deleteRolePolicy(_ *wire.Call, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return withRole[iam.DeleteRolePolicyOutput](s, in.RoleName, func(r *role) error { return r.drop(in.PolicyName) })
}

func (s *Service) attachRolePolicy(_ *wire.Call, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	return withRole[iam.AttachRolePolicyOutput](s, in.RoleName, func(r *role) error { return s.attach(&r.holder, in.PolicyArn) })
}

func (s *Service) detachRolePolicy(_ *wire.Call, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return withRole[iam.DetachRolePolicyOutput](s, in.RoleName, func(r *role) error { return r.detach(in.PolicyArn) })
}

func (s *Service) listAttachedRolePolicies(_ *wire.Call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(r.listed(in.PathPrefix), in.Marker, in.MaxItems, func(p iamtypes.AttachedPolicy) string { return aws.ToString(p.PolicyName) })
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: append([]iamtypes.AttachedPolicy{}, part...), IsTruncated: truncated, Marker: next}, nil
}
