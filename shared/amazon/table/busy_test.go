package table_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// refuse makes DynamoDB answer the first writes with an error, doing nothing.
func (s *server) refuse(writes int, body string) (refused *int) {
	refused = new(int)
	s.door = func(rw http.ResponseWriter, r *http.Request, aws http.Handler) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if *refused == writes || operation == "GetItem" || operation == "Query" || operation == "BatchGetItem" {
			aws.ServeHTTP(rw, r)
			return
		}
		*refused++
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, body)
	}
	return refused
}

const (
	conflict = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}`
	canceled = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled",` +
		`"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]}`
	denied = `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}`
)

func TestAWriteThatMeetsATransactionIsTriedAgain(t *testing.T) {
	t.Run("of one item", func(t *testing.T) {
		s := serve(t)
		refused := s.refuse(2, conflict)
		require.NoError(t, s.ledger().PutHold(t.Context(), ledger.Hold{Target: target, At: now}))
		assert.Equal(t, 2, *refused)
	})
	t.Run("of a transaction", func(t *testing.T) {
		s := serve(t)
		refused := s.refuse(2, canceled)
		_, created, err := s.ledger().OpenIncident(t.Context(), trouble())
		require.NoError(t, err)
		assert.True(t, created)
		assert.Equal(t, 2, *refused)
	})
	t.Run("but not for ever", func(t *testing.T) {
		s := serve(t)
		refused := s.refuse(1_000, canceled)
		_, err := s.ledger().Append(t.Context(), ledger.Record{Target: target, At: now})
		require.ErrorContains(t, err, "others are writing")
		assert.Less(t, *refused, 100)
	})
}

func TestAnErrorIsPassedOn(t *testing.T) {
	s := serve(t)
	s.refuse(1_000, denied)
	_, _, err := s.ledger().OpenIncident(t.Context(), trouble())
	require.ErrorContains(t, err, "AccessDeniedException")
	require.ErrorContains(t, err, string(trouble().ID))
}
