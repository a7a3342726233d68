package lambda_test

import (
	"encoding/base64"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnInvocationThatMakesNoSenseIsRefused(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	tests := map[string]struct {
		in   awslambda.InvokeInput
		want string
	}{
		"not JSON":           {awslambda.InvokeInput{Payload: []byte("{")}, "InvalidRequestContentException: Could not parse request body into json"},
		"a large payload":    {awslambda.InvokeInput{Payload: make([]byte, 6<<20+1)}, "StatusCode: 413"},
		"a large event":      {awslambda.InvokeInput{Payload: make([]byte, 1<<20+1), InvocationType: lambdatypes.InvocationTypeEvent}, "StatusCode: 413"},
		"a context as it is": {awslambda.InvokeInput{ClientContext: aws.String("{}")}, "Client context must be a valid Base64-encoded JSON object."},
		"a context of text":  {awslambda.InvokeInput{ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte("x")))}, "Client context must be a valid Base64-encoded JSON object."},
		"a tenant":           {awslambda.InvokeInput{TenantId: aws.String("t")}, "TenantId is not supported"},
		"no such alias":      {awslambda.InvokeInput{Qualifier: aws.String("live")}, "Function not found: " + arn + "worker:live"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.in.FunctionName = aws.String("worker")
			_, err := l.client.Invoke(t.Context(), &tt.in)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestNewCodeCanBePublishedAtOnce(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	assert.Equal(t, "1", l.publish())
	code, err := zipped("bootstrap", []byte("other"))
	require.NoError(t, err)
	try, err := l.client.UpdateFunctionCode(t.Context(), &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("worker"), ZipFile: code, DryRun: true})
	require.NoError(t, err)
	assert.Equal(t, "1", l.publish(), "nothing has changed yet")
	out, err := l.client.UpdateFunctionCode(t.Context(), &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("worker"), ZipFile: code, Publish: true})
	require.NoError(t, err)
	assert.Equal(t, "2", *out.Version)
	assert.Equal(t, try.CodeSha256, out.CodeSha256)
	assert.Equal(t, "2", l.publish())
	assert.Equal(t, "1", read(t, l.invoke("worker:1", `{}`)).Version, "a version keeps its code")
}

func TestAPollThatFailedIsRepeated(t *testing.T) {
	l := newLocal(t)
	l.create("worker", does("records"))
	id := l.read(l.queue("orders", nil))
	_, err := l.queues.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: url("orders")})
	require.NoError(t, err)
	l.advance(4 * time.Minute)
	// At once, then after 1, 2, 4, 8, 16, 32 and always 60 seconds.
	assert.Len(t, l.faults, 9)
	m, err := l.client.GetEventSourceMapping(t.Context(), &awslambda.GetEventSourceMappingInput{UUID: &id})
	require.NoError(t, err)
	assert.Contains(t, *m.LastProcessingResult, "PROBLEM: ")
	l.queue("orders", nil)
	l.send("orders", "late", "")
	l.advance(0)
	assert.Equal(t, [][]string{{"late"}}, l.bodies())
}

func TestPrincipalsOfPermissions(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	for principal, want := range map[string]string{
		"sns.amazonaws.com":                `{"Service":"sns.amazonaws.com"}`,
		"111122223333":                     `{"AWS":"arn:aws:iam::111122223333:root"}`,
		"arn:aws:iam::111122223333:user/u": `{"AWS":"arn:aws:iam::111122223333:user/u"}`,
		"*":                                `"*"`,
	} {
		_, err := l.client.AddPermission(t.Context(), &awslambda.AddPermissionInput{
			FunctionName: aws.String("worker"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: &principal,
		})
		require.NoError(t, err)
		got, err := l.client.GetPolicy(t.Context(), &awslambda.GetPolicyInput{FunctionName: aws.String("worker")})
		require.NoError(t, err)
		assert.JSONEq(t, `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s","Effect":"Allow","Principal":`+want+`,
			"Action":"lambda:InvokeFunction","Resource":"`+arn+`worker"}]}`, *got.Policy)
		_, err = l.client.RemovePermission(t.Context(), &awslambda.RemovePermissionInput{FunctionName: aws.String("worker"), StatementId: aws.String("s")})
		require.NoError(t, err)
	}
}

func TestNewCodeEndsOldSandboxes(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	before := read(t, l.invoke("worker", `{}`))
	l.vary(map[string]string{"A": "1"})
	after := read(t, l.invoke("worker", `{}`))
	assert.NotEqual(t, before.PID, after.PID)
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(before.PID, 0), syscall.ESRCH) }, 10*time.Second, time.Millisecond)
}
