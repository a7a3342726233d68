package access_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const ana = "arn:aws:iam::123456789012:user/ana"

// account is a running AWS.
type account struct {
	*host.AWS
	t *testing.T
}

func open(t *testing.T, o access.Options) account {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}, IAM: o})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	return account{local, t}
}

// config is how a client with these credentials finds the account.
func (a account) config(id, secret, token string) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(a.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	}
}

func (a account) root() aws.Config { return a.config("test", "test", "") }

// user makes the user ana with a policy of these statements, and returns how to
// call as her.
func (a account) user(statements ...string) aws.Config {
	a.t.Helper()
	c, name := iam.NewFromConfig(a.root()), aws.String("ana")
	_, err := c.CreateUser(a.t.Context(), &iam.CreateUserInput{UserName: name, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}})
	require.NoError(a.t, err)
	if len(statements) > 0 {
		_, err = c.PutUserPolicy(a.t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("own"), PolicyDocument: document(statements...)})
		require.NoError(a.t, err)
	}
	k, err := c.CreateAccessKey(a.t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	require.NoError(a.t, err)
	return a.config(*k.AccessKey.AccessKeyId, *k.AccessKey.SecretAccessKey, "")
}

// role makes a role.
func (a account) role(name, trust string, statements ...string) string {
	a.t.Helper()
	c := iam.NewFromConfig(a.root())
	out, err := c.CreateRole(a.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: document(trust)})
	require.NoError(a.t, err)
	if len(statements) > 0 {
		_, err = c.PutRolePolicy(a.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: document(statements...)})
		require.NoError(a.t, err)
	}
	return *out.Role.Arn
}

func document(statements ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

func (a account) queue(name, policy string) string {
	a.t.Helper()
	in := &sqs.CreateQueueInput{QueueName: &name}
	if policy != "" {
		in.Attributes = map[string]string{"Policy": policy}
	}
	out, err := sqs.NewFromConfig(a.root()).CreateQueue(a.t.Context(), in)
	require.NoError(a.t, err)
	return *out.QueueUrl
}

// denied wants an error with a code, a status and a text.
func denied(t *testing.T, err error, code string, status int, text string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, code, api.ErrorCode())
	assert.Equal(t, text, api.ErrorMessage())
	var response interface{ HTTPStatusCode() int }
	require.ErrorAs(t, err, &response)
	assert.Equal(t, status, response.HTTPStatusCode())
}

func TestEachServiceRefusesInItsOwnWords(t *testing.T) {
	a := open(t, access.Options{})
	url := a.queue("q", "")
	cfg, ctx := a.user(), t.Context()
	const because = " because no identity-based policy allows the "
	at := func(action, resource string) string {
		return "User: " + ana + " is not authorized to perform: " + action + " on resource: " + resource + because + action + " action"
	}
	for name, c := range map[string]struct {
		call   func() error
		code   string
		status int
		text   string
	}{
		"codedeploy": {
			func() error {
				_, err := codedeploy.NewFromConfig(cfg).GetApplication(ctx, &codedeploy.GetApplicationInput{ApplicationName: aws.String("a")})
				return err
			}, "AccessDeniedException", 400, at("codedeploy:GetApplication", "arn:aws:codedeploy:us-east-1:123456789012:application:a"),
		},
		"dynamodb": {
			func() error {
				_, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
				return err
			}, "AccessDeniedException", 400, at("dynamodb:ListTables", "*"),
		},
		"lambda": {
			func() error {
				_, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f:live")})
				return err
			}, "AccessDeniedException", 403, at("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:live"),
		},
		"sqs": {
			func() error {
				_, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a")})
				return err
			}, "AccessDenied", 400, at("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q"),
		},
		"sns": {
			func() error { _, err := sns.NewFromConfig(cfg).ListTopics(ctx, &sns.ListTopicsInput{}); return err },
			"AuthorizationError", 403, at("sns:ListTopics", "*"),
		},
		"s3": {
			func() error {
				_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")})
				return err
			}, "AccessDenied", 403, at("s3:ListBucket", "arn:aws:s3:::b"),
		},
		"ec2": {
			func() error {
				_, err := ec2.NewFromConfig(cfg).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{"i-1"}})
				return err
			}, "UnauthorizedOperation", 403, "You are not authorized to perform this operation. " + at("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"),
		},
		"iam": {
			func() error {
				_, err := iam.NewFromConfig(cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")})
				return err
			}, "AccessDenied", 403, at("iam:GetRole", "arn:aws:iam::123456789012:role/r"),
		},
		"cloudwatch": {
			func() error {
				_, err := cloudwatch.NewFromConfig(cfg).ListMetrics(ctx, &cloudwatch.ListMetricsInput{})
				return err
			}, "AccessDenied", 400, at("cloudwatch:ListMetrics", "*"),
		},
		"logs": {
			func() error {
				_, err := cloudwatchlogs.NewFromConfig(cfg).PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: []logstypes.InputLogEvent{}})
				return err
			}, "AccessDeniedException", 400, at("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s"),
		},
	} {
		t.Run(name, func(t *testing.T) { denied(t, c.call(), c.code, c.status, c.text) })
	}
}

func TestADenialNamesTheStatement(t *testing.T) {
	a := open(t, access.Options{})
	url := a.queue("q", "")
	cfg := a.user(
		`{"Sid":"Send","Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:other"}`,
		`{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`,
		`{"Sid":"NoDelete","Effect":"Deny","Action":"sqs:Delete*","Resource":"*"}`,
	)
	c, ctx := sqs.NewFromConfig(cfg), t.Context()
	_, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a")})
	require.ErrorContains(t, err, `action (statement "Send" of own would, but its resource is another)`)
	_, err = c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url})
	require.ErrorContains(t, err, `action (statement 2 of own would, but its condition Bool on aws:MultiFactorAuthPresent is not met)`)
	_, err = c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	require.ErrorContains(t, err, `sqs:DeleteQueue on resource: arn:aws:sqs:us-east-1:123456789012:q with an explicit deny in an identity-based policy (statement "NoDelete" of own)`)
}

func TestAResourcePolicyIsEnoughForSomebodyOfTheAccount(t *testing.T) {
	a := open(t, access.Options{})
	url := a.queue("q", *document(`{"Effect":"Allow","Principal":{"AWS":"` + ana + `"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:q"}`))
	c := sqs.NewFromConfig(a.user())
	_, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: aws.String("1"), MessageBody: aws.String("a")}}})
	require.NoError(t, err, "a batch needs what its messages need")
	_, err = c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
	require.ErrorContains(t, err, "sqs:ReceiveMessage")
}

func TestS3LetsNobodyInUnlessTheBucketDoes(t *testing.T) {
	a := open(t, access.Options{})
	c := s3.NewFromConfig(a.root(), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("site")})
	require.NoError(t, err)
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("site"), Key: aws.String("public/a"), Body: strings.NewReader("hello")})
	require.NoError(t, err)
	get := func(key string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/site/"+key, http.NoBody)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, http.StatusForbidden, get("public/a"))
	_, err = c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("site"), Policy: document(
		`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/public/*"}`)})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, get("public/a"))
	assert.Equal(t, http.StatusForbidden, get("private"))
}

func TestAnUploadInPartsNeedsWhatPuttingTheObjectDoes(t *testing.T) {
	a := open(t, access.Options{})
	_, err := s3.NewFromConfig(a.root(), func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("site")})
	require.NoError(t, err)
	c := s3.NewFromConfig(a.user(`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::site/public/*"}`), func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := aws.String("site"), aws.String("public/big")
	_, err = c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("private/big")})
	require.ErrorContains(t, err, "s3:PutObject")
	u, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	_, err = c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: bucket})
	require.ErrorContains(t, err, "s3:ListBucketMultipartUploads")
	_, err = c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: u.UploadId})
	require.ErrorContains(t, err, "s3:ListMultipartUploadParts")
	_, err = c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId})
	require.ErrorContains(t, err, "s3:AbortMultipartUpload")
	p, err := c.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("hello")})
	require.NoError(t, err)
	_, err = c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: u.UploadId,
		MultipartUpload: &s3types.CompletedMultipartUpload{Parts: []s3types.CompletedPart{{PartNumber: aws.Int32(1), ETag: p.ETag}}},
	})
	require.NoError(t, err)
}

func TestTagsDecide(t *testing.T) {
	a := open(t, access.Options{})
	mine, other := a.queue("mine", ""), a.queue("other", "")
	_, err := sqs.NewFromConfig(a.root()).TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &mine, Tags: map[string]string{"Team": "shop"}})
	require.NoError(t, err)
	c := sqs.NewFromConfig(a.user(
		`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`,
		`{"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"shop"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`,
	))
	_, err = c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &mine, MessageBody: aws.String("a")})
	require.NoError(t, err)
	_, err = c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &other, MessageBody: aws.String("a")})
	require.ErrorContains(t, err, "its condition StringEquals on aws:ResourceTag/team is not met")
	_, err = c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("a"), Tags: map[string]string{"team": "shop"}})
	require.NoError(t, err)
	_, err = c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("b"), Tags: map[string]string{"team": "shop", "cost": "1"}})
	require.ErrorContains(t, err, "ForAllValues:StringEquals on aws:TagKeys")
}

func TestASessionEndsIsLimitedAndDiesWithItsRole(t *testing.T) {
	a := open(t, access.Options{})
	url := a.queue("q", "")
	arn := a.role("deployer", `{"Effect":"Allow","Principal":{"AWS":"`+ana+`"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"42"}}}`,
		`{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/job":"deploy"}}}`)
	c, ctx := sts.NewFromConfig(a.user()), t.Context()
	in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("ci")}
	_, err := c.AssumeRole(ctx, in)
	require.ErrorContains(t, err, "its condition StringEquals on sts:ExternalId is not met")
	in.ExternalId = aws.String("42")
	in.Tags = []ststypes.Tag{{Key: aws.String("job"), Value: aws.String("deploy")}}
	in.Policy = document(`{"Effect":"Allow","Action":"sqs:Get*","Resource":"*"}`)
	out, err := c.AssumeRole(ctx, in)
	require.NoError(t, err, "the trust policy names the user: she needs no permission of her own")

	cfg := a.config(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	queues := sqs.NewFromConfig(cfg)
	_, err = queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url})
	require.NoError(t, err, "role and session policy allow it")
	_, err = queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a")})
	require.ErrorContains(t, err, "User: arn:aws:sts::123456789012:assumed-role/deployer/ci is not authorized to perform: sqs:SendMessage on resource: "+
		"arn:aws:sqs:us-east-1:123456789012:q because no session policy allows the sqs:SendMessage action")
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	require.NoError(t, err, "nobody needs a permission for that")
	assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/deployer/ci", *who.Arn)

	require.NoError(t, a.World.Advance(ctx, time.Hour))
	_, err = queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url})
	require.ErrorContains(t, err, "ExpiredTokenException")

	out, err = c.AssumeRole(ctx, in)
	require.NoError(t, err)
	queues = sqs.NewFromConfig(a.config(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
	roles := iam.NewFromConfig(a.root())
	_, err = roles.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("deployer"), PolicyName: aws.String("own")})
	require.NoError(t, err)
	_, err = roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("deployer")})
	require.NoError(t, err)
	_, err = queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url})
	require.ErrorContains(t, err, "is not authorized to perform: sqs:GetQueueAttributes")
}

func TestARecordOnlyTells(t *testing.T) {
	var seen []access.Decision
	a := open(t, access.Options{Mode: access.Record, Observe: func(d access.Decision) { seen = append(seen, d) }})
	url := a.queue("q", "")
	_, err := sqs.NewFromConfig(a.user()).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a")})
	require.NoError(t, err)
	require.Len(t, seen, 1)
	assert.False(t, seen[0].Allowed)
	assert.Contains(t, seen[0].String(), "User: "+ana+" is not authorized to perform: sqs:SendMessage")
	assert.Equal(t, []string{"sqs", "SendMessage", "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q", ana}, []string{
		seen[0].Service, seen[0].Operation, seen[0].Action, seen[0].Resource, seen[0].Principal.ARN,
	})
}

func TestModesHaveNames(t *testing.T) {
	for _, m := range []access.Mode{access.Enforce, access.Record, access.Off} {
		got, err := access.ParseMode(string(m))
		require.NoError(t, err)
		assert.Equal(t, m, got)
	}
	_, err := access.ParseMode("maybe")
	require.EqualError(t, err, `iam "maybe" is not one of enforce, record, off`)
}
