package ward_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/ward"
)

var (
	errDown = errors.New("throttled")
	epoch   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
)

// deaf cannot say how far a revision may be taken back.
type deaf struct{ ward.Ledger }

func (deaf) OneWayOf(context.Context, deploy.Target, deploy.Revision) (ledger.OneWay, error) {
	return ledger.OneWay{}, errDown
}

func TestARevisionGoesBackAsFarAsTheFileSays(t *testing.T) {
	said := ledger.OneWay{Target: checkout, Revision: "12", Because: "drops a column", By: "somebody", At: epoch}
	fromFile := ledger.OneWay{Target: checkout, Revision: "12", To: "11", Because: "oneWay says so", By: "pullback.yaml"}
	tests := map[string]struct {
		target   deploy.Target
		revision deploy.Revision
		marks    []ledger.OneWay
		source   source
		want     ledger.OneWay
		err      error
	}{
		"the file says it":                   {checkout, "12", nil, source{Config: parsed(t)}, fromFile, nil},
		"a human has said something else":    {checkout, "12", []ledger.OneWay{said}, source{Config: parsed(t)}, said, nil},
		"of another revision":                {checkout, "13", nil, source{Config: parsed(t)}, ledger.OneWay{}, ledger.ErrNotFound},
		"of another target":                  {search, "12", nil, source{Config: parsed(t)}, ledger.OneWay{}, ledger.ErrNotFound},
		"no file was ever good":              {checkout, "12", nil, source{err: ledger.ErrNotFound}, ledger.OneWay{}, ledger.ErrNotFound},
		"the configuration cannot be read":   {checkout, "12", nil, source{err: errDown}, ledger.OneWay{}, errDown},
		"a human has, and it cannot be read": {checkout, "12", []ledger.OneWay{said}, source{err: errDown}, said, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := &ledgertest.Memory{}
			for _, mark := range test.marks {
				require.NoError(t, m.PutOneWay(t.Context(), mark))
			}
			got, err := ward.Marked{Ledger: m, Config: test.source}.OneWayOf(t.Context(), test.target, test.revision)
			require.ErrorIs(t, err, test.err)
			assert.Equal(t, test.want, got)
		})
	}
	_, err := ward.Marked{Ledger: deaf{}, Config: source{Config: parsed(t)}}.OneWayOf(t.Context(), checkout, "12")
	require.ErrorIs(t, err, errDown, "what a human has said is not known, so nothing is")
}
