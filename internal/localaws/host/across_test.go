package host_test

import (
	"archive/zip"
	"bytes"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// across plays a call of a role of one account to something of another one: it
// needs what the resource's policy allows and what the role may.
func across(t *testing.T, action string, allow func(c cloud), call func(c cloud, as aws.Config) error) {
	t.Helper()
	c := openCloud(t)
	may := c.session("may", `{"Effect":"Allow","Action":"`+action+`","Resource":"*"}`)
	mayNot := c.session("may-not", "")
	require.ErrorContains(t, call(c, may), "because no resource-based policy allows the "+action+" action")
	allow(c)
	require.NoError(t, call(c, may))
	require.ErrorContains(t, call(c, mayNot), "because no identity-based policy allows the "+action+" action")
	require.ErrorContains(t, call(c, c.root(other, "us-east-1")), "because no resource-based policy allows the "+action+" action", "not even another account's root")
}

func TestAQueueOfAnotherAccountAsksItsPolicy(t *testing.T) {
	arn := "arn:aws:sqs:us-east-1:" + bank + ":q"
	across(t, "sqs:SendMessage", func(c cloud) {
		_, err := sqs.NewFromConfig(c.root(bank, "us-east-1")).SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: aws.String(c.URL() + "/" + bank + "/q"), Attributes: map[string]string{
				"Policy": *policy(`{"Effect":"Allow","Principal":{"AWS":"` + shop + `"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}`),
			},
		})
		require.NoError(t, err)
	}, func(c cloud, as aws.Config) error {
		made, err := sqs.NewFromConfig(c.root(bank, "us-east-1")).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
		require.NoError(t, err)
		_, err = sqs.NewFromConfig(as).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("x")})
		return err
	})
}

func TestATopicOfAnotherAccountAsksItsPolicy(t *testing.T) {
	arn := aws.String("arn:aws:sns:us-east-1:" + bank + ":t")
	across(t, "sns:Publish", func(c cloud) {
		_, err := sns.NewFromConfig(c.root(bank, "us-east-1")).SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
			TopicArn: arn, AttributeName: aws.String("Policy"),
			AttributeValue: policy(`{"Effect":"Allow","Principal":{"AWS":"` + shop + `"},"Action":"sns:Publish","Resource":"` + *arn + `"}`),
		})
		require.NoError(t, err)
	}, func(c cloud, as aws.Config) error {
		_, err := sns.NewFromConfig(c.root(bank, "us-east-1")).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
		require.NoError(t, err)
		_, err = sns.NewFromConfig(as).Publish(t.Context(), &sns.PublishInput{TopicArn: arn, Message: aws.String("x")})
		return err
	})
}

// zipped is a deployment package that nobody runs.
func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("bootstrap")
	require.NoError(t, err)
	_, err = f.Write([]byte("#!/bin/sh\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestAFunctionOfAnotherAccountAsksItsPolicy(t *testing.T) {
	made := false
	across(t, "lambda:InvokeFunction", func(c cloud) {
		_, err := lambda.NewFromConfig(c.root(bank, "us-east-1")).AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: aws.String("in"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String(shop),
		})
		require.NoError(t, err)
	}, func(c cloud, as aws.Config) error {
		ctx, owner := t.Context(), c.root(bank, "us-east-1")
		if !made {
			role, err := iam.NewFromConfig(owner).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("f"), AssumeRolePolicyDocument: policy(
				`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`)})
			require.NoError(t, err)
			_, err = lambda.NewFromConfig(owner).CreateFunction(ctx, &lambda.CreateFunctionInput{
				FunctionName: aws.String("f"), Role: role.Role.Arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
				Architectures: []lambdatypes.Architecture{lambdatypes.ArchitectureArm64}, Code: &lambdatypes.FunctionCode{ZipFile: zipped(t)},
			})
			require.NoError(t, err)
			c.advance(time.Minute)
			made = true
		}
		_, err := lambda.NewFromConfig(as).Invoke(ctx, &lambda.InvokeInput{
			FunctionName: aws.String("arn:aws:lambda:us-east-1:" + bank + ":function:f"), InvocationType: lambdatypes.InvocationTypeDryRun,
		})
		return err
	})
}

func TestARoleOfAnotherAccountIsAssumedByWhomItTrusts(t *testing.T) {
	c := openCloud(t)
	made, err := iam.NewFromConfig(c.root(bank, "us-east-1")).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: policy(
		`{"Effect":"Allow","Principal":{"AWS":"` + shop + `"},"Action":"sts:AssumeRole"}`)})
	require.NoError(t, err)
	assume := func(as aws.Config) (*sts.AssumeRoleOutput, error) {
		return sts.NewFromConfig(as).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("me")})
	}
	out, err := assume(c.session("may", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`))
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:sts::"+bank+":assumed-role/reader/me", *out.AssumedRoleUser.Arn)
	_, err = assume(c.session("may-not", ""))
	require.ErrorContains(t, err, "because no identity-based policy allows the sts:AssumeRole action")
	_, err = assume(c.root(other, "us-east-1"))
	require.ErrorContains(t, err, "because no role trust policy allows the sts:AssumeRole action")
}
