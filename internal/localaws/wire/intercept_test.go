package wire_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// busy is an error that says its own HTTP status.
type busy struct{ smithy.GenericAPIError }

// HTTPStatus implements what wire asks errors for.
func (*busy) HTTPStatus() int { return 503 }

func TestInterceptorsSeeCallsOfClientsAndOfServicesInOrder(t *testing.T) {
	w, m := muxOf(queues(echo))
	var seen []string
	note := func(name string) wire.Interceptor {
		return func(c *wire.Call, service, operation string, _ any, goOn func() (any, error)) (any, error) {
			from := "service"
			if c.Remote {
				from = "client"
			}
			seen = append(seen, name+" "+from+" "+service+" "+operation)
			return goOn()
		}
	}
	m.Intercept(note("first"))
	m.Intercept(note("second"))
	_, body := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`)
	assert.JSONEq(t, `{"MessageId":"a"}`, body)
	w.Lock()
	defer w.Unlock()
	out, err := wire.Do[sqs.SendMessageOutput](t.Context(), m, wire.Principal{Service: "sns.amazonaws.com"}, "sqs", "SendMessage",
		&sqs.SendMessageInput{MessageBody: aws.String("b")})
	require.NoError(t, err)
	assert.Equal(t, "b", *out.MessageId)
	assert.Equal(t, []string{
		"first client sqs SendMessage", "second client sqs SendMessage",
		"first service sqs SendMessage", "second service sqs SendMessage",
	}, seen)
}

func TestAnInterceptorAnswersInsteadOfTheOperation(t *testing.T) {
	_, m := muxOf(queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
		t.Error("the operation ran")
		return &sqs.SendMessageOutput{}, nil
	}))
	m.Intercept(func(*wire.Call, string, string, any, func() (any, error)) (any, error) {
		return nil, &busy{smithy.GenericAPIError{Code: "ServiceUnavailable", Message: "later"}}
	})
	res, body := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`)
	assert.Equal(t, 503, res.Code)
	assert.JSONEq(t, `{"__type":"ServiceUnavailable","message":"later"}`, body)
}
