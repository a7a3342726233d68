package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// maxPlaintext is how much can be encrypted (KMS API reference, Encrypt).
	maxPlaintext = 4096
	maxDataKey   = 1024
	idSize       = 36
)

// usable returns a key that can encrypt and decrypt (KMS developer guide, "Key
// states of AWS KMS keys").
func (s *Service) usable(name *string) (*key, error) {
	k, err := s.find(name)
	switch {
	case err != nil:
		return nil, err
	case !k.deleted.IsZero():
		return nil, s.wrongState(k, "is pending deletion.")
	case k.disabled:
		return nil, &kmstypes.DisabledException{Message: aws.String(s.arn("key/"+k.id) + " is disabled.")}
	default:
		return k, nil
	}
}

// dry answers a call that is only a question (KMS API reference, DryRun).
func dry(asked *bool) error {
	if aws.ToBool(asked) {
		return &kmstypes.DryRunOperationException{Message: aws.String("The request would have succeeded, but the DryRun option is set.")}
	}
	return nil
}

// KeyOf returns the id of the key with which something was encrypted.
func KeyOf(ciphertext []byte) (id string, ok bool) {
	if len(ciphertext) < idSize {
		return "", false
	}
	id = string(ciphertext[:idSize])
	return id, isID(id)
}

// seal is the key's id, a nonce, and the text, to which the context is bound.
func (s *Service) seal(k *key, text []byte, about map[string]string) ([]byte, error) {
	box, err := k.box()
	if err != nil {
		return nil, err
	}
	nonce := s.random(box.NonceSize())
	return slices.Concat([]byte(k.id), nonce, box.Seal(nil, nonce, text, bound(about))), nil
}

func (k *key) open(ciphertext []byte, about map[string]string) ([]byte, error) {
	box, err := k.box()
	if err != nil {
		return nil, err
	}
	rest := ciphertext[idSize:]
	if len(rest) < box.NonceSize() {
		return nil, &kmstypes.InvalidCiphertextException{}
	}
	text, err := box.Open(nil, rest[:box.NonceSize()], rest[box.NonceSize():], bound(about))
	if err != nil {
		return nil, &kmstypes.InvalidCiphertextException{} // AWS says nothing more, too
	}
	return text, nil
}

func (k *key) box() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.material)
	if err != nil {
		return nil, fmt.Errorf("use the material of key %s: %w", k.id, err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("use the material of key %s: %w", k.id, err)
	}
	return box, nil
}

// bound is an encryption context as bytes; the names are sorted.
func bound(about map[string]string) []byte {
	if len(about) == 0 {
		return nil
	}
	b, _ := json.Marshal(about) // texts only
	return b
}

func (s *Service) random(n int) []byte {
	var b []byte
	for len(b) < n {
		b = binary.BigEndian.AppendUint64(b, s.world.Rand().Uint64())
	}
	return b[:n]
}

func (s *Service) encrypt(_ *wire.Call, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	if err := wire.Only(in, "KeyId", "Plaintext", "EncryptionContext", "DryRun", "EncryptionAlgorithm"); err != nil {
		return nil, err
	}
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if len(in.Plaintext) == 0 || len(in.Plaintext) > maxPlaintext {
		return nil, invalid("1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxPlaintext)
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	sealed, err := s.seal(k, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{
		CiphertextBlob: sealed, KeyId: aws.String(s.arn("key/" + k.id)), EncryptionAlgorithm: kmstypes.EncryptionAlgorithmSpecSymmetricDefault,
	}, nil
}

func (s *Service) decrypt(_ *wire.Call, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if err := wire.Only(in, "KeyId", "CiphertextBlob", "EncryptionContext", "DryRun", "DryRunModifiers", "EncryptionAlgorithm"); err != nil {
		return nil, err
	}
	if aws.ToBool(in.DryRun) && slices.Contains(in.DryRunModifiers, kmstypes.DryRunModifierTypeIgnoreCiphertext) {
		if _, err := s.usable(in.KeyId); err != nil {
			return nil, err
		}
		return nil, dry(in.DryRun)
	}
	id, ok := KeyOf(in.CiphertextBlob)
	if !ok {
		return nil, &kmstypes.InvalidCiphertextException{}
	}
	k, err := s.usable(&id)
	if err != nil {
		return nil, err
	}
	if in.KeyId != nil {
		if wanted, err := s.find(in.KeyId); err != nil || wanted != k {
			return nil, &kmstypes.IncorrectKeyException{Message: aws.String("The key ID in the request does not identify a CMK that can perform this operation.")}
		}
	}
	text, err := k.open(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	return &kms.DecryptOutput{
		Plaintext: bytes.Clone(text), KeyId: aws.String(s.arn("key/" + k.id)), EncryptionAlgorithm: kmstypes.EncryptionAlgorithmSpecSymmetricDefault,
	}, nil
}

func (s *Service) generateDataKey(_ *wire.Call, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if err := wire.Only(in, "KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext", "DryRun"); err != nil {
		return nil, err
	}
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	size := int(aws.ToInt32(in.NumberOfBytes))
	switch {
	case in.KeySpec == kmstypes.DataKeySpecAes256 && in.NumberOfBytes == nil:
		size = 32
	case in.KeySpec == kmstypes.DataKeySpecAes128 && in.NumberOfBytes == nil:
		size = 16
	case in.KeySpec != "" || size < 1 || size > maxDataKey:
		return nil, invalid("Please specify either number of bytes or key spec.")
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	fresh := s.random(size)
	sealed, err := s.seal(k, fresh, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyOutput{Plaintext: fresh, CiphertextBlob: sealed, KeyId: aws.String(s.arn("key/" + k.id))}, nil
}
