// Package kms is the Key Management Service of the local AWS: keys, and the
// states that they go through. It has no key material: nothing is encrypted or
// decrypted. Aliases, grants, policies and rotation are refused.
package kms

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// How long a key waits for its deletion (KMS API reference, ScheduleKeyDeletion).
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

const day = 24 * time.Hour

// Service is the Key Management Service in one account and region.
type Service struct {
	world *world.World
	keys  map[string]*key // by id
}

// key is a KMS key.
type key struct {
	id          string
	description string
	created     time.Time
	disabled    bool
	window      int32     // days from the request to the deletion; 0 if there was none
	deleted     time.Time // when it will be, or has been; zero if it was not asked for
}

// New makes the service without keys. It calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, keys: map[string]*key{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "kms", Protocol: wire.JSON11, Target: "TrentService", Style: wire.Pascal,
		Status: map[string]int{"NotFoundException": http.StatusNotFound},
		Operations: []wire.Operation{
			wire.Op("CancelKeyDeletion", s.cancelDeletion),
			wire.Op("CreateKey", s.createKey),
			wire.Op("DescribeKey", s.describeKey),
			wire.Op("DisableKey", s.disableKey),
			wire.Op("EnableKey", s.enableKey),
			wire.Op("ScheduleKeyDeletion", s.scheduleDeletion),
		},
	}
}

func (s *Service) arn(resource string) string {
	return "arn:aws:kms:" + s.world.Region + ":" + s.world.Account + ":" + resource
}

func notFound(format string, args ...any) error {
	return &kmstypes.NotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message}
}

// isID is the form of a key's id: that of a UUID.
func isID(id string) bool { return regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) }

// find returns the key of an id or ARN. One whose deletion is due has gone.
func (s *Service) find(name *string) (*key, error) {
	id := aws.ToString(name)
	if strings.HasPrefix(id, "alias/") || strings.HasPrefix(id, s.arn("alias/")) {
		return nil, notFound("Alias %s is not found.", s.arn(id[strings.Index(id, "alias/"):]))
	}
	id = strings.TrimPrefix(id, s.arn("key/"))
	if !isID(id) {
		return nil, notFound("Invalid keyId '%s'", id)
	}
	k := s.keys[id]
	if k == nil || !k.deleted.IsZero() && !s.world.Now().Before(k.deleted) {
		return nil, notFound("Key '%s' does not exist", s.arn("key/"+id))
	}
	return k, nil
}

// active returns the key of an id or ARN if its deletion has not been asked for.
func (s *Service) active(name *string) (*key, error) {
	k, err := s.find(name)
	if err == nil && !k.deleted.IsZero() {
		return nil, s.wrongState(k, "is pending deletion.")
	}
	return k, err
}

func (s *Service) wrongState(k *key, what string) error {
	return &kmstypes.KMSInvalidStateException{Message: aws.String(s.arn("key/"+k.id) + " " + what)}
}

func (k *key) state() kmstypes.KeyState {
	switch {
	case !k.deleted.IsZero():
		return kmstypes.KeyStatePendingDeletion
	case k.disabled:
		return kmstypes.KeyStateDisabled
	default:
		return kmstypes.KeyStateEnabled
	}
}

func (s *Service) describe(k *key) *kmstypes.KeyMetadata {
	m := &kmstypes.KeyMetadata{
		KeyId: &k.id, Arn: aws.String(s.arn("key/" + k.id)), AWSAccountId: &s.world.Account, CreationDate: &k.created, Description: &k.description,
		Enabled: k.state() == kmstypes.KeyStateEnabled, KeyState: k.state(), KeyManager: kmstypes.KeyManagerTypeCustomer,
		KeySpec: kmstypes.KeySpecSymmetricDefault, KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt,
		EncryptionAlgorithms: []kmstypes.EncryptionAlgorithmSpec{kmstypes.EncryptionAlgorithmSpecSymmetricDefault},
		MultiRegion:          aws.Bool(false), Origin: kmstypes.OriginTypeAwsKms,
	}
	if !k.deleted.IsZero() {
		m.DeletionDate = &k.deleted
	}
	return m
}

func (s *Service) createKey(_ *wire.Call, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	if err := wire.Only(in, "Description", "Tags"); err != nil { // tags are not kept: nothing here lists them
		return nil, err
	}
	k := &key{id: s.world.UUID(), description: aws.ToString(in.Description), created: s.world.Now().Truncate(time.Second)}
	s.keys[k.id] = k
	return &kms.CreateKeyOutput{KeyMetadata: s.describe(k)}, nil
}

func (s *Service) describeKey(_ *wire.Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	if err := wire.Only(in, "KeyId"); err != nil {
		return nil, err
	}
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: s.describe(k)}, nil
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
		return nil, invalid(fmt.Sprintf("PendingWindowInDays must be between %d and %d", minWindow, maxWindow))
	}
	k.window, k.deleted = window, s.world.Now().Truncate(time.Second).Add(time.Duration(window)*day)
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: aws.String(s.arn("key/" + k.id)), DeletionDate: &k.deleted, KeyState: k.state(), PendingWindowInDays: &k.window,
	}, nil
}

// cancelDeletion leaves the key disabled (KMS API reference, CancelKeyDeletion).
func (s *Service) cancelDeletion(_ *wire.Call, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.deleted.IsZero() {
		return nil, s.wrongState(k, "is not pending deletion.")
	}
	k.window, k.deleted, k.disabled = 0, time.Time{}, true
	return &kms.CancelKeyDeletionOutput{KeyId: aws.String(s.arn("key/" + k.id))}, nil
}
