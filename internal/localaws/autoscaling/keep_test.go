package autoscaling_test

import (
	"testing"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// restarted is a bench that holds what another one held.
func restarted(t *testing.T, before *bench) *bench {
	t.Helper()
	after := newBench(t)
	after.advance(before.w.Now().Sub(after.w.Now()))
	after.w.Lock()
	defer after.w.Unlock()
	for i, from := range []state.Keeper{before.service, before.ec2} {
		to := []state.Keeper{after.service, after.ec2}[i]
		kept, union := from.Kept()
		written, err := state.Encode(kept, union)
		require.NoError(t, err)
		root, union := to.Kept()
		require.NoError(t, state.Decode(written, root, union))
		require.NoError(t, to.Resume(t.Context()))
	}
	return after
}

func TestARefreshGoesOnAfterARestart(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(2)
	b.refresh("3", &astypes.RefreshPreferences{})
	b.advance(15 * time.Second)
	was := b.state()
	b = restarted(t, b)
	assert.Equal(t, was, b.state())
	b.advance(5 * time.Minute)
	assert.Equal(t, "Successful 100% 0", b.state())
	assert.Equal(t, "2 v3 InService Healthy", b.counts())
}
