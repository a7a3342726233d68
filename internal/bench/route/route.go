// Package route measures the way from an alarm to a rollback: which calls to AWS
// it takes, whether they grow with the number of deployment groups that an account
// has, and how long it is. It does the same for the sweep.
//
// The functions are real processes, and the calls real HTTP to the local AWS. It
// says nothing of AWS's own speed, but how much of it would matter: with a pause
// before every answer it shows how many calls wait for each other.
package route

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Options are the choices for a run.
type Options struct {
	Dist    string           // folder with the functions, built for this machine
	Beside  string           // another one whose ways are measured in turns with those; optional
	Groups  []int            // how many groups the account has, one after the other
	Active  []int            // how many of them deploy, in the sweeps
	Samples int              // of each measurement
	Distant time.Duration    // how long every answer takes at least, in the measurement that asks for it
	Now     func() time.Time // the wall clock
	Say     func(string)     // hears how far it is; optional
}

// Report is what a run found.
type Report struct {
	Go      string  `json:"go"`
	System  string  `json:"system"`
	CPUs    int     `json:"cpus"`
	Load    string  `json:"load,omitempty"` // of the machine, before and after
	Samples int     `json:"samples"`
	Alarms  []Alarm `json:"alarms"`
	Sweeps  []Sweep `json:"sweeps"`
	Ways    []Way   `json:"ways"`
}

// Run measures.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Samples: o.Samples}
	before := load()
	if err := ways(ctx, o, r); err != nil {
		return nil, err
	}
	for _, groups := range o.Groups {
		if err := account(ctx, o, r, groups); err != nil {
			return nil, fmt.Errorf("with %d groups: %w", groups, err)
		}
	}
	if before != "" {
		r.Load = before + ", " + load()
	}
	return r, nil
}

// account measures sweeps and alarms in an account with so many groups.
func account(ctx context.Context, o Options, r *Report, groups int) (err error) {
	s, err := open(ctx, o, groups)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, active := range slices.Sorted(slices.Values(o.Active)) {
		if active > groups {
			continue
		}
		if err := s.activate(ctx, active); err != nil {
			return err
		}
		x, err := s.sweeps(ctx)
		if err != nil {
			return fmt.Errorf("sweep with %d active: %w", active, err)
		}
		x.Groups = groups
		r.Sweeps = append(r.Sweeps, x)
	}
	return s.alarms(ctx, r, groups)
}

func (o Options) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}
