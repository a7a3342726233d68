// Package world is what every service of the local AWS stands on: one lock,
// one clock, one source of randomness.
//
// All state of all services is guarded by the one lock: an operation runs from
// its first to its last statement without another one in between, as if AWS
// were a single machine. Time passes only between operations. In the virtual
// modes it also stands still while a function runs, so that the same seed
// gives the same history, byte for byte. Several accounts and regions are several
// worlds of one lock, clock and randomness: see [World.Elsewhere].
package world

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrEnded is what waits for time to pass in a world whose Run has ended get.
var ErrEnded = errors.New("the world has ended")

// Mode says how time passes.
type Mode string

// The modes of the clock.
const (
	Real   Mode = "real"   // with the wall clock
	Fast   Mode = "fast"   // jumps to what happens next as soon as nothing runs; see Tick
	Manual Mode = "manual" // moves only when told to, by Advance
)

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Real, Fast, Manual:
		return m, nil
	default:
		return "", fmt.Errorf("clock %q is not one of real, fast, manual", s)
	}
}

// Options are the choices for a new world. The zero value of a field picks
// the default that its comment names.
type Options struct {
	Mode    Mode      // Manual
	Start   time.Time // 2026-01-05T09:00:00Z; Real starts at the wall clock's time
	Seed    uint64
	Account string // 123456789012
	Region  string // us-east-1
}

// World is the shared lock, clock and randomness, as one account in one region
// sees them. Unless its comment says otherwise, a method must be called with the
// lock held.
type World struct {
	Account string
	Region  string

	*universe
}

// universe is what all accounts and regions of a world share.
type universe struct {
	mu     sync.Mutex
	change *sync.Cond // a timer was set, a hold released, time moved or the world closed
	mode   Mode
	start  time.Time // the world's time at origin
	origin time.Time // the wall clock when the world was made
	now    time.Time // virtual modes only
	timers timers
	due    int // timers that are no ticks
	seq    uint64
	holds  int
	closed bool
	end    chan struct{} // closed when closed is set
	names  stream
	chance stream
	steps  uint64 // how often something may have changed
}

// New makes a world. Time does not pass before Run or Advance is called.
func New(o Options) *World {
	w := &World{Account: o.Account, Region: o.Region, universe: &universe{mode: o.Mode, start: o.Start, origin: time.Now(), end: make(chan struct{})}}
	if w.Account == "" {
		w.Account = "123456789012"
	}
	if w.Region == "" {
		w.Region = "us-east-1"
	}
	if w.mode == "" {
		w.mode = Manual
	}
	if w.start.IsZero() {
		w.start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		if w.mode == Real {
			w.start = w.origin
		}
	}
	w.start = w.start.UTC().Round(0) // without the reading of this machine's monotonic clock
	w.now = w.start
	w.change = sync.NewCond(&w.mu)
	w.names, w.chance = newStream(o.Seed, 0x70756c6c6261636b), newStream(o.Seed, 0x7265717565737473)
	return w
}

// Elsewhere is the same world as another account or region sees it: with the
// same lock, clock, timers and randomness, so that what happens in several
// happens in one order. It may be called with or without the lock; Run is called
// of one of them only.
func (w *World) Elsewhere(account, region string) *World {
	return &World{Account: account, Region: region, universe: w.universe}
}

// Lock takes the lock. Call it without the lock.
func (w *World) Lock() {
	w.mu.Lock()
	w.steps++
}

// Unlock gives the lock back.
func (w *World) Unlock() { w.mu.Unlock() }

// Mode returns how time passes. It may be called with or without the lock.
func (w *World) Mode() Mode { return w.mode }

// Now returns the time of this world, in UTC.
func (w *World) Now() time.Time {
	if w.mode == Real {
		return w.start.Add(time.Since(w.origin)).UTC()
	}
	return w.now
}

// Rand returns the randomness of names, and of all else that is no [World.Chance].
func (w *World) Rand() *rand.Rand { return w.names.Rand }

// Chance returns the randomness of requests: when they come and whom they meet. It is
// one of its own, so that one resource or call more does not change who fails.
func (w *World) Chance() *rand.Rand { return w.chance.Rand }

// A stream is randomness, and where it has got to.
type stream struct {
	*rand.Rand

	source *rand.PCG
}

func newStream(seed, which uint64) stream {
	source := rand.NewPCG(seed, which)
	return stream{rand.New(source), source} //nolint:gosec // a reproducible history is the point
}

// UUID returns a new version 4 UUID from the world's randomness.
func (w *World) UUID() string {
	a, b := w.names.Uint64(), w.names.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(0xc<<60) | 0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}
