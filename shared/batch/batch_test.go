package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/batch"
)

func record(id, body, group string) string {
	return `{"messageId":"` + id + `","body":"` + body + `","eventSource":"aws:sqs","attributes":{"ApproximateReceiveCount":"1","MessageGroupId":"` + group + `"}}`
}

func payload(records ...string) json.RawMessage {
	return json.RawMessage(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func TestRunReportsFailedMessagesAndLeavesTheirNeighboursAlone(t *testing.T) {
	var handled []string
	var log bytes.Buffer
	got, err := batch.Run(t.Context(), slog.New(slog.NewTextHandler(&log, nil)),
		payload(record("1", "fine", ""), record("2", "bad", ""), record("3", "boom", ""), record("4", "fine", "")),
		func(_ context.Context, m batch.Message) error {
			handled = append(handled, m.ID)
			switch m.Body {
			case "bad":
				return errors.New("malformed event: no id")
			case "boom":
				panic("nil pointer")
			}
			return nil
		})
	require.NoError(t, err)
	assert.Equal(t, batch.Response{Failures: []batch.Failure{{ID: "2"}, {ID: "3"}}}, got)
	assert.Equal(t, []string{"1", "2", "3", "4"}, handled)
	assert.Equal(t, 2, strings.Count(log.String(), "\n"), "one line a failure")
	assert.Contains(t, log.String(), "malformed event: no id")
}

func TestRunKeepsTheOrderOfAGroup(t *testing.T) {
	var handled []string
	got, err := batch.Run(t.Context(), slog.New(slog.DiscardHandler),
		payload(record("1", "bad", "a"), record("2", "fine", "b"), record("3", "fine", "a")),
		func(_ context.Context, m batch.Message) error {
			handled = append(handled, m.ID)
			if m.Body == "bad" {
				return errors.New("bad")
			}
			return nil
		})
	require.NoError(t, err)
	assert.Equal(t, batch.Response{Failures: []batch.Failure{{ID: "1"}, {ID: "3"}}}, got)
	assert.Equal(t, []string{"1", "2"}, handled)
}

func TestASuccessfulBatchAnswersWithAnEmptyListAndNotWithNull(t *testing.T) {
	got, err := batch.Run(t.Context(), slog.New(slog.DiscardHandler), payload(record("1", "fine", "")),
		func(context.Context, batch.Message) error { return nil })
	require.NoError(t, err)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `{"batchItemFailures":[]}`, string(text))
}

func TestRunRefusesWhatIsNoBatch(t *testing.T) {
	for _, p := range []string{``, `[]`, `{}`, `{"Records":[]}`, `{"Records":[{"body":"x"}]}`, `{"Records":[{"messageId":"1","eventSource":"aws:sns"}]}`} {
		_, err := batch.Run(t.Context(), slog.New(slog.DiscardHandler), json.RawMessage(p), func(context.Context, batch.Message) error {
			t.Error("handled")
			return nil
		})
		require.Error(t, err, p)
	}
}
