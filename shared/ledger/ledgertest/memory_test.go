package ledgertest_test

import (
	"testing"

	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Store { return new(ledgertest.Memory) })
}

func TestMemoryWithAnOutbox(t *testing.T) {
	ledgertest.RunOutbox(t, func(*testing.T) ledgertest.Store { return &ledgertest.Memory{Outbox: true} })
}
