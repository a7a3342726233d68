package world

import (
	"errors"
	"fmt"
	"time"
)

// Moment is what a world is at one time, besides its timers, which belong to
// the services.
type Moment struct {
	Now    time.Time
	Random []byte // where the randomness of names has got to
	Chance []byte // and that of requests
}

// Moment returns what the world is now.
func (w *World) Moment() Moment {
	names, _ := w.names.source.MarshalBinary() // never fails
	chance, _ := w.chance.source.MarshalBinary()
	return Moment{Now: w.Now(), Random: names, Chance: chance}
}

// Return makes a world that has just been made what it was. In mode Real time has
// gone on meanwhile: it is the wall clock's.
func (w *World) Return(m Moment) error {
	if err := errors.Join(w.names.source.UnmarshalBinary(m.Random), w.chance.source.UnmarshalBinary(m.Chance)); err != nil {
		return fmt.Errorf("return to %s: %w", m.Now.Format(time.RFC3339), err)
	}
	if w.mode != Real {
		w.now = m.Now
	}
	return nil
}

// Steps counts upwards whenever something may have changed.
func (w *World) Steps() uint64 { return w.steps }
