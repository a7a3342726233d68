package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// queues is a service with one operation that a test chooses.
func queues(do func(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error)) wire.Service {
	return wire.Service{
		Name: "sqs", Protocol: wire.JSON10, Target: "AmazonSQS", Style: wire.Pascal,
		Operations: []wire.Operation{wire.Op("SendMessage", do)},
	}
}

// echo answers with the message that was sent.
func echo(_ *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	return &sqs.SendMessageOutput{MessageId: in.MessageBody}, nil
}

func muxOf(services ...wire.Service) (*world.World, *wire.Mux) {
	w := world.New(world.Options{})
	m := wire.NewMux(w)
	for _, s := range services {
		m.Handle(s)
	}
	return w, m
}

// send posts a JSON request and returns the answer with its body.
func send(t *testing.T, h http.Handler, target, body string, change ...func(*http.Request)) (*httptest.ResponseRecorder, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w, w.Body.String()
}

func TestAnAnswerCarriesTheTimeOfTheWorldAndARequestID(t *testing.T) {
	w, m := muxOf(queues(echo))
	res, body := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`)
	assert.JSONEq(t, `{"MessageId":"a"}`, body)
	assert.Equal(t, "Mon, 05 Jan 2026 09:00:00 GMT", res.Header().Get("Date"))
	assert.Equal(t, "application/x-amz-json-1.0", res.Header().Get("Content-Type"))
	require.NoError(t, w.Advance(t.Context(), 90*time.Second))
	later, _ := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`)
	assert.Equal(t, "Mon, 05 Jan 2026 09:01:30 GMT", later.Header().Get("Date"))
	assert.NotEqual(t, res.Header().Get("X-Amzn-Requestid"), later.Header().Get("X-Amzn-Requestid"))
}

func TestRequestsDoNotUseTheRandomnessOfTheWorld(t *testing.T) {
	quiet, _ := muxOf()
	busy, m := muxOf(queues(echo))
	send(t, m, "AmazonSQS.SendMessage", `{}`)
	send(t, m, "AmazonSQS.Nothing", `{}`)
	assert.Equal(t, quiet.UUID(), busy.UUID())
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	_, m := muxOf(queues(echo))
	for target, want := range map[string]string{
		"AmazonSQS.PurgeQueue":              "service sqs of the local AWS has no operation PurgeQueue",
		"CodePipeline_20150709.PutWebhook":  "the service with target CodePipeline_20150709 is not part of the local AWS (operation PutWebhook)",
		"CodePipeline_20150709.List.Things": "the service with target CodePipeline_20150709 is not part of the local AWS (operation List.Things)",
	} {
		res, body := send(t, m, target, `{}`)
		assert.Equal(t, http.StatusBadRequest, res.Code)
		var got struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, "UnknownOperationException", got.Type)
		assert.Equal(t, want, got.Message)
	}
	for uri, want := range map[string]string{
		"/service/AmazonSQS/operation/PurgeQueue": "service sqs of the local AWS has no operation PurgeQueue",
		"/service/Other/operation/Do":             "the service with target Other",
		"/other":                                  "rpc-v2-cbor at /other",
		"/a/b/c/d":                                "nothing at /a/b/c/d",
		"/":                                       "rpc-v2-cbor at /",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, uri, nil)
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		assert.Equal(t, http.StatusNotFound, w.Code)
		assert.Equal(t, "application/cbor", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Body.String(), want)
	}
	for service, want := range map[string]string{
		"ecs": "service ecs is not part of the local AWS (GET /2015-03-31/functions)",
		"":    "has nothing at GET /2015-03-31/functions",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/2015-03-31/functions", nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=A/1/r/"+service+"/aws4_request, SignedHeaders=h")
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		assert.Equal(t, http.StatusNotFound, w.Code)
		assert.Contains(t, w.Body.String(), want)
	}
}

func TestARequestThatCannotBeReadIsASerializationException(t *testing.T) {
	_, m := muxOf(queues(echo))
	for _, body := range []string{
		`{`, `[]`, `"x"`, `{"MessageBody":1}`, `{"DelaySeconds":"1"}`, `{"DelaySeconds":1.5}`, `{"DelaySeconds":3000000000}`,
		`{"MessageAttributes":[]}`, `{"MessageAttributes":{"a":{"BinaryValue":"%"}}}`, `{} {}`, strings.Repeat(`{"a":`, 20_000),
	} {
		res, got := send(t, m, "AmazonSQS.SendMessage", body)
		assert.Equal(t, http.StatusBadRequest, res.Code, "%.40s", body)
		assert.Contains(t, got, `"__type":"SerializationException"`)
	}
	for _, body := range []string{``, `null`, `{}`, `{"Unknown":{"a":[1]}}`, `{"MessageBody":null}`} {
		res, _ := send(t, m, "AmazonSQS.SendMessage", body)
		assert.Equal(t, http.StatusOK, res.Code, body)
	}
}

func TestATooLargeRequestIsRefused(t *testing.T) {
	_, m := muxOf(queues(echo))
	for _, known := range []bool{true, false} {
		res, _ := send(t, m, "AmazonSQS.SendMessage", "", func(r *http.Request) {
			r.Body = io.NopCloser(io.LimitReader(zeros{}, 80<<20))
			if known {
				r.ContentLength = 80 << 20
			}
		})
		assert.Equal(t, http.StatusRequestEntityTooLarge, res.Code)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// isFree waits for ever if somebody has kept the world's lock.
func isFree(t *testing.T, w *world.World) {
	t.Helper()
	require.NoError(t, w.Advance(t.Context(), 0))
}

func TestAPanicIsAnInternalFailureAndTheWorldGoesOn(t *testing.T) {
	w, m := muxOf(queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) { panic("oh no") }))
	res, body := send(t, m, "AmazonSQS.SendMessage", `{}`)
	assert.Equal(t, http.StatusInternalServerError, res.Code)
	assert.JSONEq(t, `{"__type":"InternalFailure","message":"sqs SendMessage panicked: oh no"}`, body)
	isFree(t, w)
}

func TestAnOperationMayCutTheConnection(t *testing.T) {
	w, m := muxOf(queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) { panic(http.ErrAbortHandler) }))
	server := httptest.NewServer(m)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
	require.NoError(t, err)
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	_, err = server.Client().Do(r) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, io.EOF)
	isFree(t, w)
}

func TestErrorsTravelWithCodeAndStatus(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
		query  string
	}{
		"a type of the SDK": {
			&sqstypes.QueueDoesNotExist{Message: aws.String("no queue")},
			400, `{"__type":"QueueDoesNotExist","message":"no queue"}`, "AWS.SimpleQueueService.NonExistentQueue;Sender",
		},
		"a type of the SDK without a message": {
			&sqstypes.OverLimit{}, 403, `{"__type":"OverLimit"}`, "OverLimit;Sender",
		},
		"an error of the client": {
			&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no", Fault: smithy.FaultClient},
			418, `{"__type":"AccessDeniedException","message":"no"}`, "AccessDenied;Sender",
		},
		"an error of the server": {
			&smithy.GenericAPIError{Code: "Busy", Fault: smithy.FaultServer}, 500, `{"__type":"Busy","message":""}`, "Busy;Receiver",
		},
		"an error of ours": {
			errors.New("disk full"), 500, `{"__type":"InternalFailure","message":"disk full"}`, "InternalFailure;Receiver",
		},
	} {
		t.Run(name, func(t *testing.T) {
			svc := queues(func(*wire.Call, *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) { return nil, c.err })
			svc.Status = map[string]int{"AccessDeniedException": 418}
			_, m := muxOf(svc)
			res, body := send(t, m, "AmazonSQS.SendMessage", `{}`)
			assert.Equal(t, c.status, res.Code)
			assert.JSONEq(t, c.body, body)
			assert.Equal(t, c.query, res.Header().Get("X-Amzn-Query-Error"))
		})
	}
}
