package kms

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How long a key waits for its deletion (KMS API reference, ScheduleKeyDeletion).
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

const materialSize = 32 // AES-256

// newKey makes a key with the default policy.
func (s *Service) newKey() *key {
	k := &key{id: s.world.UUID(), created: s.world.Now().Truncate(time.Second), policy: s.defaultPolicy(), tags: map[string]string{}}
	for len(k.material) < materialSize {
		k.material = binary.BigEndian.AppendUint64(k.material, s.world.Rand().Uint64())
	}
	return k
}

func (s *Service) createKey(c *wire.Call, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	plain := *in
	if plain.KeySpec == kmstypes.KeySpecSymmetricDefault {
		plain.KeySpec = ""
	}
	if plain.KeyUsage == kmstypes.KeyUsageTypeEncryptDecrypt {
		plain.KeyUsage = ""
	}
	if plain.Origin == kmstypes.OriginTypeAwsKms {
		plain.Origin = ""
	}
	if plain.MultiRegion != nil && !*plain.MultiRegion {
		plain.MultiRegion = nil
	}
	if err := wire.Only(plain, "Description", "Tags", "Policy", "BypassPolicyLockoutSafetyCheck"); err != nil {
		return nil, err
	}
	k := s.newKey()
	k.description = aws.ToString(in.Description)
	if in.Policy != nil {
		if err := s.checkPolicy(c.Principal, k, *in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
		k.policy = *in.Policy
	}
	if err := k.tag(in.Tags); err != nil {
		return nil, err
	}
	s.keys[k.id] = k
	return &kms.CreateKeyOutput{KeyMetadata: s.describe(k)}, nil
}

func (s *Service) listKeys(_ *wire.Call, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	ids, next, err := page(slices.Sorted(maps.Keys(s.keys)), in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &kms.ListKeysOutput{Keys: []kmstypes.KeyListEntry{}, NextMarker: next, Truncated: next != nil}
	for _, id := range ids {
		if k, err := s.find(&id); err == nil {
			out.Keys = append(out.Keys, kmstypes.KeyListEntry{KeyId: &k.id, KeyArn: aws.String(s.arn("key/" + k.id))})
		}
	}
	return out, nil
}

// maxPage and usualPage are the sizes of a page (KMS API reference, ListKeys).
const (
	maxPage   = 1000
	usualPage = 100
)

// page cuts sorted names into pages. The marker is the last name before.
func page(names []string, limit *int32, marker *string) (out []string, next *string, err error) {
	size := usualPage
	if limit != nil {
		size = int(*limit)
	}
	if size < 1 || size > maxPage {
		return nil, nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must be between 1 and %d", size, maxPage)
	}
	for _, name := range names {
		if name <= aws.ToString(marker) {
			continue
		}
		if len(out) == size {
			return out, aws.String(out[size-1]), nil
		}
		out = append(out, name)
	}
	return out, nil, nil
}

func (s *Service) updateDescription(_ *wire.Call, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	k.description = aws.ToString(in.Description)
	return &kms.UpdateKeyDescriptionOutput{}, nil
}

func (s *Service) disableKey(_ *wire.Call, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	k.disabled = true
	return &kms.DisableKeyOutput{}, nil
}

func (s *Service) enableKey(_ *wire.Call, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	k.disabled = false
	return &kms.EnableKeyOutput{}, nil
}

func (s *Service) scheduleDeletion(_ *wire.Call, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	k, err := s.active(in.KeyId)
	if err != nil {
		return nil, err
	}
	window := int32(defaultWindow)
	if in.PendingWindowInDays != nil {
		window = *in.PendingWindowInDays
	}
	if window < minWindow || window > maxWindow {
		return nil, invalid("PendingWindowInDays must be between %d and %d", minWindow, maxWindow)
	}
	k.window, k.deleted = window, s.world.Now().Truncate(time.Second).Add(time.Duration(window)*day)
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: aws.String(s.arn("key/" + k.id)), DeletionDate: &k.deleted, KeyState: k.state(), PendingWindowInDays: &k.window,
	}, nil
}

// cancelDeletion leaves the key disabled (KMS API reference, CancelKeyDeletion).
func (s *Service) cancelDeletion(_ *wire.Call, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := s.exact(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.deleted.IsZero() {
		return nil, s.wrongState(k, "is not pending deletion.")
	}
	k.window, k.deleted, k.disabled = 0, time.Time{}, true
	return &kms.CancelKeyDeletionOutput{KeyId: aws.String(s.arn("key/" + k.id))}, nil
}
