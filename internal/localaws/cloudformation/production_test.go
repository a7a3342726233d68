package cloudformation_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const worker = "arn:aws:sts::123456789012:assumed-role/worker/worker"

// upload puts the zips of functions where a template's parameters look for them,
// and returns their digests as Lambda shows them.
func (a *account) upload(t *testing.T, bucket string, keys ...string) []string {
	t.Helper()
	store := s3.NewFromConfig(a.config, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
	require.NoError(t, err)
	var digests []string
	for _, key := range keys {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.Create("bootstrap")
		require.NoError(t, err)
		_, err = f.Write([]byte("#!/bin/sh\n# " + key))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		_, err = store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(b.Bytes())})
		require.NoError(t, err)
		sum := sha256.Sum256(b.Bytes())
		digests = append(digests, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return digests
}

// production makes a stack of all that a control plane in production is made of,
// from zips that were put into a bucket before.
func production(t *testing.T) (a *account, digests []string) {
	t.Helper()
	a = newAccount(t, world.Manual)
	digests = a.upload(t, "assets", "releases/2.0.0/worker.zip", "releases/2.0.0/other.zip")
	text, err := os.ReadFile("testdata/production.template.json")
	require.NoError(t, err)
	a.create(t, string(text), func(in *cloudformation.CreateStackInput) {
		in.Capabilities = []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}
		in.Parameters = []cfntypes.Parameter{
			{ParameterKey: aws.String("AssetsBucket"), ParameterValue: aws.String("assets")},
			{ParameterKey: aws.String("AssetsPrefix"), ParameterValue: aws.String("releases/2.0.0/")},
		}
	})
	a.pass(t, time.Minute)
	require.Equal(t, cfntypes.StackStatusCreateComplete, a.status(t, "shop"), strings.Join(a.story(t), "\n"))
	return a, digests
}

func TestFunctionsComeFromABucketAndPrefixThatParametersName(t *testing.T) {
	t.Parallel()
	a, digests := production(t)
	functions := lambda.NewFromConfig(a.config)
	var got []string
	for _, name := range []string{"worker", "other"} {
		out, err := functions.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		require.NoError(t, err)
		got = append(got, *out.CodeSha256)
	}
	assert.Equal(t, digests, got)
	reserved, err := functions.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String("worker")})
	require.NoError(t, err)
	assert.EqualValues(t, 5, *reserved.ReservedConcurrentExecutions)
	exports, err := a.stacks.ListExports(t.Context(), &cloudformation.ListExportsInput{})
	require.NoError(t, err)
	require.Len(t, exports.Exports, 1)
	assert.Equal(t, "shop-bus arn:aws:events:us-east-1:123456789012:event-bus/pullback", *exports.Exports[0].Name+" "+*exports.Exports[0].Value)
}

func TestEventsOnTheStacksBusReachItsEncryptedQueueAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	a, _ := production(t)
	events := eventbridge.NewFromConfig(a.config)
	const bus = "arn:aws:events:us-east-1:123456789012:event-bus/pullback"
	waiting := func() string {
		return a.queue(t, "signals", sqstypes.QueueAttributeNameApproximateNumberOfMessages) + " " + a.queue(t, "dead", sqstypes.QueueAttributeNameApproximateNumberOfMessages)
	}
	put := func() {
		out, err := events.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
			{EventBusName: aws.String("pullback"), Source: aws.String("pullback"), DetailType: aws.String("trouble"), Detail: aws.String("{}")},
		}})
		require.NoError(t, err)
		require.Zero(t, out.FailedEntryCount)
		a.pass(t, time.Second)
	}
	put()
	assert.Equal(t, "1 0", waiting())
	_, err := events.StartReplay(t.Context(), &eventbridge.StartReplayInput{
		ReplayName: aws.String("again"), EventSourceArn: aws.String("arn:aws:events:us-east-1:123456789012:archive/pullback"),
		EventStartTime: aws.Time(a.World.Now().Add(-time.Hour)), EventEndTime: aws.Time(a.World.Now().Add(time.Hour)),
		Destination: &ebtypes.ReplayDestination{Arn: aws.String(bus)},
	})
	require.NoError(t, err)
	a.pass(t, 10*time.Second)
	assert.Equal(t, "2 0", waiting())

	_, err = kms.NewFromConfig(a.config).PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{
		KeyId: aws.String(a.ids(t)["Key"]), Policy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}}`),
	})
	require.NoError(t, err)
	put()
	assert.Equal(t, "2 1", waiting(), "EventBridge is not in the key's policy any more")
}

func TestTheStacksRoleMayDoWhatNothingDeniesIt(t *testing.T) {
	t.Parallel()
	a, _ := production(t)
	may := func(service, operation string, in any) bool {
		a.World.Lock()
		defer a.World.Unlock()
		return a.Access.Refuses(wire.Principal{ARN: worker}, service, operation, in) == nil
	}
	key := map[string]ddbtypes.AttributeValue{"pk": &ddbtypes.AttributeValueMemberS{Value: "1"}}
	got := map[string]bool{
		"an item":   may("dynamodb", "PutItem", &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: key}),
		"deletes":   may("dynamodb", "DeleteItem", &dynamodb.DeleteItemInput{TableName: aws.String("ledger"), Key: key}),
		"the table": may("dynamodb", "DeleteTable", &dynamodb.DeleteTableInput{TableName: aws.String("ledger")}),
		"the key":   may("kms", "DisableKey", &kms.DisableKeyInput{KeyId: aws.String("alias/pullback")}),
	}
	assert.Equal(t, map[string]bool{"an item": true, "deletes": true, "the table": false, "the key": false}, got)
	_, err := dynamodb.NewFromConfig(a.config).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: key})
	require.NoError(t, err, "the root may use the key")
	group, err := logs.NewFromConfig(a.config).DescribeLogGroups(t.Context(), &logs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/pullback/")})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:kms:us-east-1:123456789012:key/"+a.ids(t)["Key"], *group.LogGroups[0].KmsKeyId)
	assert.EqualValues(t, 30, *group.LogGroups[0].RetentionInDays)
}

func TestWhatIsRetainedOutlivesTheStack(t *testing.T) {
	t.Parallel()
	a, _ := production(t)
	key := a.ids(t)["Key"]
	_, err := a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	a.pass(t, 5*time.Minute)
	require.Empty(t, a.status(t, "shop"))
	table, err := dynamodb.NewFromConfig(a.config).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	assert.Equal(t, ddbtypes.TableStatusActive, table.Table.TableStatus)
	kept, err := kms.NewFromConfig(a.config).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	require.NoError(t, err)
	assert.True(t, kept.KeyMetadata.Enabled)
	_, err = eventbridge.NewFromConfig(a.config).DescribeArchive(t.Context(), &eventbridge.DescribeArchiveInput{ArchiveName: aws.String("pullback")})
	assert.ErrorContains(t, err, "does not exist")
}
