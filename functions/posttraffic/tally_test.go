package posttraffic_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/functions/posttraffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// delivery is a batch of log events as it is before it is packed.
type delivery struct {
	Type    string      `json:"messageType"`
	Group   string      `json:"logGroup"`
	Stream  string      `json:"logStream"`
	Filters []string    `json:"subscriptionFilters"`
	Events  []logOfTime `json:"logEvents"`
}

type logOfTime struct {
	ID      string `json:"id"`
	At      int64  `json:"timestamp"`
	Message string `json:"message"`
}

// orders is a batch with a request to version 2 that failed in Go.
func orders(changes ...func(*delivery)) delivery {
	const id = "11111111-1111-4111-8111-111111111111"
	d := delivery{Type: "DATA_MESSAGE", Group: "/aws/lambda/checkout", Stream: "2026/01/05/[2]aa", Filters: []string{"pullback-checkout.live"}}
	for i, text := range []string{
		"START RequestId: " + id + " Version: 2\n",
		`2026/01/05 12:00:00 {"errorMessage":"no stock","errorType":"errorString"}` + "\n",
		"REPORT RequestId: " + id + "\tDuration: 1.00 ms\t\n",
	} {
		d.Events = append(d.Events, logOfTime{ID: string(rune('1' + i)), At: noon.UnixMilli(), Message: text})
	}
	for _, change := range changes {
		change(&d)
	}
	return d
}

func (d delivery) payload(t *testing.T) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(d)
	require.NoError(t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	payload, err := json.Marshal(map[string]any{"awslogs": map[string]any{"data": b.Bytes()}})
	require.NoError(t, err)
	return payload
}

// forgetful is a ledger that is down for one alias.
type forgetful struct {
	*ledgertest.Memory
	down deploy.Alias
}

func (f forgetful) AddOutcomes(ctx context.Context, a deploy.Alias, parts []outcome.Part) error {
	if a == f.down {
		return errors.New("the ledger is down")
	}
	return f.Memory.AddOutcomes(ctx, a, parts)
}

// counted are an alias's requests and errors of version 2.
func counted(t *testing.T, m *ledgertest.Memory, a deploy.Alias) [2]int {
	t.Helper()
	counts, err := m.Outcomes(t.Context(), a, noon, noon.Add(outcome.Width))
	require.NoError(t, err)
	sum := [2]int{}
	for _, c := range counts {
		require.Equal(t, deploy.Revision("2"), c.Version)
		sum[0] += c.Requests
		sum[1] += c.Errors
	}
	return sum
}

func TestWhatIsDeliveredIsCountedForTheAliasOfTheFilter(t *testing.T) {
	next := deploy.Alias{Function: "checkout", Name: "next"}
	tests := map[string]struct {
		change     func(*delivery)
		live, next [2]int
		logged     string
	}{
		"its own log":        {func(*delivery) {}, [2]int{1, 1}, [2]int{}, ""},
		"two filters":        {func(d *delivery) { d.Filters = append(d.Filters, "pullback-checkout.next", "other") }, [2]int{1, 1}, [2]int{1, 1}, ""},
		"a shared log":       {func(d *delivery) { d.Group, d.Stream = "/all", "2026/01/05/checkout[2]aa" }, [2]int{1, 1}, [2]int{}, ""},
		"another function":   {func(d *delivery) { d.Group, d.Stream = "/all", "2026/01/05/basket[2]aa" }, [2]int{}, [2]int{}, ""},
		"nobody's function":  {func(d *delivery) { d.Group = "/all" }, [2]int{}, [2]int{}, ""},
		"a foreign filter":   {func(d *delivery) { d.Filters = []string{"ship-all"} }, [2]int{}, [2]int{}, "no filter of pullback's has delivered it"},
		"a foreign stream":   {func(d *delivery) { d.Stream = "web-1" }, [2]int{}, [2]int{}, "is not a Lambda function's"},
		"a control message":  {func(d *delivery) { *d = delivery{Type: "CONTROL_MESSAGE"} }, [2]int{}, [2]int{}, ""},
		"an unreadable line": {func(d *delivery) { d.Events[1].Message = "REPORT RequestId: \t\n" }, [2]int{1, 0}, [2]int{}, "log lines not understood"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			memory := &ledgertest.Memory{}
			tally := posttraffic.Tally{Ledger: memory, Log: slog.New(slog.NewTextHandler(&log, nil))}
			payload := orders(test.change).payload(t)
			require.NoError(t, tally.Add(t.Context(), payload))
			require.NoError(t, tally.Add(t.Context(), payload), "once more")
			assert.Equal(t, test.live, counted(t, memory, alias))
			assert.Equal(t, test.next, counted(t, memory, next))
			if test.logged == "" {
				assert.Empty(t, log.String())
			}
			assert.Contains(t, log.String(), test.logged)
			assert.NotContains(t, log.String(), "no stock", "what a function logs stays where it is")
		})
	}
}

func TestABatchThatCouldNotBeKeptComesAgain(t *testing.T) {
	next := deploy.Alias{Function: "checkout", Name: "next"}
	memory := &ledgertest.Memory{}
	tally := posttraffic.Tally{Ledger: forgetful{memory, alias}, Log: slog.New(slog.DiscardHandler)}
	payload := orders(func(d *delivery) { d.Filters = append(d.Filters, "pullback-checkout.next") }).payload(t)
	require.EqualError(t, tally.Add(t.Context(), payload), "count outcomes of checkout:live: the ledger is down")
	assert.Equal(t, [2]int{1, 1}, counted(t, memory, next), "the other one is counted")

	tally.Ledger = memory
	require.NoError(t, tally.Add(t.Context(), payload))
	assert.Equal(t, [2]int{1, 1}, counted(t, memory, alias))
	assert.Equal(t, [2]int{1, 1}, counted(t, memory, next))
}

func TestWhatIsNoBatchIsAnError(t *testing.T) {
	tally := posttraffic.Tally{Ledger: &ledgertest.Memory{}, Log: slog.New(slog.DiscardHandler)}
	require.ErrorContains(t, tally.Add(t.Context(), []byte(`{"awslogs":{"data":"x"}}`)), "count outcomes: malformed event: log batch")
}

func BenchmarkTally(b *testing.B) {
	d := orders()
	for range 11 {
		d.Events = append(d.Events, d.Events...)
	}
	text, err := json.Marshal(d)
	require.NoError(b, err)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err = w.Write(text)
	require.NoError(b, err)
	require.NoError(b, w.Close())
	payload, err := json.Marshal(map[string]any{"awslogs": map[string]any{"data": z.Bytes()}})
	require.NoError(b, err)
	tally := posttraffic.Tally{Ledger: &ledgertest.Memory{}, Log: slog.New(slog.DiscardHandler)}
	for b.Loop() {
		require.NoError(b, tally.Add(b.Context(), payload))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(d.Events)/3), "ns/request")
}
