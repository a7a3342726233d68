package logs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/logs"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

func TestWhatIsHeardIsExactlyWhatUsersGot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do      string
		logging []*lambdatypes.LoggingConfig
	}{
		"an error, in the log format Text":    {"error", []*lambdatypes.LoggingConfig{nil}},
		"a panic":                             {"panic", []*lambdatypes.LoggingConfig{nil}},
		"a process that exits":                {"exit", []*lambdatypes.LoggingConfig{nil}},
		"an error, in the log format JSON":    {"error", []*lambdatypes.LoggingConfig{jsonTo(own)}},
		"a panic, in the log format JSON":     {"panic", []*lambdatypes.LoggingConfig{jsonTo(own)}},
		"a log group for several functions":   {"error", []*lambdatypes.LoggingConfig{textTo("/all")}},
		"the new version logs JSON":           {"error", []*lambdatypes.LoggingConfig{textTo(own), jsonTo(own)}},
		"the new version logs somewhere else": {"error", []*lambdatypes.LoggingConfig{textTo(own), jsonTo("/all")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			a.deploy("worker", test.do, test.logging...)
			require.NoError(t, a.adapter.Attach(t.Context(), alias, a.sources()...))
			got := a.orders(10 * time.Second)
			a.advance(10 * time.Second)
			assert.Equal(t, got, a.counted(a.whole))
			assert.Equal(t, got, a.counted(a.cut))
			assert.Positive(t, got["2"][1], "version 2 failed")
			assert.Less(t, got["2"][1], got["2"][0])

			heard := a.heard
			for _, s := range a.sources() {
				require.NoError(t, a.adapter.Detach(t.Context(), alias, s.Group))
				left, err := a.adapter.Attached(t.Context(), s.Group)
				require.NoError(t, err)
				assert.Empty(t, left)
			}
			a.orders(2 * time.Second)
			a.advance(10 * time.Second)
			assert.Equal(t, heard, a.heard, "detached is detached")
		})
	}
}

func TestWhereThereIsNothingToHearTheReasonIsSaid(t *testing.T) {
	t.Parallel()
	quiet := jsonTo(own)
	quiet.SystemLogLevel = lambdatypes.SystemLogLevelWarn
	other := func(a *account, group, name, function string) {
		_, err := a.logs.PutSubscriptionFilter(a.t.Context(), &cloudwatchlogs.PutSubscriptionFilterInput{
			LogGroupName: &group, FilterName: &name, FilterPattern: aws.String(""), DestinationArn: &function,
		})
		require.NoError(a.t, err)
	}
	for name, test := range map[string]struct {
		role    string
		logging []*lambdatypes.LoggingConfig
		before  func(*account)
		want    string
	}{
		"a role that may not log":      {"silent", []*lambdatypes.LoggingConfig{nil}, nil, "there is no log group /aws/lambda/checkout"},
		"what succeeds is left out":    {"worker", []*lambdatypes.LoggingConfig{quiet}, nil, "the system log level of /aws/lambda/checkout is WARN"},
		"a listener that may not hear": {"worker", []*lambdatypes.LoggingConfig{textTo("/other")}, nil, "Could not execute the lambda function"},
		"the listener's own log":       {"worker", []*lambdatypes.LoggingConfig{textTo("/aws/lambda/listener")}, nil, "/aws/lambda/listener is the log of listener, which hears it"},
		"two filters of others": {"worker", []*lambdatypes.LoggingConfig{nil}, func(a *account) {
			other(a, own, "a", listener)
			other(a, own, "b", listener)
		}, "has its two subscription filters already"},
		"two filters in the second group": {"worker", []*lambdatypes.LoggingConfig{nil, textTo("/all")}, func(a *account) {
			other(a, "/all", "a", listener)
			other(a, "/all", "b", listener)
		}, "the log group /all has its two subscription filters already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			a.deploy(test.role, "error", test.logging...)
			if test.before != nil {
				test.before(a)
			}
			err := a.adapter.Attach(t.Context(), alias, a.sources()...)
			require.ErrorIs(t, err, outcome.ErrUnavailable)
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "attach to the log of checkout:live")
			left, err := a.adapter.Attached(t.Context(), own)
			require.NoError(t, err)
			assert.Empty(t, left, "nothing stays attached")
		})
	}
}

func TestWhatACrashLeavesIsFoundAndDetachedTwice(t *testing.T) {
	a := open(t)
	a.deploy("worker", "error", nil)
	ctx := t.Context()
	require.NoError(t, a.adapter.Attach(ctx, alias, a.sources()...))
	require.NoError(t, a.adapter.Attach(ctx, alias, a.sources()...), "once more is the same")
	_, err := a.logs.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{
		LogGroupName: aws.String(own), FilterName: aws.String("pullback-not-ours"), FilterPattern: aws.String(""), DestinationArn: aws.String(listener),
	})
	require.NoError(t, err)
	left, err := a.adapter.Attached(ctx, own)
	require.NoError(t, err)
	assert.Equal(t, []deploy.Alias{alias}, left)
	none, err := logs.New(a.logs, strings.Replace(listener, "listener", "other", 1)).Attached(ctx, own)
	require.NoError(t, err)
	assert.Empty(t, none, "another listener's")
	require.NoError(t, a.adapter.Detach(ctx, alias, own, "/gone"))
	require.NoError(t, a.adapter.Detach(ctx, alias, own))
	left, err = a.adapter.Attached(ctx, "/gone")
	require.NoError(t, err)
	assert.Empty(t, left)
}
