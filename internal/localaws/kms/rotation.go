package kms

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How often a key is rotated, in days (KMS API reference, EnableKeyRotation).
const (
	minRotation   = 90
	maxRotation   = 2560
	usualRotation = 365
)

func (s *Service) enableRotation(_ *wire.Call, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	days := int32(usualRotation)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	if days < minRotation || days > maxRotation {
		return nil, invalid("1 validation error detected: Value '%d' at 'rotationPeriodInDays' failed to satisfy constraint: "+
			"Member must be between %d and %d", days, minRotation, maxRotation)
	}
	k.rotation, k.rotated = days, s.world.Now().Truncate(time.Second)
	return &kms.EnableKeyRotationOutput{}, nil
}

func (s *Service) disableRotation(_ *wire.Call, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	k.rotation = 0
	return &kms.DisableKeyRotationOutput{}, nil
}

// rotationStatus says when a key is rotated next. Its material stays the same
// here, which nobody can see.
func (s *Service) rotationStatus(_ *wire.Call, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	k, err := s.exact(in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: aws.String(s.arn("key/" + k.id))}
	if k.rotation == 0 || !k.deleted.IsZero() { // "The key rotation status is false while it is pending deletion": the same page
		return out, nil
	}
	out.KeyRotationEnabled, out.RotationPeriodInDays = true, &k.rotation
	next := k.rotated
	for !next.After(s.world.Now()) {
		next = next.Add(time.Duration(k.rotation) * day)
	}
	out.NextRotationDate = &next
	return out, nil
}
