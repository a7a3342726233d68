package taker

import (
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// Policy is what the configuration says is kept.
func Policy(c config.RestorePoint) restorepoint.Policy {
	p := restorepoint.Policy{
		Kind: ledger.PointKind(c.Kind), Instances: c.VolumesOf == config.OfInstances, Resources: c.Resources, Vault: c.Vault, Role: c.Role, Wait: c.Wait,
	}
	if c.Kind == config.NoRestorePoint {
		p.Kind = ""
	}
	return p
}
