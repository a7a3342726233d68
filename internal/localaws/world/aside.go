package world

import "context"

// asideKey marks the context of what happens aside.
type asideKey struct{}

// Aside lets do happen in a goroutine of its own, with the lock held, as soon
// as the lock is free. Time stands still until it returns. It is how something
// that began with a timer may wait (see Await): a timer itself must not, because
// no other one fires before it has returned.
func (w *World) Aside(do func(ctx context.Context)) {
	release := w.Hold()
	go func() {
		w.Lock()
		defer w.Unlock()
		defer release()
		do(context.WithValue(context.Background(), asideKey{}, true))
	}()
}

// IsAside says whether a context is that of something that happens aside.
func IsAside(ctx context.Context) bool { return ctx.Value(asideKey{}) != nil }
