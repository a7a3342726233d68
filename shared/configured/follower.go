package configured

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Kept is the configuration that was good last, as the functions that read the
// source keep it.
type Kept interface {
	LastConfig(ctx context.Context) (ledger.ConfigVersion, error)
}

// A Follower goes by what other functions have found to be in force, and is at most
// one sweep behind them. It is for those that have to be small: the client of
// Parameter Store would be a sixth of posttraffic, for which CodeDeploy waits.
type Follower struct {
	Kept Kept            // nil: nothing is configured
	Base config.Defaults // what holds where the configuration says nothing
	Home config.Home     // where the function runs
}

// Current returns the configuration in force. Its error says that nobody has found
// any yet, or that it could not be read.
func (f Follower) Current(ctx context.Context) (config.Config, error) {
	if f.Kept == nil {
		return config.Default().On(f.Base).At(f.Home), nil
	}
	last, err := f.Kept.LastConfig(ctx)
	if err != nil {
		return config.Config{}, fmt.Errorf("which configuration is in force: %w", err)
	}
	found, err := config.Parse([]byte(last.Text))
	if err != nil {
		return config.Config{}, fmt.Errorf("configuration %.12s, which was good for another version of pullback: %w", last.Hash, err)
	}
	return found.On(f.Base).At(f.Home), nil
}
