package iam

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// longestProfile is the length of an instance profile's name (IAM API reference,
// CreateInstanceProfile).
const longestProfile = 128

// profile is an instance profile: what gives a role to EC2 instances. It has one
// role at most ("IAM and AWS STS quotas").
type profile struct {
	name, path, arn, id string
	role                string // its name; empty if it has none
	created             time.Time
}

func (s *Service) profileOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AddRoleToInstanceProfile", s.addRoleToInstanceProfile),
		wire.Op("CreateInstanceProfile", s.createInstanceProfile),
		wire.Op("DeleteInstanceProfile", s.deleteInstanceProfile),
		wire.Op("GetInstanceProfile", s.getInstanceProfile),
		wire.Op("RemoveRoleFromInstanceProfile", s.removeRoleFromInstanceProfile),
	}
}

func (s *Service) profile(name *string) (*profile, error) {
	for _, p := range s.profiles {
		if p.name == aws.ToString(name) {
			return p, nil
		}
	}
	return nil, noSuch("Instance Profile %s cannot be found.", aws.ToString(name))
}

// shownProfile is an instance profile as answers show it.
func (s *Service) shownProfile(p *profile) *iamtypes.InstanceProfile {
	out := &iamtypes.InstanceProfile{
		InstanceProfileName: aws.String(p.name), InstanceProfileId: aws.String(p.id), Path: aws.String(p.path), Arn: aws.String(p.arn),
		CreateDate: aws.Time(p.created), Roles: []iamtypes.Role{},
	}
	if r, ok := s.roles[p.role]; ok {
		out.Roles = append(out.Roles, *r.shown())
	}
	return out
}

func (s *Service) createInstanceProfile(_ *wire.Call, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	if err := wire.Only(in, "InstanceProfileName", "Path"); err != nil {
		return nil, err
	}
	n, err := name("instanceProfileName", in.InstanceProfileName, longestProfile)
	if err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	if _, err := s.profile(&n); err == nil {
		return nil, exists("Instance Profile %s already exists.", n)
	}
	p := &profile{name: n, path: path, arn: s.arn("instance-profile", path, n), id: s.id("AIPA"), created: *s.now()}
	s.profiles = append(s.profiles, p)
	return &iam.CreateInstanceProfileOutput{InstanceProfile: s.shownProfile(p)}, nil
}

func (s *Service) getInstanceProfile(_ *wire.Call, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	p, err := s.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: s.shownProfile(p)}, nil
}

func (s *Service) addRoleToInstanceProfile(_ *wire.Call, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	p, err := s.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	r, err := s.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if p.role != "" {
		return nil, limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	p.role = r.name
	return &iam.AddRoleToInstanceProfileOutput{}, nil
}

func (s *Service) removeRoleFromInstanceProfile(_ *wire.Call, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	p, err := s.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.role == "" || p.role != aws.ToString(in.RoleName) {
		return nil, noSuch("Role with name %s is not in instance profile %s.", aws.ToString(in.RoleName), p.name)
	}
	p.role = ""
	return &iam.RemoveRoleFromInstanceProfileOutput{}, nil
}

func (s *Service) deleteInstanceProfile(_ *wire.Call, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	p, err := s.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.role != "" {
		return nil, deleteConflict("remove roles from instance profile")
	}
	s.profiles = slices.DeleteFunc(s.profiles, func(o *profile) bool { return o == p })
	return &iam.DeleteInstanceProfileOutput{}, nil
}
