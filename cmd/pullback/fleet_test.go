package main_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestAFleetIsAskedForInTheRightWords(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"an output": {[]string{"fleet", "-o", "xml"}, "pullback: output is table or json, not \"xml\"\n"},
		"a home":    {[]string{"explain", "shop/eu", "--from", "eu-west-1"}, "pullback: --from: \"eu-west-1\" is not ACCOUNT/REGION, such as 123456789012/eu-west-1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stderr := refused(t, test.args...)
			assert.Equal(t, []any{2, test.says}, []any{code, stderr})
		})
	}
}

func TestAHubShowsWhatOthersHaveOnRecord(t *testing.T) {
	l := up(t, "--clock", "fast")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": l.url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	cfg := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(l.url), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	(&volumes{t: t}).control(cfg)
	stdout, stderr, code := run(t, "", "fleet")
	assert.Equal(t, []any{0, "ACCOUNT  REGION  TARGET  STATE  GAP  LAST  SAID\n", "no records of other control planes are here; is this the hub of the fleet?\n"}, []any{code, stdout, stderr})

	r, err := ledger.Seal(ledger.Record{Target: servers, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Function: "alarmrouter", Verb: "hold", Rule: "no-way-back", Because: "alarm errors is red"}, 2, "x")
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	c, err := ledger.NewCopy(ledger.Home{Account: "444455556666", Region: "eu-west-1"}, string(text))
	require.NoError(t, err)
	_, err = table.New(dynamodb.NewFromConfig(cfg), "ledger").PutCopy(t.Context(), c)
	require.NoError(t, err)

	stdout, stderr, code = run(t, "", "fleet", "-o", "json")
	require.Equal(t, []any{0, ""}, []any{code, stderr})
	var got []operate.Standing
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, []operate.Standing{{Member: ledger.Member{}.With(c), Missing: 1}}, got)

	stdout, stderr, code = run(t, "", "explain", "--from", "444455556666/eu-west-1", "shop/servers")
	assert.Equal(t, []any{0, "2026-03-01 12:00:00  alarmrouter  hold (no-way-back)  alarm errors is red\n", "missing: 1; the control plane there has not sent it yet, or it was lost on the way\n"}, []any{code, stdout, stderr})
	_, stderr, code = run(t, "", "explain", "--from", "444455556666/eu-west-2", "shop/servers")
	assert.Equal(t, []any{1, "pullback: nothing has come of shop/servers from 444455556666/eu-west-2; pullback fleet lists what has\n"}, []any{code, stderr})
}
