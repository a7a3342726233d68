package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// saveEvery is how often the state is written while the local AWS runs: what
// happened since is lost if the machine or the program dies.
const saveEvery = 2 * time.Second

// moment and endpoint are the names under which the world and the mux are kept.
// No service has such a name.
const (
	moment   = "-world"
	endpoint = "-mux"
)

// keep opens the store and brings back what is in it. Without a folder, nothing
// is kept.
func (a *AWS) keep(ctx context.Context, dir string) error {
	if dir == "" {
		return nil
	}
	store, err := state.OpenStore(dir)
	if err != nil {
		return err
	}
	a.store = store
	if err := a.restore(ctx); err != nil {
		return errors.Join(fmt.Errorf("%w: delete %s to begin anew", err, dir), store.Close())
	}
	return nil
}

// restore gives the services their states, and then lets them resume: one may
// need another one for that.
func (a *AWS) restore(ctx context.Context) error {
	all, err := a.store.Get()
	if err != nil || len(all) == 0 {
		return err
	}
	a.World.Lock()
	defer a.World.Unlock()
	var m world.Moment
	if err := state.Decode(all[moment], &m, nil); err != nil {
		return err
	}
	if err := a.World.Return(m); err != nil {
		return err
	}
	if err := state.Decode(all[endpoint], a.Mux, nil); err != nil {
		return err
	}
	for _, k := range a.keepers {
		d, ok := all[k.name]
		if !ok {
			return fmt.Errorf("state of %s: %w", k.name, state.ErrShape)
		}
		root, members := k.Kept()
		if err := state.Decode(d, root, members); err != nil {
			return err
		}
	}
	for _, k := range a.keepers {
		if err := k.Resume(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("resume %s: %w", k.name, err)
		}
	}
	return nil
}

// save writes the state if something may have changed since the last time.
func (a *AWS) save() error {
	all, err := a.written()
	if err != nil || all == nil {
		return err
	}
	return a.store.Put(all)
}

func (a *AWS) written() (map[string]state.Document, error) {
	a.World.Lock()
	defer a.World.Unlock()
	if a.World.Steps() == a.saved+1 { // this lock alone
		a.saved++
		return nil, nil //nolint:nilnil // nothing to write
	}
	m := a.World.Moment()
	all := map[string]state.Document{}
	var err error
	if all[moment], err = state.Encode(&m, nil); err != nil {
		return nil, err
	}
	if all[endpoint], err = state.Encode(a.Mux, nil); err != nil {
		return nil, err
	}
	for _, k := range a.keepers {
		root, members := k.Kept()
		if all[k.name], err = state.Encode(root, members); err != nil {
			return nil, err
		}
	}
	a.saved = a.World.Steps()
	return all, nil
}

// saveUntil saves until ctx ends.
func (a *AWS) saveUntil(ctx context.Context, problem func(error)) {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := a.save(); err != nil && problem != nil {
				problem(err)
			}
		}
	}
}
