package ec2_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	svc := newBench(t).service.Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/ec2")
	wiretest.Answers(t, svc)
}

// raw sends a form and returns the answer as it is.
func (b *bench) raw(form string) (status int, body string) {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.ctx, http.MethodPost, "/", strings.NewReader(form+"&Version=2016-11-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260105/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	require.NoError(b.t, err)
	return w.Code, string(text)
}

// The elements are those of the EC2 API Reference's sample answers.
func TestAnswersLookAsTheReferenceShowsThem(t *testing.T) {
	b := newBench(t)
	id := b.run(1)[0]
	status, body := b.raw("Action=DescribeInstanceStatus&IncludeAllInstances=true&InstanceId.1=" + id)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `<DescribeInstanceStatusResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`+
		`<requestId>00000000-0000-4000-8000-000000000002</requestId><instanceStatusSet><item><availabilityZone>us-east-1a</availabilityZone>`+
		`<availabilityZoneId>us-east-1-az1</availabilityZoneId><instanceId>`+id+`</instanceId><instanceState><code>0</code><name>pending</name></instanceState>`+
		`<instanceStatus><status>not-applicable</status></instanceStatus><systemStatus><status>not-applicable</status></systemStatus></item></instanceStatusSet>`+
		`</DescribeInstanceStatusResponse>`, body)

	status, body = b.raw("Action=CreateTags&ResourceId.1=" + id + "&Tag.1.Key=a&Tag.1.Value=b")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `<CreateTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>00000000-0000-4000-8000-000000000003</requestId>`+
		`<return>true</return></CreateTagsResponse>`, body)
}

func TestErrorsLookAsTheReferenceShowsThem(t *testing.T) {
	b := newBench(t)
	status, body := b.raw("Action=TerminateInstances&InstanceId.1=i-00000000000000000")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>The instance ID &#39;i-00000000000000000&#39; does not exist</Message></Error></Errors>`+
		`<RequestID>00000000-0000-4000-8000-000000000001</RequestID></Response>`, body)

	for form, want := range map[string]string{
		"Action=MoveMountains": "<Code>UnknownOperationException</Code>",
		"Action=DescribeInstances&InstanceId.1=a&InstanceId.3=b": "<Code>SerializationException</Code>",
		"Action=DescribeInstances&MaxResults=many":               "<Code>SerializationException</Code>",
	} {
		status, body := b.raw(form)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, status, form)
		assert.Contains(t, body, want)
	}
}
