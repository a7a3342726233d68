package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// strict is an endpoint with one operation in each protocol, which looks at
// signatures. who is told who called last.
func strict(who *wire.Principal) (*world.World, *wire.Mux) {
	w, m := muxOf(
		queues(func(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
			*who = c.Principal
			return echo(c, in)
		}),
		wire.Service{
			Name: "sns", Protocol: wire.Query, Version: "2010-03-31", Style: wire.Pascal, Operations: []wire.Operation{
				wire.Op("Publish", func(c *wire.Call, _ *sns.PublishInput) (*sns.PublishOutput, error) {
					*who = c.Principal
					return &sns.PublishOutput{}, nil
				}),
			},
		},
		wire.Service{
			Name: "lambda", Protocol: wire.RESTJSON, Style: wire.Pascal, Operations: []wire.Operation{
				wire.Op("GetFunction", func(c *wire.Call, _ *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
					*who = c.Principal
					return &lambda.GetFunctionOutput{}, nil
				}).Bind(wire.REST{Method: http.MethodGet, Path: "/2015-03-31/functions/{FunctionName}"}),
			},
		},
		wire.Service{
			Name: "s3", Protocol: wire.RESTXML, Style: wire.Pascal, Operations: []wire.Operation{
				wire.Op("DeleteObject", func(c *wire.Call, _ *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
					*who = c.Principal
					return &s3.DeleteObjectOutput{}, nil
				}).Bind(wire.REST{Method: http.MethodDelete, Path: "/{Bucket}/{Key+}"}),
			},
		},
	)
	m.Authenticate()
	return w, m
}

// callers are a call of each protocol, by service.
func callers(cfg aws.Config) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"sqs": func(ctx context.Context) error {
			_, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(*cfg.BaseEndpoint + "/1/q"), MessageBody: aws.String("a")},
				func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
			return err
		},
		"sns": func(ctx context.Context) error {
			_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{Message: aws.String("ü + / %")})
			return err
		},
		"lambda": func(ctx context.Context) error {
			_, err := lambda.NewFromConfig(cfg).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:us-east-1:123456789012:function:f")})
			return err
		},
		"s3": func(ctx context.Context) error {
			_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).
				DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("a key/with ü+%")})
			return err
		},
	}
}

func TestSignaturesOfTheSDKAreRight(t *testing.T) {
	role := wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"}
	var who wire.Principal
	_, m := strict(&who)
	server := httptest.NewServer(m)
	defer server.Close()
	keys := m.Issue(role)
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	}
	for service, call := range callers(cfg) {
		who = wire.Principal{}
		require.NoError(t, call(t.Context()), service)
		assert.Equal(t, role, who, service)
	}
}

func TestSignaturesThatAreRefused(t *testing.T) {
	type codes map[string]string // by service
	var who wire.Principal
	w, m := strict(&who)
	server := httptest.NewServer(m)
	defer server.Close()
	keys := m.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"})
	m.Grant("AKIAEXPIRED", wire.Key{Secret: "s", Token: "t", Expires: w.Now().Add(time.Minute)})
	m.Grant("AKIAREVOKED", wire.Key{Secret: "s", Revoked: true})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	for name, c := range map[string]struct {
		id, secret, token, region string
		want                      codes
	}{
		"another secret": {keys.AccessKeyID, "wrong", keys.SessionToken, "us-east-1", codes{
			"sqs": "InvalidSignatureException", "sns": "SignatureDoesNotMatch", "lambda": "InvalidSignatureException", "s3": "SignatureDoesNotMatch",
		}},
		"no session": {keys.AccessKeyID, keys.SecretAccessKey, "", "us-east-1", codes{
			"sqs": "UnrecognizedClientException", "sns": "InvalidClientTokenId", "lambda": "UnrecognizedClientException", "s3": "InvalidToken",
		}},
		"a session that ended": {"AKIAEXPIRED", "s", "t", "us-east-1", codes{
			"sqs": "ExpiredTokenException", "sns": "ExpiredToken", "lambda": "ExpiredTokenException", "s3": "ExpiredToken",
		}},
		"a key that was deleted": {"AKIAREVOKED", "s", "", "us-east-1", codes{
			"sqs": "UnrecognizedClientException", "sns": "InvalidClientTokenId", "lambda": "UnrecognizedClientException", "s3": "InvalidToken",
		}},
		"another region": {"test", "test", "", "eu-west-1", codes{
			"sqs": "InvalidSignatureException", "sns": "SignatureDoesNotMatch", "lambda": "InvalidSignatureException", "s3": "AuthorizationHeaderMalformed",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := aws.Config{
				Region: c.region, BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
				Credentials: credentials.NewStaticCredentialsProvider(c.id, c.secret, c.token),
			}
			who = wire.Principal{ARN: "nobody"}
			got := codes{}
			for service, call := range callers(cfg) {
				var api smithy.APIError
				require.ErrorAs(t, call(t.Context()), &api, service)
				got[service] = api.ErrorCode()
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, "nobody", who.ARN, "no operation ran")
		})
	}
}

func TestAKeyThatNobodyGrantedIsTheRoots(t *testing.T) {
	var who wire.Principal
	_, m := strict(&who)
	res, _ := send(t, m, "AmazonSQS.SendMessage", `{"MessageBody":"a"}`, func(r *http.Request) {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260105/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	})
	assert.Equal(t, http.StatusOK, res.Code)
	assert.Equal(t, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}, who)
}

func TestUnsignedRequestsAreRefusedInTheWordsOfTheirProtocol(t *testing.T) {
	var who wire.Principal
	_, m := strict(&who)
	for name, c := range map[string]struct {
		method, path, target, kind, body string
		status                           int
		want                             string
	}{
		"json":  {http.MethodPost, "/", "AmazonSQS.SendMessage", "application/x-amz-json-1.0", `{"MessageBody":"a"}`, 400, `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		"query": {http.MethodPost, "/", "", "application/x-www-form-urlencoded", "Action=Publish&Version=2010-03-31", 403, "<Code>MissingAuthenticationToken</Code>"},
		"rest":  {http.MethodGet, "/2015-03-31/functions/f", "", "", "", 403, "Missing Authentication Token"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("X-Amz-Target", c.target)
			r.Header.Set("Content-Type", c.kind)
			res := httptest.NewRecorder()
			m.ServeHTTP(res, r)
			assert.Equal(t, c.status, res.Code)
			assert.Contains(t, res.Body.String(), c.want)
			assert.Empty(t, who)
		})
	}
	t.Run("to S3 they are anonymous", func(t *testing.T) {
		who = wire.Principal{ARN: "somebody"}
		res := httptest.NewRecorder()
		m.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/b/k", http.NoBody))
		assert.Equal(t, http.StatusOK, res.Code)
		assert.Equal(t, wire.Principal{}, who)
	})
}

func TestASignatureIsForItsBodyAndItsService(t *testing.T) {
	var who wire.Principal
	_, m := strict(&who)
	keys := m.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"})
	const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	request := func(service string, change func(*http.Request)) string {
		return mustSend(t, m, service, keys, hash, change)
	}
	assert.Empty(t, request("sqs", func(*http.Request) {}))
	assert.Contains(t, request("sqs", func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader([]byte(`{ }`))) }), "InvalidSignatureException")
	assert.Contains(t, request("sqs", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.DeleteMessage") }), "InvalidSignatureException")
	assert.Contains(t, request("sns", func(*http.Request) {}), "Credential should be scoped to correct service: 'sqs'. ")
}

// mustSend signs an empty SendMessage, changes it, sends it and returns what
// is wrong.
func mustSend(t *testing.T, h http.Handler, service string, k wire.Credentials, hash string, change func(*http.Request)) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", strings.NewReader(`{}`))
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken},
		r, hash, service, "us-east-1", time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	change(r)
	res := httptest.NewRecorder()
	h.ServeHTTP(res, r)
	if res.Code == http.StatusOK {
		return ""
	}
	return res.Body.String()
}

func TestAPresignedURLIsVerified(t *testing.T) {
	var who wire.Principal
	_, m := strict(&who)
	server := httptest.NewServer(m)
	defer server.Close()
	keys := m.Issue(wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"})
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	})
	signed, err := s3.NewPresignClient(client).PresignDeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	require.NoError(t, err)
	for change, want := range map[string]int{"": http.StatusOK, "0": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, signed.URL+change, http.NoBody) // the signature comes last
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, res.StatusCode)
	}
}
