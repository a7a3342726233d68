// Package keys looks at what a revision is locked with: keys of KMS, and secrets
// of Secrets Manager. It says whether they could be used now, and what mends them
// if not.
//
// It changes nothing, uses no key, and never reads the value of a secret. Keys and
// secrets of other accounts and regions are not looked at, nor what who may do
// with them.
package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// locks is the part of *kms.Client that this package uses.
type locks interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
}

// secrets is the part of *secretsmanager.Client that this package uses.
type secrets interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// Client looks at the keys and secrets of one account and region.
type Client struct {
	locks           locks
	secrets         secrets
	account, region string
}

// New returns a client that calls KMS and Secrets Manager through the given ones.
func New(k locks, s secrets, account, region string) *Client {
	return &Client{locks: k, secrets: s, account: account, region: region}
}

// elsewhere says whether a name is that of something in another account or region.
func (c *Client) elsewhere(name string) bool {
	a, err := arn.Parse(name)
	return err == nil && (a.AccountID != c.account || a.Region != c.region)
}

// Key says why a key could not be used now, and what mends it; "" if it could, if
// there is no key, or if pullback may not see it. The name is an id, an alias, or the
// ARN of either. An error says that it is not known.
func (c *Client) Key(ctx context.Context, name string) (lost string, err error) {
	// Keys that AWS manages cannot be disabled or deleted (KMS developer guide, "AWS
	// managed keys").
	if name == "" || c.elsewhere(name) || strings.Contains(name, "alias/aws/") {
		return "", nil
	}
	out, err := c.locks.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &name})
	if gone, ok := errors.AsType[*kmstypes.NotFoundException](err); ok {
		return fmt.Sprintf("key %s does not exist (%s): what it has encrypted cannot be read any more", name, gone.ErrorMessage()), nil
	}
	if denied(err) {
		// "Unless the key policy explicitly allows it, you cannot use IAM policies to allow
		// access to a KMS key" (KMS developer guide, "Key policies in AWS KMS"), and many
		// policies name only those who use the key. What the key's owner does not let
		// pullback see is no reason to leave users with what is bad.
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look key %s up: %w", name, err)
	}
	if out.KeyMetadata == nil {
		return "", fmt.Errorf("look key %s up: empty answer", name)
	}
	return unusable(name, out.KeyMetadata), nil
}

// unusable says why a key could not be used, by its state (KMS developer guide,
// "Key states of AWS KMS keys"). One whose primary region is being changed can be.
func unusable(name string, k *kmstypes.KeyMetadata) string {
	id := cmp.Or(aws.ToString(k.KeyId), name) // most of these commands take no alias
	switch k.KeyState {
	case kmstypes.KeyStateEnabled, kmstypes.KeyStateUpdating:
		return ""
	case kmstypes.KeyStateDisabled:
		return fmt.Sprintf("key %s is disabled: aws kms enable-key --key-id %s", name, id)
	case kmstypes.KeyStatePendingDeletion:
		// "When this operation succeeds, the key state of the KMS key is Disabled" (KMS
		// API reference, CancelKeyDeletion).
		return fmt.Sprintf("key %s is to be deleted%s: aws kms cancel-key-deletion --key-id %s && aws kms enable-key --key-id %s", name, on(k.DeletionDate), id, id)
	case kmstypes.KeyStatePendingImport:
		return fmt.Sprintf("key %s has lost its material: import it again: aws kms get-parameters-for-import --key-id %s", name, id)
	case kmstypes.KeyStateUnavailable:
		return fmt.Sprintf("key %s cannot be reached: aws kms connect-custom-key-store --custom-key-store-id %s", name, cmp.Or(aws.ToString(k.CustomKeyStoreId), "STORE"))
	default:
		return fmt.Sprintf("key %s is %s: look at it: aws kms describe-key --key-id %s", name, k.KeyState, id)
	}
}

func on(date *time.Time) string {
	if date == nil {
		return ""
	}
	return " on " + date.UTC().Format(time.DateOnly)
}

// current is the label of the version that is read if none is named (Secrets
// Manager user guide, "Secret versions").
const current = "AWSCURRENT"

// Secret says why a secret could not be read now, and what mends it; "" if it could.
// The name is the secret's, or its ARN. stage is a label of a version, "" for the
// current one; a version that is named by its id is taken to be there, since Secrets
// Manager only tells of those that have a label. The key of the secret is looked at,
// too. An error says that it is not known.
func (c *Client) Secret(ctx context.Context, name, stage, version string) (lost string, err error) {
	if c.elsewhere(name) {
		return "", nil
	}
	out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if _, gone := errors.AsType[*smtypes.ResourceNotFoundException](err); gone {
		return fmt.Sprintf("secret %s does not exist: make it again under that name, and a new revision with its ARN", name), nil
	}
	if denied(err) {
		return "", fmt.Errorf("Secrets Manager does not let pullback see the secret %s: no policy of the secret may deny secretsmanager:DescribeSecret: %w", name, err) //nolint:staticcheck // the name of a service
	}
	if err != nil {
		return "", fmt.Errorf("look secret %s up: %w", name, err)
	}
	// Its value cannot be had from now on, not only once it is gone (Secrets Manager user
	// guide, "Delete an AWS Secrets Manager secret").
	if out.DeletedDate != nil {
		return fmt.Sprintf("secret %s is to be deleted: aws secretsmanager restore-secret --secret-id %s", name, name), nil
	}
	if label := cmp.Or(stage, current); version == "" && !has(out.VersionIdsToStages, label) {
		return fmt.Sprintf("secret %s has no version %s: aws secretsmanager list-secret-version-ids --secret-id %s", name, label, name), nil
	}
	lost, err = c.Key(ctx, aws.ToString(out.KmsKeyId)) // not described if it is the account's default
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", name, err)
	}
	if lost != "" {
		lost = fmt.Sprintf("secret %s cannot be read: its %s", name, lost)
	}
	return lost, nil
}

func has(versions map[string][]string, label string) bool {
	for _, labels := range versions {
		if slices.Contains(labels, label) {
			return true
		}
	}
	return false
}

// denied says whether an error is a lack of permission, in the words of both
// services.
func denied(err error) bool {
	failed, ok := errors.AsType[smithy.APIError](err)
	return ok && failed.ErrorCode() == "AccessDeniedException"
}
