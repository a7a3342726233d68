// Package kms is the Key Management Service of the local AWS: symmetric keys
// with their states, policies, aliases, rotation and tags, and AWS's own keys
// for its services. It encrypts and decrypts, with material that is kept in the
// state as everything else is: it protects nothing.
//
// Who may use a key is decided by package access, which asks for its policy.
// Grants, asymmetric and HMAC keys, key stores, imported material and keys of
// several regions are refused.
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

const day = 24 * time.Hour

// Service is the Key Management Service in one account and region.
type Service struct {
	world   *world.World
	keys    map[string]*key   // by id
	aliases map[string]*alias // by name
}

// key is a KMS key.
type key struct {
	id          string
	description string
	created     time.Time
	disabled    bool
	window      int32     // days from the request to the deletion; 0 if there was none
	deleted     time.Time // when it will be, or has been; zero if it was not asked for
	policy      string
	managed     bool // AWS's own
	rotation    int32
	rotated     time.Time // when rotation was enabled
	tags        map[string]string
	material    []byte
}

// New makes the service without keys. It calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, keys: map[string]*key{}, aliases: map[string]*alias{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "kms", Protocol: wire.JSON11, Target: "TrentService", Style: wire.Pascal,
		Status: map[string]int{"NotFoundException": http.StatusNotFound},
		Operations: []wire.Operation{
			wire.Op("CancelKeyDeletion", s.cancelDeletion),
			wire.Op("CreateAlias", s.createAlias),
			wire.Op("CreateKey", s.createKey),
			wire.Op("Decrypt", s.decrypt),
			wire.Op("DeleteAlias", s.deleteAlias),
			wire.Op("DescribeKey", s.describeKey),
			wire.Op("DisableKey", s.disableKey),
			wire.Op("DisableKeyRotation", s.disableRotation),
			wire.Op("EnableKey", s.enableKey),
			wire.Op("EnableKeyRotation", s.enableRotation),
			wire.Op("Encrypt", s.encrypt),
			wire.Op("GenerateDataKey", s.generateDataKey),
			wire.Op("GetKeyPolicy", s.getPolicy),
			wire.Op("GetKeyRotationStatus", s.rotationStatus),
			wire.Op("ListAliases", s.listAliases),
			wire.Op("ListKeyPolicies", s.listPolicies),
			wire.Op("ListKeys", s.listKeys),
			wire.Op("ListResourceTags", s.listTags),
			wire.Op("PutKeyPolicy", s.putPolicy),
			wire.Op("ScheduleKeyDeletion", s.scheduleDeletion),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateAlias", s.updateAlias),
			wire.Op("UpdateKeyDescription", s.updateDescription),
		},
	}
}

func (s *Service) arn(resource string) string {
	return "arn:aws:kms:" + s.world.Region + ":" + s.world.Account + ":" + resource
}

func notFound(format string, args ...any) error {
	return &kmstypes.NotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// isID is the form of a key's id: that of a UUID.
func isID(id string) bool { return regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) }

// find returns the key of an id, an alias or an ARN of either. One whose
// deletion is due has gone.
func (s *Service) find(name *string) (*key, error) {
	id := strings.TrimPrefix(aws.ToString(name), s.arn(""))
	if strings.HasPrefix(id, aliasPrefix) {
		a := s.alias(id)
		if a == nil {
			return nil, notFound("Alias %s is not found.", s.arn(id))
		}
		id = a.key
	}
	id = strings.TrimPrefix(id, "key/")
	if !isID(id) {
		return nil, notFound("Invalid keyId '%s'", id)
	}
	k := s.keys[id]
	if k == nil || !k.deleted.IsZero() && !s.world.Now().Before(k.deleted) {
		return nil, notFound("Key '%s' does not exist", s.arn("key/"+id))
	}
	return k, nil
}

// exact is find for operations that take no alias (KMS API reference, KeyId:
// "the key ID or key ARN").
func (s *Service) exact(name *string) (*key, error) {
	if id := aws.ToString(name); strings.HasPrefix(id, aliasPrefix) || strings.HasPrefix(id, s.arn(aliasPrefix)) {
		return nil, notFound("Invalid keyId '%s'", id)
	}
	return s.find(name)
}

// active returns the key of an id or ARN if its deletion has not been asked for.
func (s *Service) active(name *string) (*key, error) {
	k, err := s.exact(name)
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
	if k.managed {
		m.KeyManager = kmstypes.KeyManagerTypeAws
	}
	if !k.deleted.IsZero() {
		m.DeletionDate = &k.deleted
	}
	return m
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
