package settings_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/settings"
)

// full returns settings in which nothing is as it is by default.
func full() settings.Settings {
	return settings.Settings{
		Account: "123456789012", Table: "ledger", Topic: "arn:aws:sns:eu-west-1:123456789012:notices", Signals: "https://sqs/signals", Rollbacks: "https://sqs/rollbacks.fifo", Watch: "https://sqs/watch", Hub: "arn:aws:events:eu-west-1:123456789012:event-bus/pullback",
		Mode: settings.Observe, Bake: 45 * time.Minute, Verify: 90 * time.Second, HookReserve: 1500 * time.Millisecond, MaxPerDay: 7,
		Strict: true, Alpha: 0.000123, Rho: 1.5, Routing: health.PerClient, Phi: 3.25, Guard: 3, WarmUp: 90 * time.Second, Latency: true, Logs: false, SmokePayload: `{"a":[1,2]}`,
	}
}

func from(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestSettingsAreReadAsTheyAreWritten(t *testing.T) {
	for name, want := range map[string]settings.Settings{
		"all changed": full(),
		"smoke off":   func() settings.Settings { s := full(); s.SmokePayload = settings.SmokeOff; return s }(),
		"no hub":      func() settings.Settings { s := full(); s.Hub = ""; return s }(),
		"no topic":    func() settings.Settings { s := full(); s.Topic = ""; return s }(),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := settings.Load(from(want.Env()))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

// The stack's infrastructure names are the only ones that have no default.
func TestWhatIsNotSetHasItsDefault(t *testing.T) {
	got, err := settings.Load(from(map[string]string{
		"PULLBACK_ACCOUNT": "123456789012", "PULLBACK_TABLE": " ledger\n", "PULLBACK_SIGNALS": "https://sqs/signals", "PULLBACK_ROLLBACKS": "https://sqs/rollbacks.fifo", "PULLBACK_WATCH": "https://sqs/watch",
	}))
	require.NoError(t, err)
	assert.Equal(t, settings.Settings{
		Account: "123456789012", Table: "ledger", Signals: "https://sqs/signals", Rollbacks: "https://sqs/rollbacks.fifo", Watch: "https://sqs/watch",
		Mode: settings.Enforce, Bake: 30 * time.Minute, Verify: 10 * time.Minute, HookReserve: 10 * time.Second, MaxPerDay: 2,
		Alpha: 0.01, Rho: 1.25, Routing: health.PerRequest, Phi: 1, Logs: true, SmokePayload: `{"pullback":"smoke"}`,
	}, got)
}

func TestEverythingThatIsWrongIsReported(t *testing.T) {
	got, err := settings.Load(from(map[string]string{
		"PULLBACK_ACCOUNT": "123456789012", "PULLBACK_MODE": "watch", "PULLBACK_BAKE": "30", "PULLBACK_VERIFY": "-1m", "PULLBACK_HOOK_RESERVE": "0s",
		"PULLBACK_MAX_PER_DAY": "0", "PULLBACK_STRICT": "maybe", "PULLBACK_ALPHA": "0", "PULLBACK_RHO": "NaN", "PULLBACK_PHI": "+Inf",
		"PULLBACK_ROUTING": "random", "PULLBACK_GUARD": "13", "PULLBACK_WARM_UP": "-1s", "PULLBACK_LOGS": "on",
		"PULLBACK_SMOKE_PAYLOAD": "{",
	}))
	require.Error(t, err)
	assert.Equal(t, settings.Settings{}, got)
	assert.Equal(t, []string{
		"PULLBACK_TABLE is not set",
		"PULLBACK_SIGNALS is not set",
		"PULLBACK_ROLLBACKS is not set",
		"PULLBACK_WATCH is not set",
		`PULLBACK_MODE: "watch" is neither enforce nor observe`,
		`PULLBACK_BAKE: "30" is not a positive duration such as 10m`,
		`PULLBACK_VERIFY: "-1m" is not a positive duration such as 10m`,
		`PULLBACK_HOOK_RESERVE: "0s" is not a positive duration such as 10m`,
		`PULLBACK_MAX_PER_DAY: "0" is not a number from 1 on`,
		`PULLBACK_STRICT: "maybe" is neither true nor false`,
		`PULLBACK_ALPHA: "0" is not a number from 1e-06 to 0.5`,
		`PULLBACK_RHO: "NaN" is not a number from 1 to 100`,
		`PULLBACK_ROUTING: "random" is neither request nor sticky`,
		`PULLBACK_PHI: "+Inf" is not a number from 1 to 1000`,
		`PULLBACK_GUARD: "13" is not a number from 0 to 12`,
		`PULLBACK_WARM_UP: "-1s" is not a duration such as 1m, or 0s`,
		`PULLBACK_LOGS: "on" is neither true nor false`,
		"PULLBACK_SMOKE_PAYLOAD: neither JSON nor off",
	}, strings.Split(err.Error(), "\n"))
}

func TestEveryVariableMayBeWrittenAndIsDescribed(t *testing.T) {
	var described []string
	for _, v := range settings.Variables() {
		described = append(described, v.Name)
		assert.NotEmpty(t, v.About, v.Name)
	}
	slices.Sort(described)
	assert.Equal(t, slices.Sorted(maps.Keys(full().Env())), described)
}
