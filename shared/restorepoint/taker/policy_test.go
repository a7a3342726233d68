package taker_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

func TestTheConfigurationSaysWhatIsKept(t *testing.T) {
	assert.Equal(t, restorepoint.Policy{Instances: true}, taker.Policy(config.Default().Base.RestorePoint), "nothing, unless it is asked for")
	assert.Equal(t, restorepoint.Policy{Kind: ledger.Snapshots, Instances: true, Wait: true},
		taker.Policy(config.RestorePoint{Kind: config.Snapshots, VolumesOf: config.OfInstances, Wait: true}))
	assert.Equal(t, restorepoint.Policy{Kind: ledger.Backup, Resources: []string{"arn:1"}, Vault: "v", Role: "r"},
		taker.Policy(config.RestorePoint{Kind: config.Backup, VolumesOf: config.OfNobody, Resources: []string{"arn:1"}, Vault: "v", Role: "r"}))
}
