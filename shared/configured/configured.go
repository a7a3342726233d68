// Package configured says which configuration is in force: the one that was
// deployed last, or the last good one while that is wrong or cannot be read.
//
// It never refuses to answer because a file is wrong: a control plane that stops
// over a typing error protects nobody. It changes no configuration.
package configured

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Source is where the configuration was deployed to.
type Source interface {
	// Read returns the text, and a version that grows with every change.
	Read(ctx context.Context) (text string, version int64, err error)
}

// Ledger remembers configurations.
type Ledger interface {
	PutConfig(ctx context.Context, v ledger.ConfigVersion) error
	LastConfig(ctx context.Context) (ledger.ConfigVersion, error)
	MarkConfigProblem(ctx context.Context, p ledger.ConfigProblem) (bool, error)
}

// Problems hears of configurations that cannot be used, once for each version
// however many functions see it, and once a day while none can be read.
type Problems interface {
	ConfigProblem(ctx context.Context, p Problem) error
}

// Problem is why the configuration that was deployed is not in force.
type Problem struct {
	What  string // each thing that is wrong on a line
	Force string // what is in force instead
	Mend  string // what to do
}

// Reader reads the configuration. One Reader may serve many invocations.
type Reader struct {
	Source   Source // nil: nothing is configured
	Ledger   Ledger
	Problems Problems        // nil: another function tells
	Begun    bool            // for who only finishes what was begun: where none was ever good it is an error, and not "observe"
	Base     config.Defaults // what holds where the configuration says nothing
	Home     config.Home     // where the function runs
	Now      func() time.Time
	Log      *slog.Logger

	mu    sync.Mutex
	force *config.Config // in force; nil before the first look
	good  *config.Config // the last good one that this process has read; nil if there is none
	read  time.Time      // when the source was looked at
	owed  string         // a problem that is this process's to tell
	told  string         // the last problem that somebody has told
}

// fresh is how long a configuration is in force without another look: Parameter
// Store throttles whoever reads, for all of the account and region together.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-throughput.html
const fresh = time.Minute

// Current returns the configuration in force. Call it after something else was
// read from AWS: the clock stands still between invocations until then. Its error
// says that not even the ledger could say what was in force.
func (r *Reader) Current(ctx context.Context) (config.Config, error) {
	if r.Source == nil {
		return r.placed(config.Default()), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if r.force != nil && now.Sub(r.read) < fresh {
		return *r.force, nil
	}
	found, err := r.look(ctx, now)
	if err != nil {
		return config.Config{}, err
	}
	r.force, r.read = &found, now
	return found, nil
}

// placed returns a configuration as it is in force here.
func (r *Reader) placed(c config.Config) config.Config { return c.On(r.Base).At(r.Home) }

// look reads the source.
func (r *Reader) look(ctx context.Context, now time.Time) (config.Config, error) {
	text, version, err := r.Source.Read(ctx)
	if err != nil {
		return r.instead(ctx, ledger.ConfigProblem{ID: "unreadable " + now.UTC().Format(time.DateOnly), Text: err.Error(), At: now})
	}
	found, err := config.Parse([]byte(text))
	if err != nil {
		sum := sha256.Sum256([]byte(text))
		id := fmt.Sprintf("version %d %s", version, hex.EncodeToString(sum[:6]))
		return r.instead(ctx, ledger.ConfigProblem{ID: id, Text: err.Error(), At: now})
	}
	found = r.placed(found)
	r.good = &found
	r.keep(ctx, ledger.ConfigVersion{Hash: found.Hash(), Text: text, At: now})
	return found, nil
}

// keep remembers a good configuration, also one that it has kept before: another
// process may have kept another one since. Where that fails it is in force all the
// same, and the next look tries again.
func (r *Reader) keep(ctx context.Context, v ledger.ConfigVersion) {
	if err := r.Ledger.PutConfig(ctx, v); err != nil {
		r.Log.WarnContext(ctx, "configuration not remembered", slog.String("hash", v.Hash), slog.Any("error", err))
	}
}

// instead returns what is in force while the configuration has a problem.
func (r *Reader) instead(ctx context.Context, p ledger.ConfigProblem) (config.Config, error) {
	found, force, err := r.lastGood(ctx)
	if err != nil {
		return config.Config{}, fmt.Errorf("which configuration is in force: %w", errors.Join(errors.New(p.Text), err))
	}
	r.Log.WarnContext(ctx, "configuration not usable", slog.String("problem", p.Text), slog.String("inForce", force))
	if err := r.tell(ctx, p, force); err != nil {
		r.Log.WarnContext(ctx, "problem not told", slog.Any("error", err)) // the next look tries again
	}
	return found, nil
}

// lastGood returns the last good configuration, and says which that is. The
// ledger knows it better than this process, which may not have seen it.
func (r *Reader) lastGood(ctx context.Context) (config.Config, string, error) {
	last, err := r.Ledger.LastConfig(ctx)
	if err == nil {
		found, bad := config.Parse([]byte(last.Text))
		if bad == nil {
			return r.placed(found), fmt.Sprintf("the last good configuration, %.12s, in force since %s", last.Hash, last.At.UTC().Format(time.RFC3339)), nil
		}
		err = ledger.ErrNotFound // it was good for another version of pullback
	}
	switch {
	case r.good != nil:
		return *r.good, fmt.Sprintf("the last good configuration, %.12s", r.good.Hash()), nil
	case errors.Is(err, ledger.ErrNotFound) && !r.Begun:
		return r.none()
	default:
		return config.Config{}, "", err
	}
}

// none returns what is in force where there was never a good configuration. What
// somebody wanted is not known then, so nothing is changed.
func (r *Reader) none() (config.Config, string, error) {
	base := r.Base
	base.Mode = settings.Observe
	return config.Default().On(base).At(r.Home), "no configuration, since none was ever good: pullback only observes", nil
}

// tell tells of a problem that nobody has told of.
func (r *Reader) tell(ctx context.Context, p ledger.ConfigProblem, force string) error {
	if r.Problems == nil || r.told == p.ID {
		return nil
	}
	if r.owed != p.ID {
		first, err := r.Ledger.MarkConfigProblem(ctx, p)
		if err == nil && !first {
			r.told = p.ID
			return nil
		}
		if err != nil { // twice is better than never
			r.Log.WarnContext(ctx, "not known whether a problem was told", slog.Any("error", err))
		}
		r.owed = p.ID
	}
	err := r.Problems.ConfigProblem(ctx, Problem{
		What: p.Text, Force: force,
		Mend: "correct " + config.FileName + ", see that `pullback config check` finds nothing, and deploy it again",
	})
	if err != nil {
		return fmt.Errorf("tell of the configuration's problem: %w", err)
	}
	r.told = p.ID
	return nil
}
