package together_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/together"
)

func TestAllOfThemRunAtTheSameTime(t *testing.T) {
	first, second := make(chan bool), make(chan bool)
	err := together.Do(
		func() error { first <- true; <-second; return nil },
		func() error { <-first; second <- true; return nil },
	)
	require.NoError(t, err)
}

func TestTheErrorIsThatOfTheFirstInOrderAndNotInTime(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	later, ended := make(chan bool), false
	err := together.Do(
		func() error { return nil },
		func() error { <-later; return one },
		func() error { close(later); return two },
		func() error { <-later; ended = true; return nil },
	)
	require.ErrorIs(t, err, one)
	assert.True(t, ended, "it waits for all of them")
}

func TestAPanicIsTheCallers(t *testing.T) {
	assert.PanicsWithValue(t, "broken", func() {
		_ = together.Do(func() error { return nil }, func() error { panic("broken") })
	})
}
