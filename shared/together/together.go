// Package together does what does not depend on each other at the same time. It is
// for reads: what writes is done one after the other, so that a crash leaves what
// the order of the code says.
package together

import "sync"

// Do runs all of them, waits for all of them, and returns the error of the first one,
// in the order in which they are given, that has any. Who was faster makes no
// difference. A panic in one of them is the caller's.
func Do(all ...func() error) error {
	results := make([]result, len(all))
	var running sync.WaitGroup
	for i, one := range all[1:] {
		running.Go(func() { results[1+i] = try(one) })
	}
	results[0] = try(all[0])
	running.Wait()
	for _, r := range results {
		if r.panicked {
			panic(r.value)
		}
	}
	for _, r := range results {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// A result is how one of them has ended.
type result struct {
	err      error
	panicked bool
	value    any // that it panicked with
}

func try(one func() error) (r result) {
	r.panicked = true
	defer func() {
		if r.panicked {
			r.value = recover()
		}
	}()
	r.err = one()
	r.panicked = false
	return r
}
