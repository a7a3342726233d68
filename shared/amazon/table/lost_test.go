package table_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

func credentials(c wire.Credentials) func(context.Context) (aws.Credentials, error) {
	return func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
	}
}

// loseWrites makes DynamoDB do every write, and the network lose the first
// answer to it. A transaction's client token is forgotten as well, as it is
// after ten minutes, so that only the ledger itself can know its own write.
func (s *server) loseWrites() (lost *atomic.Int32) {
	lost = new(atomic.Int32)
	s.door = func(rw http.ResponseWriter, r *http.Request, aws http.Handler) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		reading := operation == "GetItem" || operation == "BatchGetItem" || operation == "Query"
		if reading || !strings.Contains(r.Header.Get("Amz-Sdk-Request"), "attempt=1") {
			aws.ServeHTTP(rw, r)
			return
		}
		aws.ServeHTTP(httptest.NewRecorder(), withoutToken(r))
		lost.Add(1)
		rw.WriteHeader(http.StatusBadGateway)
	}
	return lost
}

func withoutToken(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(regexp.MustCompile(`"ClientRequestToken":"[^"]*",?`).ReplaceAll(body, nil)))
	return r
}

var (
	target = deploy.Target{Application: "shop", Group: "prod"}
	now    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func trouble() ledger.Incident {
	return ledger.Incident{ID: deploy.IncidentOf(target, "d-1"), Target: target, Deployment: "d-1", Phase: ledger.Open, Opened: now}
}

// abroad returns the first record of the target elsewhere, as it comes from there.
func abroad(t *testing.T, verb string) ledger.Copy {
	t.Helper()
	r, err := ledger.Seal(ledger.Record{Target: target, At: now, Verb: verb}, 1, "")
	require.NoError(t, err)
	doc, err := json.Marshal(r)
	require.NoError(t, err)
	c, err := ledger.NewCopy(ledger.Home{Account: "111122223333", Region: "eu-west-1"}, string(doc))
	require.NoError(t, err)
	return c
}

func TestAWriteWhoseAnswerWasLostSucceeds(t *testing.T) {
	tests := map[string]func(t *testing.T, s ledgertest.Store, lose func()){
		"open": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			_, created, err := s.OpenIncident(t.Context(), trouble())
			require.NoError(t, err)
			assert.True(t, created)
		},
		"claim": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			i, _, err := s.OpenIncident(t.Context(), trouble())
			require.NoError(t, err)
			lose()
			got, err := s.ClaimIncident(t.Context(), i.ID, "a", now, time.Minute)
			require.NoError(t, err)
			assert.Equal(t, ledger.Claim{Owner: "a", Generation: 1, Until: now.Add(time.Minute)}, got.Claim)
			assert.Equal(t, i.Rev+1, got.Rev)
		},
		"save": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			i, _, err := s.OpenIncident(t.Context(), trouble())
			require.NoError(t, err)
			lose()
			i.Phase = ledger.Restored
			got, err := s.SaveIncident(t.Context(), i)
			require.NoError(t, err)
			assert.Equal(t, i.Rev+1, got.Rev)
		},
		"known good": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			require.NoError(t, s.MarkKnownGood(t.Context(), ledger.KnownGood{Target: target, Revision: "7", At: now}))
		},
		"bake": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			b := ledger.Bake{Target: target, Revision: "7", Since: now}
			got, err := s.StartBake(t.Context(), b)
			require.NoError(t, err)
			assert.Equal(t, b, got)
		},
		"hold": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			require.NoError(t, s.PutHold(t.Context(), ledger.Hold{Target: target, At: now}))
		},
		"release": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			require.NoError(t, s.PutHold(t.Context(), ledger.Hold{Target: target, At: now}))
			lose()
			require.NoError(t, s.Release(t.Context(), target))
			_, err := s.HoldOn(t.Context(), target)
			require.ErrorIs(t, err, ledger.ErrNotFound)
		},
		"quarantine": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			require.NoError(t, s.PutQuarantine(t.Context(), ledger.Quarantine{Digest: "sha", At: now}))
		},
		"alarms": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			require.NoError(t, s.IndexAlarms(t.Context(), target, []string{"errors"}))
			got, err := s.TargetsOf(t.Context(), "errors")
			require.NoError(t, err)
			assert.Equal(t, []deploy.Target{target}, got)
		},
		"append": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			_, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Verb: "stop"})
			require.NoError(t, err)
			lose()
			got, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Verb: "stop"})
			require.NoError(t, err)
			assert.Equal(t, 2, got.Seq)
			chain, err := s.Records(t.Context(), target)
			require.NoError(t, err)
			assert.Len(t, chain, 2, "the record is there once")
			require.NoError(t, ledger.Verify(chain))
		},
		"append with an outbox, and send": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			lose()
			_, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Verb: "stop"})
			require.NoError(t, err)
			waiting, err := s.Waiting(t.Context(), ledger.Letter{}, 10)
			require.NoError(t, err)
			assert.Len(t, waiting, 1)
		},
		"sent": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			_, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Verb: "stop"})
			require.NoError(t, err)
			waiting, err := s.Waiting(t.Context(), ledger.Letter{}, 10)
			require.NoError(t, err)
			lose()
			require.NoError(t, s.Sent(t.Context(), waiting))
			waiting, err = s.Waiting(t.Context(), ledger.Letter{}, 10)
			require.NoError(t, err)
			assert.Empty(t, waiting)
		},
		"copy": func(t *testing.T, s ledgertest.Store, lose func()) {
			t.Helper()
			c := abroad(t, "stop")
			lose()
			news, err := s.PutCopy(t.Context(), c)
			require.NoError(t, err)
			assert.True(t, news)
			fleet, err := s.Fleet(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []ledger.Member{ledger.Member{}.With(c)}, fleet, "it is counted once")
		},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			s := serve(t)
			lost := new(atomic.Int32)
			test(t, table.New(s.client, name).WithOutbox(true), func() { lost = s.loseWrites() })
			assert.Equal(t, int32(1), lost.Load(), "one answer was lost")
		})
	}
}

func TestAForkWhoseAnswersWereLostIsKeptOnce(t *testing.T) {
	s := serve(t)
	l := table.New(s.client, name)
	first, fork := abroad(t, "stop"), abroad(t, "allow")
	_, err := l.PutCopy(t.Context(), first)
	require.NoError(t, err)
	lost := s.loseWrites()
	news, err := l.PutCopy(t.Context(), fork)
	require.ErrorIs(t, err, ledger.ErrForked)
	assert.True(t, news)
	assert.Equal(t, int32(2), lost.Load(), "of what is refused, and of what is kept beside")
	fleet, err := l.Fleet(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []ledger.Member{ledger.Member{}.With(first).Forked(fork)}, fleet)
}
