package world_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestWhatHappensAsideMayWaitWhileTimeStandsStill(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(time.Second, func() {
			answered := make(chan struct{})
			w.Aside(func(ctx context.Context) {
				assert.True(t, world.IsAside(ctx))
				go set(w, func() { d.note("the function runs")(); close(answered) })
				if w.Await(ctx, answered) != nil {
					return
				}
				d.note("and has answered")()
			})
		})
		w.After(time.Second, d.note("of the same moment"))
	})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	assert.Equal(t, []string{"1s the function runs", "1s and has answered", "1s of the same moment"}, d.rows)
	assert.False(t, world.IsAside(t.Context()))
}
