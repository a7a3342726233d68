package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestARestorePointIsNamedAfterItsTargetAndDeployment(t *testing.T) {
	prod := deploy.Target{Application: "shop", Group: "prod"}
	assert.Equal(t, ledger.PointID("rp-e5d91ccf17c5"), ledger.PointOf(prod, "d-ABCDEF123"), "stored, must not change")
	assert.NotEqual(t, ledger.PointOf(prod, "d-ABCDEF123"), ledger.PointOf(prod, "d-ABCDEF124"))
	assert.NotEqual(t, ledger.PointOf(prod, "d-ABCDEF123"), ledger.PointOf(deploy.Target{Application: "shop", Group: "staging"}, "d-ABCDEF123"))
}
