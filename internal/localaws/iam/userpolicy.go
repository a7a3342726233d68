package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) putUserPolicy(_ *wire.Call, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	return withUser[iam.PutUserPolicyOutput](s, in.UserName, func(u *user) error {
		return s.put(&u.holder, in.PolicyName, in.PolicyDocument, inlineUserBytes)
	})
}

func (s *Service) getUserPolicy(_ *wire.Call, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	u, err := s.user(in.UserName)
	if err != nil {
		return nil, err
	}
	text, err := u.get(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: text}, nil
}

func (s *Service) listUserPolicies(_ *wire.Call, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	u, err := s.user(in.UserName)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(u.names(), in.Marker, in.MaxItems, func(n string) string { return n })
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: append([]string{}, part...), IsTruncated: truncated, Marker: next}, nil
}

func (s *Service) deleteUserPolicy(_ *wire.Call, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	return withUser[iam.DeleteUserPolicyOutput](s, in.UserName, func(u *user) error { return u.drop(in.PolicyName) })
}

func (s *Service) attachUserPolicy(_ *wire.Call, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	return withUser[iam.AttachUserPolicyOutput](s, in.UserName, func(u *user) error { return s.attach(&u.holder, in.PolicyArn) })
}

func (s *Service) detachUserPolicy(_ *wire.Call, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	return withUser[iam.DetachUserPolicyOutput](s, in.UserName, func(u *user) error { return u.detach(in.PolicyArn) })
}

func (s *Service) listAttachedUserPolicies(_ *wire.Call, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	u, err := s.user(in.UserName)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(u.listed(in.PathPrefix), in.Marker, in.MaxItems, func(p iamtypes.AttachedPolicy) string { return aws.ToString(p.PolicyName) })
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: append([]iamtypes.AttachedPolicy{}, part...), IsTruncated: truncated, Marker: next}, nil
}
