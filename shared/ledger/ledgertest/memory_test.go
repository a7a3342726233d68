package ledgertest_test

import (
	"testing"

	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Store { return new(ledgertest.Memory) })
}
