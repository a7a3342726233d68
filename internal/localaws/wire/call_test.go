package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheTrailSeesEveryCallOfAnOperation(t *testing.T) {
	_, m := muxOf(queues(echo))
	keys := m.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"})
	var trail []wire.Entry
	m.Trail(func(e wire.Entry) { trail = append(trail, e) })
	signed := func(r *http.Request) {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys.AccessKeyID+"/20260105/us-east-1/sqs/aws4_request, Signature=0")
	}
	presigned := func(r *http.Request) {
		r.URL.RawQuery = "X-Amz-Credential=" + keys.AccessKeyID + "%2F20260105%2Fus-east-1%2Fsqs%2Faws4_request"
	}
	send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`, signed)
	send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"b"}`, presigned)
	send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":1}`)
	send(t, m, "AmazonSQS.Nothing", `{}`)
	require.Len(t, trail, 3)
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	role, root := wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"}, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}
	assert.Equal(t, wire.Entry{
		Time: start, RequestID: "00000000-0000-4000-8000-000000000001", Principal: role, Service: "sqs", Operation: "SendMessage",
		Input: &sqs.SendMessageInput{MessageBody: aws.String("a")},
	}, trail[0])
	assert.Equal(t, role, trail[1].Principal)
	assert.Equal(t, root, trail[2].Principal)
	assert.Nil(t, trail[2].Input)
	require.ErrorContains(t, trail[2].Error, "MessageBody: want a string, got a number")
}

func TestServicesCallEachOtherByName(t *testing.T) {
	as := wire.Principal{Service: "events.amazonaws.com"}
	_, m := muxOf(queues(func(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
		assert.Equal(t, as, c.Principal)
		assert.Equal(t, "00000001-0000-4000-8000-000000000001", c.RequestID)
		return echo(c, in)
	}))
	out, err := wire.Do[sqs.SendMessageOutput](t.Context(), m, as, "sqs", "SendMessage", &sqs.SendMessageInput{MessageBody: aws.String("a")})
	require.NoError(t, err)
	assert.Equal(t, "a", *out.MessageId)

	for _, c := range []struct{ service, operation, want string }{
		{"sns", "Publish", "service sns is not part of the local AWS (operation Publish)"},
		{"sqs", "PurgeQueue", "service sqs of the local AWS has no operation PurgeQueue"},
	} {
		_, err = m.Call(t.Context(), as, c.service, c.operation, &sqs.SendMessageInput{})
		var api *smithy.GenericAPIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, "UnknownOperationException", api.Code)
		assert.Equal(t, c.want, api.Message)
	}
	_, err = m.Call(t.Context(), as, "sqs", "SendMessage", &sts.GetCallerIdentityInput{})
	require.ErrorContains(t, err, "SendMessage wants *sqs.SendMessageInput, got *sts.GetCallerIdentityInput")
}

func TestAnOperationMayWaitForAnother(t *testing.T) {
	arrived := make(chan struct{})
	var w *world.World
	w, m := muxOf(queues(func(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
		if *in.MessageBody == "go on" {
			close(arrived)
			return echo(c, in)
		}
		if err := w.Await(c.Context, arrived); err != nil {
			return nil, err
		}
		return echo(c, in)
	}))
	answered := make(chan string)
	go func() {
		_, body := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"wait"}`)
		answered <- body
	}()
	send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"go on"}`)
	assert.JSONEq(t, `{"MessageId":"wait"}`, <-answered)
}

func TestANilOutputIsAnEmptyOne(t *testing.T) {
	_, m := muxOf(queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) { return nil, nil })) //nolint:nilnil // the point
	res, body := send(t, m, "AmazonSQS.SendMessage", `{}`)
	assert.Equal(t, http.StatusOK, res.Code)
	assert.JSONEq(t, `{}`, body)
}

func TestOnlyNamesTheMemberThatIsNotSupported(t *testing.T) {
	in := &sqs.SendMessageInput{MessageBody: aws.String("a"), QueueUrl: aws.String("u")}
	require.NoError(t, wire.Only(in, "MessageBody", "QueueUrl"))
	require.NoError(t, wire.Only(*in, "MessageBody", "QueueUrl", "DelaySeconds"))
	err := wire.Only(in, "MessageBody")
	require.EqualError(t, err,
		"api error UnsupportedParameter: the local AWS does not support member QueueUrl of SendMessageInput")
}
