package ecr

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) putScanning(_ *wire.Call, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	r.scanOnPush = in.ImageScanningConfiguration != nil && in.ImageScanningConfiguration.ScanOnPush
	return &ecr.PutImageScanningConfigurationOutput{
		ImageScanningConfiguration: &ecrtypes.ImageScanningConfiguration{ScanOnPush: r.scanOnPush},
		RegistryId:                 &s.world.Account, RepositoryName: &r.name,
	}, nil
}

func (s *Service) putMutability(_ *wire.Call, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	if err := wire.Only(in, "RepositoryName", "RegistryId", "ImageTagMutability"); err != nil {
		return nil, err
	}
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := checkMutability(in.ImageTagMutability); err != nil {
		return nil, err
	}
	r.mutability = in.ImageTagMutability
	return &ecr.PutImageTagMutabilityOutput{ImageTagMutability: r.mutability, RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) putLifecycle(_ *wire.Call, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	var policy struct {
		Rules []struct {
			Selection *struct{} `json:"selection"`
			Action    *struct{} `json:"action"`
		} `json:"rules"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(in.LifecyclePolicyText)), &policy); err != nil || len(policy.Rules) == 0 {
		return nil, invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure'")
	}
	for _, rule := range policy.Rules {
		if rule.Selection == nil || rule.Action == nil {
			return nil, invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure'")
		}
	}
	r.lifecycle = *in.LifecyclePolicyText
	return &ecr.PutLifecyclePolicyOutput{LifecyclePolicyText: &r.lifecycle, RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) getLifecycle(_ *wire.Call, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	r, err := s.withLifecycle(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	return &ecr.GetLifecyclePolicyOutput{LifecyclePolicyText: aws.String(r.lifecycle), RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) deleteLifecycle(_ *wire.Call, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	r, err := s.withLifecycle(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	text := r.lifecycle
	r.lifecycle = ""
	return &ecr.DeleteLifecyclePolicyOutput{LifecyclePolicyText: &text, RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) withLifecycle(name, registry *string) (*repository, error) {
	r, err := s.find(name, registry)
	if err == nil && r.lifecycle == "" {
		err = &ecrtypes.LifecyclePolicyNotFoundException{Message: aws.String("Lifecycle policy does not exist for the repository with name '" +
			r.name + "' in the registry with id '" + s.world.Account + "'")}
	}
	return r, err
}

func (s *Service) setPolicy(_ *wire.Call, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	if err := wire.Only(in, "RepositoryName", "RegistryId", "PolicyText"); err != nil {
		return nil, err
	}
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	var policy struct {
		Statement any `json:"Statement"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(in.PolicyText)), &policy); err != nil || policy.Statement == nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	r.policy = *in.PolicyText
	return &ecr.SetRepositoryPolicyOutput{PolicyText: &r.policy, RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) getPolicy(_ *wire.Call, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	r, err := s.withPolicy(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	return &ecr.GetRepositoryPolicyOutput{PolicyText: aws.String(r.policy), RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) deletePolicy(_ *wire.Call, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	r, err := s.withPolicy(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	text := r.policy
	r.policy = ""
	return &ecr.DeleteRepositoryPolicyOutput{PolicyText: &text, RegistryId: &s.world.Account, RepositoryName: &r.name}, nil
}

func (s *Service) withPolicy(name, registry *string) (*repository, error) {
	r, err := s.find(name, registry)
	if err == nil && r.policy == "" {
		err = &ecrtypes.RepositoryPolicyNotFoundException{Message: aws.String("Repository policy does not exist for the repository with name '" +
			r.name + "' in the registry with id '" + s.world.Account + "'")}
	}
	return r, err
}
