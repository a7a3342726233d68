package iam

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) createPolicyVersion(_ *wire.Call, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if err := s.add(p, in.PolicyDocument); err != nil {
		return nil, err
	}
	v := p.versions[len(p.versions)-1]
	if in.SetAsDefault {
		p.active = v.id
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: shownVersion(v.id, p.active, v.created)}, nil
}

func shownVersion(id, active string, created time.Time) *iamtypes.PolicyVersion {
	return &iamtypes.PolicyVersion{VersionId: aws.String(id), IsDefaultVersion: id == active, CreateDate: aws.Time(created)}
}

func noVersion(arn, id *string) error {
	return noSuch("Policy %s version %s does not exist or is not attachable.", aws.ToString(arn), aws.ToString(id))
}

func (s *Service) getPolicyVersion(_ *wire.Call, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	arn, id := aws.ToString(in.PolicyArn), aws.ToString(in.VersionId)
	var out *iamtypes.PolicyVersion
	if m, ok := s.managed[arn]; ok && id == m.Version { // of AWS's policies only the version in force is known
		out = shownVersion(id, id, m.Created)
		out.Document = travelling(string(m.Document))
		return &iam.GetPolicyVersionOutput{PolicyVersion: out}, nil
	}
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v := p.version(id)
	if v == nil {
		return nil, noVersion(in.PolicyArn, in.VersionId)
	}
	out = shownVersion(id, p.active, v.created)
	out.Document = travelling(v.document)
	return &iam.GetPolicyVersionOutput{PolicyVersion: out}, nil
}

func (s *Service) listPolicyVersions(_ *wire.Call, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	if m, ok := s.managed[aws.ToString(in.PolicyArn)]; ok {
		return &iam.ListPolicyVersionsOutput{Versions: []iamtypes.PolicyVersion{*shownVersion(m.Version, m.Version, m.Created)}}, nil
	}
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &iam.ListPolicyVersionsOutput{} // there are five at most: one page
	for _, v := range slices.Backward(p.versions) {
		out.Versions = append(out.Versions, *shownVersion(v.id, p.active, v.created))
	}
	return out, nil
}

func (s *Service) setDefaultPolicyVersion(_ *wire.Call, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if p.version(aws.ToString(in.VersionId)) == nil {
		return nil, noVersion(in.PolicyArn, in.VersionId)
	}
	p.active, p.updated = *in.VersionId, *s.now()
	return &iam.SetDefaultPolicyVersionOutput{}, nil
}

func (s *Service) deletePolicyVersion(_ *wire.Call, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.VersionId)
	switch {
	case p.version(id) == nil:
		return nil, noVersion(in.PolicyArn, in.VersionId)
	case id == p.active:
		return nil, &iamtypes.DeleteConflictException{Message: aws.String("Cannot delete the default version of a policy.")}
	}
	p.versions = slices.DeleteFunc(p.versions, func(v version) bool { return v.id == id })
	return &iam.DeletePolicyVersionOutput{}, nil
}
