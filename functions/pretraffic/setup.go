package pretraffic

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/keeping"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/targets/hooked"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("pretraffic: %w", err)
	}
	s := env.Settings
	store := table.New(dynamodb.NewFromConfig(cfg), s.Table).WithOutbox(s.Hub != "")
	all := hooked.New(cfg, s.Account, store)
	rules := hooked.Configuration(cfg, s, store, nil, clock.Now, env.Log)
	h := &Handler{
		Deployments: all,
		Wards:       ward.Wards{Groups: all, Config: rules},
		Versions:    gated{all},
		Finder:      incident.Finder{Ledger: ward.Marked{Ledger: store, Config: rules}, Revisions: all},
		Ledger:      store,
		Incidents:   store,
		Refusals:    store,
		Taker:       keeping.New(cfg, s.Account, store, clock.Now),
		Runner: hook.Runner{
			Reporter: all.Groups, Waiting: store, Function: "pretraffic", Now: clock.Now,
			Reserve: s.HookReserve, Observe: s.Mode == settings.Observe, Log: env.Log,
		},
		Now: clock.Now,
	}
	return h.Handle, nil
}

// gated looks at any revision, and calls one on Lambda.
type gated struct{ hooked.All }

// Probe implements Versions.
func (g gated) Probe(ctx context.Context, function string, r deploy.Revision, payload []byte) error {
	return g.Functions.Probe(ctx, function, r, payload)
}
