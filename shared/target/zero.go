package target

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// A Zeroer takes targets out of service that have nothing to go back to. Only drivers
// of kinds of which that can be said and undone with one number are one. An alias is
// none: what Lambda can set to 0 is the concurrency of the whole function, with all
// its aliases (Lambda developer guide, "Configuring reserved concurrency").
type Zeroer interface {
	// OutOfService reports whether nothing of a target runs.
	OutOfService(ctx context.Context, p deploy.Place) (bool, error)
	// ScaleToZero takes it out of service, if what serves is what was read, and
	// returns the command that brings it back: deploy.ErrChanged, deploy.ErrNotReady.
	ScaleToZero(ctx context.Context, was deploy.Live) (back string, err error)
}

// Zeroes reports whether targets of a kind can be taken out of service.
func (s Set) Zeroes(k deploy.Kind) bool {
	_, ok := s[k].(Zeroer)
	return ok
}

func (s Set) zeroer(t deploy.Target) (Zeroer, error) {
	z, ok := s[t.Kind].(Zeroer)
	if !ok {
		return nil, fmt.Errorf("target %s: targets of kind %q cannot be taken out of service", t, t.Kind)
	}
	return z, nil
}

// OutOfService implements Zeroer.
func (s Set) OutOfService(ctx context.Context, p deploy.Place) (bool, error) {
	z, err := s.zeroer(p.Target)
	if err != nil {
		return false, err
	}
	return z.OutOfService(ctx, p)
}

// ScaleToZero implements Zeroer.
func (s Set) ScaleToZero(ctx context.Context, was deploy.Live) (back string, err error) {
	z, err := s.zeroer(was.Place.Target)
	if err != nil {
		return "", err
	}
	return z.ScaleToZero(ctx, was)
}
