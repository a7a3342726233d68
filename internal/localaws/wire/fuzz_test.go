package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// survives sends a body to a service whose one operation returns what it got,
// and requires an answer that is either good or says what is wrong.
func survives(t *testing.T, h http.Handler, uri, body string, header map[string]string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, uri, strings.NewReader(body))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, w.Code, "%q", w.Body)
}

func FuzzDecodeJSON(f *testing.F) {
	_, m := muxOf(wire.Service{
		Name: "dynamodb", Protocol: wire.JSON10, Target: "DynamoDB_20120810", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutItem", func(_ *wire.Call, in *dynamodb.PutItemInput) (*dynamodb.PutItemInput, error) { return in, nil }),
			wire.Op("UpdateTable", func(_ *wire.Call, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableInput, error) { return in, nil }),
		},
	})
	for _, s := range []string{
		`{"Item":{"a":{"M":{"b":{"L":[{"N":"1"},{"B":"AA=="},{"BOOL":true}]}}}}}`, `{"TableName":1e400}`, `[`, `{"Item":{"a":{}}}`,
		`{"ProvisionedThroughput":{"ReadCapacityUnits":9223372036854775808}}`, strings.Repeat(`{"Item":`, 200),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		survives(t, m, "/", body, map[string]string{"X-Amz-Target": "DynamoDB_20120810.PutItem"})
		survives(t, m, "/", body, map[string]string{"X-Amz-Target": "DynamoDB_20120810.UpdateTable"})
	})
}

func FuzzDecodeCBOR(f *testing.F) {
	_, m := muxOf(wire.Service{
		Name: "monitoring", Protocol: wire.JSON10, Target: "T", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutMetricData", func(_ *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataInput, error) {
				return in, nil
			}),
		},
	})
	for _, s := range []string{
		"", "\xa0", "\xbf\xff", "\xa1\x69Namespace\x61n", "\xa1\x6aMetricData\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xa1\x6aMetricData\x81\xa1\x69Timestamp\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", strings.Repeat("\x81", 5000),
		strings.Repeat("\xc1", 5000), "\xa1\x6aMetricData\x81\xa1\x65Value\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		survives(t, m, "/service/T/operation/PutMetricData", body, map[string]string{"Smithy-Protocol": "rpc-v2-cbor"})
		survives(t, m, "/service/T/operation/PutMetricData", body, map[string]string{
			"Smithy-Protocol": "rpc-v2-cbor", "Content-Encoding": "gzip",
		})
	})
}

func FuzzDecodeForm(f *testing.F) {
	_, m := muxOf(wire.Service{
		Name: "sns", Protocol: wire.Query, Version: "v", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PublishBatch", func(_ *wire.Call, in *sns.PublishBatchInput) (*sns.PublishBatchInput, error) { return in, nil }),
		},
	})
	for _, s := range []string{
		"TopicArn=a", "PublishBatchRequestEntries.member.1.Id=1&PublishBatchRequestEntries.member.2.Id=2",
		"PublishBatchRequestEntries=", "TopicArn.a.b=1&TopicArn=2",
		"PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=a&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.BinaryValue=!",
		strings.Repeat("a.", 5000) + "=1", "=&&;%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		survives(t, m, "/?Action=PublishBatch&Version=v", body, map[string]string{
			"Content-Type":  "application/x-www-form-urlencoded",
			"Authorization": "AWS4-HMAC-SHA256 Credential=A/1/r/sns/aws4_request,",
		})
	})
}

func FuzzDecodeXML(f *testing.F) {
	_, m := muxOf(wire.Service{
		Name: "s3", Protocol: wire.RESTXML, Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutBucketVersioning", func(*wire.Call, *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
				return &s3.PutBucketVersioningOutput{}, nil
			}).Bind(wire.REST{Method: "POST", Path: "/{Bucket}", Payload: "VersioningConfiguration"}),
		},
	})
	for _, s := range []string{
		"", "<a/>", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "<a><b></a>",
		strings.Repeat("<a>", 5000), `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		survives(t, m, "/bucket", body, nil)
		survives(t, m, "/bucket", body, map[string]string{"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
	})
}
