package keys_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/keys"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// safe is a local AWS with a key.
type safe struct {
	*host.AWS
	t       *testing.T
	config  aws.Config
	kms     *kms.Client
	secrets *secretsmanager.Client
	keys    *keys.Client
	id, arn string // of the key
}

func newSafe(t *testing.T) *safe {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	s := &safe{AWS: local, t: t, config: config, kms: kms.NewFromConfig(config), secrets: secretsmanager.NewFromConfig(config)}
	s.keys = keys.New(s.kms, s.secrets, account, region)
	m := ok[*kms.CreateKeyOutput](t)(s.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata
	s.id, s.arn = *m.KeyId, *m.Arn
	return s
}

// ok returns the result of a call that has to succeed.
func ok[O any](t *testing.T) func(O, error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

// secret makes a secret and returns its ARN.
func (s *safe) secret(name string, value, key *string) string {
	s.t.Helper()
	return *ok[*secretsmanager.CreateSecretOutput](s.t)(s.secrets.CreateSecret(s.t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: value, KmsKeyId: key})).ARN
}

func (s *safe) schedule() {
	s.t.Helper()
	ok[*kms.ScheduleKeyDeletionOutput](s.t)(s.kms.ScheduleKeyDeletion(s.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &s.id, PendingWindowInDays: aws.Int32(7)}))
}

func TestAKeyThatCouldNotBeUsedComesWithWhatMendsIt(t *testing.T) {
	s := newSafe(t)
	lost := func() string { return ok[string](t)(s.keys.Key(t.Context(), s.arn)) }
	assert.Empty(t, lost())
	assert.Empty(t, ok[string](t)(s.keys.Key(t.Context(), s.id)))

	s.schedule()
	assert.Equal(t, "key "+s.arn+" is to be deleted on 2026-01-12: aws kms cancel-key-deletion --key-id "+s.id+" && aws kms enable-key --key-id "+s.id, lost())
	ok[*kms.CancelKeyDeletionOutput](t)(s.kms.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &s.id}))
	assert.Equal(t, "key "+s.arn+" is disabled: aws kms enable-key --key-id "+s.id, lost(), "half of what mends it")
	ok[*kms.EnableKeyOutput](t)(s.kms.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &s.id}))
	assert.Empty(t, lost())

	s.schedule()
	require.NoError(t, s.World.Advance(t.Context(), 7*24*time.Hour))
	assert.Equal(t, "key "+s.arn+" does not exist (Key '"+s.arn+"' does not exist): what it has encrypted cannot be read any more", lost())
}

// states is a KMS whose keys are as nobody can make them on the local one.
type states struct{ kmstypes.KeyMetadata }

func (s states) DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	return &kms.DescribeKeyOutput{KeyMetadata: &s.KeyMetadata}, nil
}

func TestEveryStateOfAKeyIsUnderstood(t *testing.T) {
	for state, want := range map[kmstypes.KeyState]string{
		kmstypes.KeyStateEnabled:                "",
		kmstypes.KeyStateUpdating:               "",
		kmstypes.KeyStateDisabled:               "key alias/k is disabled: aws kms enable-key --key-id 1-2",
		kmstypes.KeyStatePendingDeletion:        "key alias/k is to be deleted: aws kms cancel-key-deletion --key-id 1-2 && aws kms enable-key --key-id 1-2",
		kmstypes.KeyStatePendingImport:          "key alias/k has lost its material: import it again: aws kms get-parameters-for-import --key-id 1-2",
		kmstypes.KeyStateUnavailable:            "key alias/k cannot be reached: aws kms connect-custom-key-store --custom-key-store-id cks-1",
		kmstypes.KeyStateCreating:               "key alias/k is Creating: look at it: aws kms describe-key --key-id 1-2",
		kmstypes.KeyStatePendingReplicaDeletion: "key alias/k is PendingReplicaDeletion: look at it: aws kms describe-key --key-id 1-2",
		"Lost":                                  "key alias/k is Lost: look at it: aws kms describe-key --key-id 1-2",
	} {
		c := keys.New(states{kmstypes.KeyMetadata{KeyId: aws.String("1-2"), KeyState: state, CustomKeyStoreId: aws.String("cks-1")}}, nil, account, region)
		lost, err := c.Key(t.Context(), "alias/k")
		require.NoError(t, err)
		assert.Equal(t, want, lost, state)
	}
}

func TestASecretThatCouldNotBeReadComesWithWhatMendsIt(t *testing.T) {
	s := newSafe(t)
	arn := s.secret("shop/db", aws.String("open sesame"), &s.arn)
	lost := func() string { return ok[string](t)(s.keys.Secret(t.Context(), arn, "", "")) }
	assert.Empty(t, lost())
	assert.Empty(t, ok[string](t)(s.keys.Secret(t.Context(), "shop/db", "", "")))
	assert.Equal(t, "secret shop/db has no version AWSPREVIOUS: aws secretsmanager list-secret-version-ids --secret-id shop/db",
		ok[string](t)(s.keys.Secret(t.Context(), "shop/db", "AWSPREVIOUS", "")))
	assert.Empty(t, ok[string](t)(s.keys.Secret(t.Context(), "shop/db", "", "00000000-0000-4000-8000-000000000001")), "an old version is not described")

	s.schedule()
	assert.Equal(t, "secret "+arn+" cannot be read: its key "+s.arn+" is to be deleted on 2026-01-12: aws kms cancel-key-deletion --key-id "+s.id+
		" && aws kms enable-key --key-id "+s.id, lost())
	ok[*secretsmanager.DeleteSecretOutput](t)(s.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &arn}))
	assert.Equal(t, "secret "+arn+" is to be deleted: aws secretsmanager restore-secret --secret-id "+arn, lost())
	require.NoError(t, s.World.Advance(t.Context(), 30*24*time.Hour))
	assert.Equal(t, "secret "+arn+" does not exist: make it again under that name, and a new revision with its ARN", lost())

	s.secret("shop/empty", nil, nil)
	assert.Equal(t, "secret shop/empty has no version AWSCURRENT: aws secretsmanager list-secret-version-ids --secret-id shop/empty",
		ok[string](t)(s.keys.Secret(t.Context(), "shop/empty", "", "")))
}

// silent is a KMS and a Secrets Manager that must not be asked.
type silent struct{}

var errAsked = errors.New("asked")

func (silent) DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	return nil, errAsked
}

func (silent) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	return nil, errAsked
}

func TestWhatIsElsewhereOrOfAWSIsNotLookedAt(t *testing.T) {
	c := keys.New(silent{}, silent{}, account, region)
	for _, name := range []string{
		"", "alias/aws/ebs", "arn:aws:kms:us-east-1:123456789012:alias/aws/lambda", "arn:aws:kms:us-east-1:210987654321:key/1-2", "arn:aws:kms:eu-central-1:123456789012:key/1-2",
	} {
		assert.Empty(t, ok[string](t)(c.Key(t.Context(), name)), name)
	}
	for _, name := range []string{
		"arn:aws:secretsmanager:us-east-1:210987654321:secret:theirs-AbCdEf", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:far-AbCdEf",
	} {
		assert.Empty(t, ok[string](t)(c.Secret(t.Context(), name, "", "")), name)
	}
	_, err := c.Key(t.Context(), "1-2")
	require.ErrorIs(t, err, errAsked)
	_, err = c.Secret(t.Context(), "ours", "", "")
	require.ErrorIs(t, err, errAsked)
}

func TestASecretThatMayNotBeSeenIsNotKnownAndAKeyIsNoObstacle(t *testing.T) {
	s := newSafe(t)
	name := aws.String("robot")
	users := iam.NewFromConfig(s.config)
	ok[*iam.CreateUserOutput](t)(users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name}))
	key := ok[*iam.CreateAccessKeyOutput](t)(users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})).AccessKey
	robot := s.config
	robot.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	c := keys.New(kms.NewFromConfig(robot), secretsmanager.NewFromConfig(robot), account, region)
	arn := s.secret("shop/db", aws.String("open sesame"), &s.arn)

	lost, err := c.Key(t.Context(), s.arn)
	assert.Empty(t, lost)
	require.NoError(t, err, "its policy may name only those who use it")
	lost, err = c.Secret(t.Context(), arn, "", "")
	assert.Empty(t, lost)
	require.ErrorContains(t, err, "Secrets Manager does not let pullback see the secret "+arn)

	ok[*iam.PutUserPolicyOutput](t)(users.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:*"}}`)}))
	lost, err = c.Secret(t.Context(), "shop/db", "", "")
	require.NoError(t, err, "its key may not be seen")
	assert.Empty(t, lost)
}
