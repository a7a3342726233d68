package events_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
)

// packed is a payload as CloudWatch Logs makes it.
func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	payload, err := json.Marshal(map[string]any{"awslogs": map[string]any{"data": b.Bytes()}})
	require.NoError(t, err)
	return payload
}

func TestParseLogsReadsTheSamples(t *testing.T) {
	for name, want := range map[string]events.Logs{
		"logs/report.json": {
			Group: "/aws/lambda/echo-nodejs", Stream: "2019/03/13/[$LATEST]94fa867e5374431291a7fc14e2f56ae7",
			Filters: []string{"LambdaStream_cloudwatchlogs-node"},
			Lines: []events.Line{{
				ID: "34622316099697884706540976068822859012661220141643892546", At: time.Date(2019, 3, 13, 23, 5, 48, 220e6, time.UTC),
				Text: "REPORT RequestId: 6234bffe-149a-b642-81ff-2e8e376d8aff\tDuration: 46.84 ms\tBilled Duration: 47 ms \tMemory Size: 192 MB\tMax Memory Used: 72 MB\t\n",
			}},
		},
		"logs/control.json": {},
	} {
		got, err := events.ParseLogs(sample(t, name))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

func TestParseLogsIgnoresMembersThatItDoesNotKnow(t *testing.T) {
	got, err := events.ParseLogs(packed(t, []byte(`{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","policyLevel":"ACCOUNT_LEVEL_POLICY",
		"logEvents":[{"id":"1","timestamp":1000,"message":"m","extractedFields":{}}]}`)))
	require.NoError(t, err)
	assert.Equal(t, events.Logs{Group: "g", Stream: "s", Lines: []events.Line{{ID: "1", At: time.Unix(1, 0).UTC(), Text: "m"}}}, got)
}

func TestParseLogsRefusesWhatItCannotRead(t *testing.T) {
	data := func(text string) []byte { return packed(t, []byte(text)) }
	whole := data(`{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s","logEvents":[{"id":"1","timestamp":1,"message":"m"}]}`)
	for name, test := range map[string]struct {
		payload []byte
		why     string
	}{
		"not JSON":         {[]byte(`x`), "log batch: invalid character"},
		"no data":          {[]byte(`{"awslogs":{}}`), "a log batch lacks awslogs.data"},
		"not base64":       {[]byte(`{"awslogs":{"data":"*"}}`), "log batch: illegal base64"},
		"not compressed":   {[]byte(`{"awslogs":{"data":"aGVsbG8="}}`), "log batch: unexpected EOF"},
		"cut off":          {bytes.Replace(whole, []byte(`AAA="`), []byte(`A"`), 1), "log batch: "},
		"not a batch":      {data(`[]`), "log batch: json: cannot unmarshal"},
		"an unknown type":  {data(`{"messageType":"NEWS","logGroup":"g","logStream":"s"}`), "a log batch is neither DATA_MESSAGE nor CONTROL_MESSAGE"},
		"no stream":        {data(`{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{}]}`), "a log batch lacks logGroup, logStream or logEvents"},
		"no events":        {data(`{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s"}`), "a log batch lacks logGroup, logStream or logEvents"},
		"a bomb":           {data(strings.Repeat(" ", 17<<20)), "log batch: unpacks to more than 16 MiB"},
		"a time in words":  {data(`{"messageType":"DATA_MESSAGE","logEvents":[{"timestamp":"noon"}]}`), "log batch: json: cannot unmarshal string"},
		"an empty payload": {nil, "log batch: unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := events.ParseLogs(test.payload)
			malformed, ok := errors.AsType[events.MalformedError](err)
			require.True(t, ok, "%v", err)
			assert.True(t, strings.HasPrefix(malformed.Why, test.why), malformed.Why)
		})
	}
}

func TestShapesAreToldApart(t *testing.T) {
	for name, test := range map[string]struct {
		payload []byte
		want    events.Shape
	}{
		"a hook":               {sample(t, "hook.json"), events.ShapeHook},
		"a log batch":          {sample(t, "logs/report.json"), events.ShapeLogs},
		"messages":             {[]byte(`{"Records":[{"messageId":"1"}]}`), events.ShapeMessages},
		"other members first":  {[]byte(`{"x":{"Records":[]},"y":[1,{"awslogs":2}],"awslogs":{}}`), events.ShapeLogs},
		"a rest that is wrong": {[]byte(`{"Records":[`), events.ShapeMessages},
		"an event":             {sample(t, "sweep.json"), events.ShapeUnknown},
		"a list":               {[]byte(`["awslogs"]`), events.ShapeUnknown},
		"broken":               {[]byte(`{"x":`), events.ShapeUnknown},
		"a name that is none":  {[]byte(`{1:2}`), events.ShapeUnknown},
		"nothing":              {nil, events.ShapeUnknown},
	} {
		assert.Equal(t, test.want, events.ShapeOf(test.payload), name)
	}
}

func FuzzParseLogs(f *testing.F) {
	f.Add([]byte(`{"awslogs":{"data":"aGVsbG8="}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, err := events.ParseLogs(payload); err != nil {
			_, ok := errors.AsType[events.MalformedError](err)
			assert.True(t, ok, "%v", err)
		}
		events.ShapeOf(payload)
	})
}
