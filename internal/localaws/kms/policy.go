package kms

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// policyName is the only one that a key's policy can have (KMS API
	// reference, GetKeyPolicy).
	policyName = "default"
	maxPolicy  = 32 << 10
)

// defaultPolicy leaves a key to the account's identity-based policies (KMS
// developer guide, "Default key policy").
func (s *Service) defaultPolicy() string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, s.world.Account)
}

// managedPolicy is that of AWS's key for a service: everybody in the account
// may use it, but only through that service, and no service may by itself (KMS
// developer guide, "AWS managed keys"; the form: observed).
func (s *Service) managedPolicy(service string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"auto-%[1]s-1","Statement":[{"Sid":"Allow access through %[1]s for all principals in the account `+
		`that are authorized to use %[1]s","Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*",`+
		`"kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"%[2]s",`+
		`"kms:ViaService":"%[1]s.%[3]s.amazonaws.com"}}},{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::%[2]s:root"},"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`,
		service, s.world.Account, s.world.Region)
}

// checkPolicy reads a policy, and sees that who sets it may set it again (KMS
// API reference, PutKeyPolicy: "The key policy must allow the calling principal
// to make a subsequent PutKeyPolicy request").
func (s *Service) checkPolicy(by wire.Principal, k *key, text string, unsafe bool) error {
	malformed := func(text string) error {
		return &kmstypes.MalformedPolicyDocumentException{Message: &text}
	}
	if len(text) > maxPolicy {
		return &kmstypes.LimitExceededException{Message: aws.String("The key policy is too long.")}
	}
	d, err := policy.Parse(text, policy.Resource)
	if err != nil {
		return malformed(err.Error())
	}
	caller := policy.Caller{Account: s.world.Account, ARN: by.ARN, Role: roleOf(by.ARN)}
	whole, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, policy.Identity)
	if err != nil {
		return fmt.Errorf("read the policy of everything: %w", err) // our own constant
	}
	can := policy.Policies{Identity: []policy.Named{{Document: whole}}, Resource: []policy.Named{{Document: d}}, MustAllow: true}
	if !unsafe && !can.Decide(&policy.Request{Action: "kms:PutKeyPolicy", Resource: s.arn("key/" + k.id), Caller: caller}).Allowed {
		return malformed("The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

// roleOf is the role of a session's ARN, if its path is the usual one.
func roleOf(arn string) string {
	head, rest, ok := strings.Cut(arn, ":assumed-role/")
	if !ok {
		return arn
	}
	name, _, _ := strings.Cut(rest, "/")
	return strings.Replace(head, ":sts:", ":iam:", 1) + ":role/" + name
}

func (s *Service) getPolicy(_ *wire.Call, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	k, err := s.exact(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := named(in.PolicyName); err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &k.policy, PolicyName: aws.String(policyName)}, nil
}

func named(name *string) error {
	if name != nil && *name != policyName {
		return notFound("No such policy exists")
	}
	return nil
}

func (s *Service) putPolicy(c *wire.Call, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := named(in.PolicyName); err != nil {
		return nil, err
	}
	if err := s.checkPolicy(c.Principal, k, aws.ToString(in.Policy), in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	k.policy = *in.Policy
	return &kms.PutKeyPolicyOutput{}, nil
}

func (s *Service) listPolicies(_ *wire.Call, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if _, err := s.exact(in.KeyId); err != nil {
		return nil, err
	}
	return &kms.ListKeyPoliciesOutput{PolicyNames: []string{policyName}}, nil
}
