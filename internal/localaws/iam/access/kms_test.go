package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
)

// owns is the statement that leaves a key to the account's own policies.
const owns = `{"Sid":"Owner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}`

// key makes a KMS key with a policy of these statements and returns its ARN.
func (a account) key(statements ...string) string {
	a.t.Helper()
	in := &kms.CreateKeyInput{}
	if len(statements) > 0 {
		in.Policy = document(statements...)
	}
	out, err := kms.NewFromConfig(a.root()).CreateKey(a.t.Context(), in)
	require.NoError(a.t, err)
	return *out.KeyMetadata.Arn
}

// protect gives a queue a key.
func (a account) protect(url, key string) {
	a.t.Helper()
	_, err := sqs.NewFromConfig(a.root()).SetQueueAttributes(a.t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{"KmsMasterKeyId": key},
	})
	require.NoError(a.t, err)
}

// code is the code of an error, or "" without one.
func code(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	return api.ErrorCode()
}

func TestAKeyBelongsToWhomItsPolicyAndThenTheirOwnSay(t *testing.T) {
	const (
		uses = `{"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"}`
		ana1 = `{"Effect":"Allow","Principal":{"AWS":"` + ana + `"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"}`
		via  = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{"StringEquals":` +
			`{"kms:CallerAccount":"123456789012","kms:ViaService":"%.us-east-1.amazonaws.com"}}}`
		only = `{"Sid":"Keeper","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:PutKeyPolicy","Resource":"*"}`
		none = `{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`
		sqsq = `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`
		here = `{"Effect":"Allow","Principal":{"AWS":"` + ana + `"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":` +
			`{"StringEquals":{"kms:EncryptionContext:aws:sqs:arn":"` + queueOf + `%"}}}`
	)
	for name, c := range map[string]struct {
		key, user []string
		want      string
	}{
		"the account and her own policy":               {[]string{owns}, []string{sqsq, uses}, ""},
		"the account alone":                            {[]string{owns}, []string{sqsq}, "KMS.AccessDeniedException"},
		"her own policy alone":                         {[]string{only}, []string{sqsq, uses}, "KMS.AccessDeniedException"},
		"the key's policy, by name":                    {[]string{only, ana1}, []string{sqsq}, ""},
		"everybody through this service":               {[]string{only, strings.Replace(via, "%", "sqs", 1)}, []string{sqsq}, ""},
		"everybody through another service":            {[]string{only, strings.Replace(via, "%", "sns", 1)}, []string{sqsq}, "KMS.AccessDeniedException"},
		"for this queue":                               {[]string{only, strings.Replace(here, "%", "q", 1)}, []string{sqsq}, ""},
		"for another queue":                            {[]string{only, strings.Replace(here, "%", "r", 1)}, []string{sqsq}, "KMS.AccessDeniedException"},
		"an explicit deny":                             {[]string{owns, ana1, none}, []string{sqsq, uses}, "KMS.AccessDeniedException"},
		"the right to encrypt without that to decrypt": {[]string{owns}, []string{sqsq, `{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*"}`}, "KMS.AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			cfg := a.user(c.user...)
			url := a.queue("q", "")
			a.protect(url, a.key(c.key...))
			_, err := sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
			assert.Equal(t, c.want, code(err), "%v", err)
		})
	}
}

func TestAReceiverNeedsOnlyToDecrypt(t *testing.T) {
	a := open(t, access.Options{})
	url := a.queue("q", "")
	a.protect(url, a.key())
	_, err := sqs.NewFromConfig(a.root()).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	require.NoError(t, err)
	cfg := a.user(`{"Effect":"Allow","Action":["sqs:*","kms:Decrypt"],"Resource":"*"}`)
	out, err := sqs.NewFromConfig(cfg).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
	require.NoError(t, err)
	assert.Len(t, out.Messages, 1)
	_, err = sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	assert.Equal(t, "KMS.AccessDeniedException", code(err))
}

func TestAKeyThatIsDisabledOrGoneLocksItsQueue(t *testing.T) {
	a := open(t, access.Options{})
	url, key, c := a.queue("q", ""), a.key(), kms.NewFromConfig(a.root())
	a.protect(url, key)
	send := func() string {
		_, err := sqs.NewFromConfig(a.root()).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		return code(err)
	}
	var got []string
	got = append(got, send())
	_, err := c.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
	require.NoError(t, err)
	got = append(got, send())
	_, err = c.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key})
	require.NoError(t, err)
	got = append(got, send())
	a.protect(url, "alias/none")
	got = append(got, send())
	assert.Equal(t, []string{"", "KMS.DisabledException", "KMS.InvalidStateException", "KMS.NotFoundException"}, got)
}

// service is a statement of a key's policy for a service that sends.
func service(name string) string {
	return `{"Effect":"Allow","Principal":{"Service":"` + name + `"},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*"}`
}

func TestEventBridgeDeliversIntoAQueueWithAKeyOnlyIfTheKeysPolicyNamesIt(t *testing.T) {
	for name, c := range map[string]struct {
		key  func(a account) string
		want string // of the dead letter
	}{
		"named":                    {func(a account) string { return a.key(owns, service("events.amazonaws.com")) }, ""},
		"not named":                {func(a account) string { return a.key(owns, service("sns.amazonaws.com")) }, "NO_PERMISSIONS"},
		"with AWS's own key of it": {func(account) string { return "alias/aws/sqs" }, "NO_PERMISSIONS"},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			target := a.queue("target", *document(lets("events.amazonaws.com", rule, "target")))
			dead := a.queue("dead", *document(lets("events.amazonaws.com", rule, "dead")))
			a.protect(target, c.key(a))
			a.occur(queueOf + "target")
			var got string
			for _, m := range a.messages(dead) {
				got = *m.MessageAttributes["ERROR_CODE"].StringValue
			}
			assert.Equal(t, c.want, got)
			assert.Len(t, a.messages(target), map[bool]int{true: 1, false: 0}[c.want == ""])
		})
	}
}

func TestADeadLetterQueueWithAKeyNeedsItsPolicy(t *testing.T) {
	a := open(t, access.Options{})
	a.queue("target", "")
	dead := a.queue("dead", *document(lets("events.amazonaws.com", rule, "dead")))
	a.protect(dead, a.key())
	a.occur(queueOf + "target")
	assert.Empty(t, a.messages(dead))
}

func TestAWSsOwnKeyIsForEverybodyInTheAccount(t *testing.T) {
	a := open(t, access.Options{})
	cfg := a.user(`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	url := a.queue("q", "")
	a.protect(url, "alias/aws/sqs")
	_, err := sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	require.NoError(t, err)
	_, err = kms.NewFromConfig(a.root()).Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("alias/aws/sqs"), Plaintext: []byte("x")})
	assert.Equal(t, "AccessDeniedException", code(err), "only through the service")
}

func TestAnAlarmPublishesToATopicWithAKeyOnlyIfTheKeysPolicyNamesCloudWatch(t *testing.T) {
	for name, want := range map[string]int{"cloudwatch.amazonaws.com": 1, "events.amazonaws.com": 0} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			topics := sns.NewFromConfig(a.root())
			_, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t"), Attributes: map[string]string{
				"KmsMasterKeyId": a.key(owns, service(name)), "Policy": *document(
					`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + topic + `"}`),
			}})
			require.NoError(t, err)
			url := a.queue("q", *document(lets("sns.amazonaws.com", topic, "q")))
			_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String(queueOf + "q")})
			require.NoError(t, err)
			c := cloudwatch.NewFromConfig(a.root())
			_, err = c.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
				EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
				AlarmActions: []string{topic},
			})
			require.NoError(t, err)
			_, err = c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test")})
			require.NoError(t, err)
			require.NoError(t, a.World.Advance(t.Context(), time.Second))
			assert.Len(t, a.messages(url), want)
		})
	}
}

func TestASubscribedQueueWithAKeyNeedsSNSInItsPolicy(t *testing.T) {
	for name, want := range map[string]int{"sns.amazonaws.com": 1, "events.amazonaws.com": 0} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			topics := sns.NewFromConfig(a.root())
			_, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
			require.NoError(t, err)
			url := a.queue("q", *document(lets("sns.amazonaws.com", topic, "q")))
			a.protect(url, a.key(owns, service(name)))
			_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String(queueOf + "q")})
			require.NoError(t, err)
			_, err = topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("x")})
			require.NoError(t, err)
			require.NoError(t, a.World.Advance(t.Context(), time.Second))
			assert.Len(t, a.messages(url), want)
		})
	}
}

func TestItemsOfATableWithAKeyNeedTheRightToDecryptThroughDynamoDB(t *testing.T) {
	a := open(t, access.Options{})
	key := a.key()
	tables := dynamodb.NewFromConfig(a.root())
	_, err := tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: ddbtypes.BillingModePayPerRequest,
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}},
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		SSESpecification:     &ddbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: ddbtypes.SSETypeKms, KMSMasterKeyId: aws.String(key[strings.LastIndex(key, "/")+1:])},
	})
	require.NoError(t, err)
	made, err := tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	require.NoError(t, err)
	assert.Equal(t, key, *made.Table.SSEDescription.KMSMasterKeyArn)

	const reads = `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`
	item := map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: "1"}}
	put := func(cfg aws.Config) string {
		_, err := dynamodb.NewFromConfig(cfg).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: item})
		return code(err)
	}
	cfg := a.user(reads)
	assert.Equal(t, "AccessDeniedException", put(cfg))
	grant := func(service string) {
		_, err := iam.NewFromConfig(a.root()).PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
			UserName: aws.String("ana"), PolicyName: aws.String("own"), PolicyDocument: document(reads, `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+key+
				`","Condition":{"StringEquals":{"kms:ViaService":"`+service+`.us-east-1.amazonaws.com"}}}`),
		})
		require.NoError(t, err)
	}
	grant("sqs")
	assert.Equal(t, "AccessDeniedException", put(cfg))
	grant("dynamodb")
	assert.Empty(t, put(cfg))
	_, err = dynamodb.NewFromConfig(cfg).TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: []ddbtypes.TransactWriteItem{{Put: &ddbtypes.Put{TableName: aws.String("orders"), Item: item}}},
	})
	require.NoError(t, err)
	_, err = kms.NewFromConfig(a.root()).DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
	require.NoError(t, err)
	assert.Equal(t, "AccessDeniedException", put(a.root()))
}

func TestAnAliasIsChangedByWhoMayWithItsKeysToo(t *testing.T) {
	a := open(t, access.Options{})
	key := a.key()
	cfg := a.user(`{"Effect":"Allow","Action":"kms:CreateAlias","Resource":"arn:aws:kms:us-east-1:123456789012:alias/shop"}`)
	_, err := kms.NewFromConfig(cfg).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/shop"), TargetKeyId: &key})
	assert.ErrorContains(t, err, "kms:CreateAlias on resource: "+key)
}

func TestTheRootIsBoundByAKeysPolicyToo(t *testing.T) {
	a := open(t, access.Options{})
	key := a.key(`{"Sid":"Keeper","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:PutKeyPolicy","kms:DescribeKey"],"Resource":"*"}`)
	_, err := kms.NewFromConfig(a.root()).Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
	assert.Equal(t, "AccessDeniedException", code(err))
}
