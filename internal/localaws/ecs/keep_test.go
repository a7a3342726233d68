package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

func TestDeploymentsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]time.Duration{"while tasks start": 8 * time.Second, "while a hook waits": 40 * time.Second, "while it bakes": 110 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			history := func(restart bool) []string {
				b := newBench(t)
				b.functions(map[string]plan{"check": {"POST_TEST_TRAFFIC_SHIFT": {"later"}}})
				b.serveNative(blueGreen(2))
				check := function("check", "POST_TEST_TRAFFIC_SHIFT")
				check.HookDetails = ecsdocument.NewLazyDocument(map[string]any{"limit": 3.5, "names": []any{"a", true}})
				b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("stops-after:4m")), DeploymentConfiguration: blueGreen(2, check)})
				b.advance(before)
				if restart {
					b.restart()
				}
				b.advance(10*time.Minute - before)
				return b.history
			}
			assert.Equal(t, history(false), history(true))
		})
	}
}

// restart replaces the service by a new one with the same state. The timers of
// the old one find nothing to do any more: all its services are gone.
func (b *bench) restart() {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	root, members := b.svc.Kept()
	d, err := state.Encode(root, members)
	require.NoError(b.t, err)
	b.svc.Forget()
	root, members = b.svc.Kept()
	require.NoError(b.t, state.Decode(d, root, members))
	require.NoError(b.t, b.svc.Resume(b.t.Context()))
}
