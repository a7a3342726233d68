// Package config reads pullback.yaml: what pullback does with which target.
//
// It parses text and says of everything that is wrong with it where it is; it
// reads no file, calls nobody and knows no clock. It refuses what it does not
// know: a key that is misspelt would otherwise be a rule that nobody keeps.
package config

import (
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Version is the apiVersion of the files that Parse reads.
const Version = "pullback.dev/v1"

// Sizes of a parameter's value in Parameter Store, in bytes: up to Standard it
// costs nothing, and none is larger than Most.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const (
	Standard = 4 << 10
	Most     = 8 << 10
)

// Config is what a file says.
type Config struct {
	Home      Home     // where the file is in force; see At
	Base      Defaults // what holds where the file says nothing
	Changes   Changes  // what the file's defaults change in Base
	Entries   []Entry  // targets that the file names
	Pipelines []Pipeline
	Peers     []string // ARNs of the event buses of the control planes in other accounts and regions
}

// Home is an account and a region.
type Home struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// Entry is a target that the file names. It is looked after without a tag.
type Entry struct {
	Target  deploy.Target
	Alias   deploy.Alias // that a deployment group on Lambda moves
	Alarms  []string     // further alarms that speak for it
	OneWay  []OneWay
	Changes Changes // what its policy changes
}

// Default returns what holds when there is no file.
func Default() Config { return Config{Base: Base(settings.Default())} }

// Base returns the policy that a function's settings ask for where no file does.
// What has no setting has its default.
func Base(s settings.Settings) Defaults {
	return Defaults{
		Policy: Policy{
			Mode: s.Mode, Bake: s.Bake, Grace: 20 * time.Minute, Verify: s.Verify,
			Judge: Judge{
				Alpha: s.Alpha, Rho: s.Rho, Routing: s.Routing, Phi: s.Phi, Guard: s.Guard,
				WarmUp: s.WarmUp, Latency: s.Latency, Logs: s.Logs, Strict: s.Strict,
			},
			Smoke:           s.SmokePayload,
			MaxPerTarget:    Cap{Count: s.MaxPerDay, Window: 24 * time.Hour},
			NotReady:        Warn,
			FirstDeployment: HoldFirst,
			Hold:            Hold{Next: true},
			RestorePoint:    RestorePoint{Kind: NoRestorePoint, VolumesOf: OfInstances},
			HookTimeout:     65 * time.Second, // longer than a hook may run, and two sweeps find it within two minutes
		},
		MaxPerAccount: Cap{Count: 3, Window: 15 * time.Minute},
	}
}

// At returns the configuration as it is in force in an account and a region:
// there, a target that names them is the same as one that names neither.
func (c Config) At(h Home) Config {
	c.Home = h
	return c
}

// On returns the configuration with another base, so that a function's settings
// hold where the file says nothing.
func (c Config) On(base Defaults) Config {
	c.Base = base
	return c
}

// Defaults returns what holds for a target that says nothing itself.
func (c Config) Defaults() Defaults {
	d := c.Base
	c.Changes.apply(&d)
	return d
}

// Targets returns the targets that the file names, in its order.
func (c Config) Targets() []deploy.Target {
	all := make([]deploy.Target, 0, len(c.Entries))
	for _, e := range c.Entries {
		all = append(all, e.Target)
	}
	return all
}

// Entry returns what the file says of a target, if it names it.
func (c Config) Entry(t deploy.Target) (Entry, bool) {
	i := slices.IndexFunc(c.Entries, func(e Entry) bool { return e.Target == t })
	if i < 0 {
		return Entry{}, false
	}
	return c.Entries[i], true
}
