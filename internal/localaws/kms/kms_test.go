package kms_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localkms "github.com/pullback-dev/pullback/internal/localaws/kms"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const root = "arn:aws:iam::123456789012:root"

// bench is the service without anybody who asks for permissions.
type bench struct {
	t   *testing.T
	w   *world.World
	mux *wire.Mux
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := world.New(world.Options{})
	b := bench{t, w, wire.NewMux(w)}
	b.mux.Handle(localkms.New(w, b.mux).Wire())
	return b
}

func call[O any](b bench, operation string, in any) (*O, error) {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	return wire.Do[O](b.t.Context(), b.mux, wire.Principal{ARN: root}, "kms", operation, in)
}

func (b bench) key() *string {
	b.t.Helper()
	out, err := call[kms.CreateKeyOutput](b, "CreateKey", &kms.CreateKeyInput{})
	require.NoError(b.t, err)
	return out.KeyMetadata.KeyId
}

func TestADataKeyOpensWithItsContextAndKeyOnly(t *testing.T) {
	b := newBench(t)
	id, other := b.key(), b.key()
	about := map[string]string{"order": "1", "shop": "a"}
	made, err := call[kms.GenerateDataKeyOutput](b, "GenerateDataKey", &kms.GenerateDataKeyInput{KeyId: id, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: about})
	require.NoError(t, err)
	assert.Len(t, made.Plaintext, 32)
	assert.NotContains(t, string(made.CiphertextBlob), string(made.Plaintext))

	opened, err := call[kms.DecryptOutput](b, "Decrypt", &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob, EncryptionContext: about})
	require.NoError(t, err)
	assert.Equal(t, made.Plaintext, opened.Plaintext)
	assert.Equal(t, made.KeyId, opened.KeyId)

	_, err = call[kms.DecryptOutput](b, "Decrypt", &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob, EncryptionContext: map[string]string{"order": "2"}})
	require.ErrorAs(t, err, new(*kmstypes.InvalidCiphertextException))
	_, err = call[kms.DecryptOutput](b, "Decrypt", &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob, EncryptionContext: about, KeyId: other})
	assert.ErrorAs(t, err, new(*kmstypes.IncorrectKeyException))
}

func TestAnAliasFollowsItsKeyAndAWSsOwnComesWhenItIsAskedFor(t *testing.T) {
	b := newBench(t)
	first, second := b.key(), b.key()
	name := aws.String("alias/shop")
	of := func(id string) string {
		out, err := call[kms.DescribeKeyOutput](b, "DescribeKey", &kms.DescribeKeyInput{KeyId: &id})
		require.NoError(t, err)
		return *out.KeyMetadata.KeyId
	}
	_, err := call[kms.CreateAliasOutput](b, "CreateAlias", &kms.CreateAliasInput{AliasName: name, TargetKeyId: first})
	require.NoError(t, err)
	assert.Equal(t, *first, of(*name))
	_, err = call[kms.UpdateAliasOutput](b, "UpdateAlias", &kms.UpdateAliasInput{AliasName: name, TargetKeyId: second})
	require.NoError(t, err)
	assert.Equal(t, *second, of(*name))
	own := of("alias/aws/sqs")
	assert.Equal(t, own, of("alias/aws/sqs"), "it is made once")
	_, err = call[kms.DescribeKeyOutput](b, "DescribeKey", &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/none")})
	assert.ErrorAs(t, err, new(*kmstypes.NotFoundException))
}

func TestRotationIsDueAfterEachPeriod(t *testing.T) {
	b := newBench(t)
	id := b.key()
	_, err := call[kms.EnableKeyRotationOutput](b, "EnableKeyRotation", &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(90)})
	require.NoError(t, err)
	begun := b.w.Now()
	require.NoError(t, b.w.Advance(t.Context(), 100*24*time.Hour))
	out, err := call[kms.GetKeyRotationStatusOutput](b, "GetKeyRotationStatus", &kms.GetKeyRotationStatusInput{KeyId: id})
	require.NoError(t, err)
	assert.Equal(t, begun.Add(180*24*time.Hour), *out.NextRotationDate)
}
