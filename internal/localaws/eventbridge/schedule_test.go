package eventbridge_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b *bench) schedule(expression string) {
	b.t.Helper()
	_, err := b.PutRule(b.t.Context(), &sdk.PutRuleInput{Name: aws.String("r"), ScheduleExpression: &expression})
	require.NoError(b.t, err)
}

func TestRateFiresFirstOnePeriodAfterTheRuleWasPut(t *testing.T) {
	b := newBench(t)
	b.advance(30 * time.Second)
	b.schedule("rate(5 minutes)")
	b.target("r", target(queueARN))
	b.advance(5*time.Minute - time.Second)
	assert.Empty(t, b.observed)
	b.advance(2 * time.Second)
	var e struct {
		ID string `json:"id"`
	}
	require.Len(t, b.observed, 1)
	require.NoError(t, json.Unmarshal([]byte(b.observed[0]), &e))
	want := `{"version":"0","id":"` + e.ID + `","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012",` +
		`"time":"2026-01-05T09:05:30Z","region":"us-east-1","resources":["arn:aws:events:us-east-1:123456789012:rule/r"],"detail":{}}`
	assert.Equal(t, []string{want}, bodies(b.queued("q")))
	b.advance(10 * time.Minute)
	assert.Len(t, b.observed, 3)

	_, err := b.DisableRule(t.Context(), &sdk.DisableRuleInput{Name: aws.String("r")})
	require.NoError(t, err)
	b.advance(time.Hour)
	assert.Len(t, b.observed, 3)
}

// The world begins on Monday 2026-01-05 at 09:00. The expressions are those of
// the EventBridge user guide, "Cron expressions", and their variants.
func TestCronFiresByTheCalendar(t *testing.T) {
	for expression, want := range map[string]string{
		"cron(0 10 * * ? *)":            "2026-01-05T10:00:00Z",
		"cron(15 12 * * ? *)":           "2026-01-05T12:15:00Z",
		"cron(0 18 ? * MON-FRI *)":      "2026-01-05T18:00:00Z",
		"cron(0 8 1 * ? *)":             "2026-02-01T08:00:00Z",
		"cron(0/15 * * * ? *)":          "2026-01-05T09:15:00Z",
		"cron(0/10 * ? * MON-FRI *)":    "2026-01-05T09:10:00Z",
		"cron(0/5 8-17 ? * TUE *)":      "2026-01-06T08:00:00Z",
		"cron(0 9 * * ? *)":             "2026-01-06T09:00:00Z",
		"cron(30 6 L * ? *)":            "2026-01-31T06:30:00Z",
		"cron(30 6 10W * ? *)":          "2026-01-09T06:30:00Z",
		"cron(30 6 11W * ? *)":          "2026-01-12T06:30:00Z",
		"cron(0 0 ? * 6#3 *)":           "2026-01-16T00:00:00Z",
		"cron(0 0 ? * 2L *)":            "2026-01-26T00:00:00Z",
		"cron(0 0 ? * L *)":             "2026-01-10T00:00:00Z",
		"cron(0 0 29 FEB ? *)":          "2028-02-29T00:00:00Z",
		"cron(5,35 14 ? MAR,JUN SUN *)": "2026-03-01T14:05:00Z",
		"cron(0 0 1 1 ? 2030-2040)":     "2030-01-01T00:00:00Z",
	} {
		t.Run(expression, func(t *testing.T) {
			b := newBench(t)
			b.schedule(expression)
			at, err := time.Parse(time.RFC3339, want)
			require.NoError(t, err)
			b.advance(at.Sub(b.w.Now()) - time.Second)
			assert.Empty(t, b.observed)
			b.advance(time.Second)
			require.Len(t, b.observed, 1)
			assert.Contains(t, b.observed[0], `"time":"`+want+`"`)
		})
	}
}

func TestScheduleThatIsNoneIsRefused(t *testing.T) {
	b := newBench(t)
	for _, expression := range []string{
		"rate(0 minutes)", "rate(2 minute)", "rate(1 second)", "rate(1.5 hours)", "every minute", "cron(* * * * * *)", "cron(* * ? * ? *)",
		"cron(60 * * * ? *)", "cron(* * * * ?)", "cron(5-1 * * * ? *)", "cron(* * 32 * ? *)", "cron(* * ? * 8 *)", "cron(*/0 * * * ? *)",
	} {
		_, err := b.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("r"), ScheduleExpression: &expression})
		assert.ErrorContains(t, err, "Parameter ScheduleExpression is not valid.", expression)
	}
}
