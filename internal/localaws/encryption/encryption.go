// Package encryption lets a service of the local AWS ask KMS whether who calls
// it may use the key that protects what is asked for.
//
// It asks with dry runs, so that nothing is encrypted: what is at rest here
// lies in memory. It asks for every call, where AWS's services keep data keys
// for some minutes, so that a right that was taken away is missing at once.
package encryption

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Keys are the KMS keys as a service sees them.
type Keys struct {
	Caller  wire.Caller
	Service string // as in kms:ViaService: "sqs"
}

// Use is what somebody wants to do.
type Use struct {
	By    wire.Principal
	Key   string            // id, alias or ARN
	About map[string]string // the encryption context
}

// Encrypt says whether a data key may be had: the permission of kms:GenerateDataKey.
func (k Keys) Encrypt(ctx context.Context, u Use) error {
	_, err := wire.Do[kms.GenerateDataKeyOutput](ctx, k.Caller, k.as(u.By), "kms", "GenerateDataKey", &kms.GenerateDataKeyInput{
		KeyId: &u.Key, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: u.About, DryRun: aws.Bool(true),
	})
	return answer("GenerateDataKey", u.Key, err)
}

// Decrypt says whether a data key may be opened: the permission of kms:Decrypt.
func (k Keys) Decrypt(ctx context.Context, u Use) error {
	_, err := wire.Do[kms.DecryptOutput](ctx, k.Caller, k.as(u.By), "kms", "Decrypt", &kms.DecryptInput{
		KeyId: &u.Key, EncryptionContext: u.About, DryRun: aws.Bool(true),
		DryRunModifiers: []kmstypes.DryRunModifierType{kmstypes.DryRunModifierTypeIgnoreCiphertext},
	})
	return answer("Decrypt", u.Key, err)
}

// Both is Encrypt, then Decrypt: a sender must have both rights, as the service
// verifies what it has encrypted (SQS developer guide, "Configure KMS
// permissions for Amazon SQS"; SNS developer guide, "Managing Amazon SNS
// encryption keys and costs").
func (k Keys) Both(ctx context.Context, u Use) error {
	if err := k.Encrypt(ctx, u); err != nil {
		return err
	}
	return k.Decrypt(ctx, u)
}

func (k Keys) as(by wire.Principal) wire.Principal {
	by.Via = k.Service
	return by
}

// answer reads what a dry run says: that it would have succeeded is an error.
func answer(operation, key string, err error) error {
	if _, may := errors.AsType[*kmstypes.DryRunOperationException](err); may {
		return nil
	}
	if err == nil {
		return fmt.Errorf("kms %s with %s: the dry run gave no answer", operation, key)
	}
	return fmt.Errorf("kms %s with %s: %w", operation, key, err)
}

// Refusal is why KMS did not let a key be used, for services that have an error
// for each reason.
type Refusal int

// The reasons.
const (
	Denied Refusal = iota
	Missing
	Disabled
	WrongState
	Throttled
	Other
)

// Why reads the reason out of an error of this package.
func Why(err error) Refusal {
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return Other
	}
	switch coded.ErrorCode() {
	case "AccessDeniedException":
		return Denied
	case "NotFoundException":
		return Missing
	case "DisabledException":
		return Disabled
	case "KMSInvalidStateException":
		return WrongState
	case "ThrottlingException", "LimitExceededException":
		return Throttled
	default:
		return Other
	}
}
