package traffic_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// service answers requests at once.
type service struct {
	world    *world.World
	times    []time.Time
	payloads []string
	answer   func(n int) lambda.Result
	held     []func() // answers that were not given yet, if holding
	holding  bool
}

func (s *service) Start(function, qualifier string, payload []byte, done func(lambda.Result)) {
	n := len(s.times)
	s.times = append(s.times, s.world.Now())
	s.payloads = append(s.payloads, function+":"+qualifier+" "+string(payload))
	if s.holding {
		s.held = append(s.held, func() { done(s.answer(n)) })
		return
	}
	done(s.answer(n))
}

func good(int) lambda.Result { return lambda.Result{Version: "1", Status: 200} }

func start(seed uint64, o traffic.Options) (*service, *traffic.Traffic) {
	s := &service{world: world.New(world.Options{Seed: seed}), answer: good}
	s.world.Lock()
	defer s.world.Unlock()
	o.Function, o.Qualifier = "web", "live"
	return s, traffic.Start(s.world, s, o)
}

func (s *service) advance(t *testing.T, d time.Duration) {
	t.Helper()
	require.NoError(t, s.world.Advance(t.Context(), d))
}

func TestOneRequestIsSentInEveryInterval(t *testing.T) {
	s, tr := start(1, traffic.Options{PerSecond: 4})
	begin := s.world.Now()
	s.advance(t, time.Minute-time.Nanosecond)
	require.Len(t, s.times, 240)
	even := true
	for i, at := range s.times {
		interval := begin.Add(time.Duration(i) * 250 * time.Millisecond)
		assert.False(t, at.Before(interval))
		assert.True(t, at.Before(interval.Add(250*time.Millisecond)))
		even = even && at.Equal(interval)
	}
	assert.False(t, even, "there is a jitter")
	assert.Equal(t, traffic.Summary{
		Count: traffic.Count{Total: 240}, ByVersion: []traffic.VersionCount{{Version: "1", Count: traffic.Count{Total: 240}}},
	}, tr.Summary())
}

func TestTheSameSeedSendsAtTheSameTimes(t *testing.T) {
	times := func(seed uint64) []time.Time {
		s, _ := start(seed, traffic.Options{PerSecond: 10})
		s.advance(t, 10*time.Second)
		return s.times
	}
	first := times(7)
	assert.Equal(t, first, times(7))
	assert.NotEqual(t, first, times(8))
}

func TestFailuresAreCountedByVersion(t *testing.T) {
	s, tr := start(1, traffic.Options{PerSecond: 1})
	s.answer = func(n int) lambda.Result {
		switch {
		case n == 2:
			return lambda.Result{Version: "10", Status: 200, FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}
		case n == 4:
			return lambda.Result{Status: 429, Err: errors.New("throttled")}
		case n > 4:
			return lambda.Result{Version: "10", Status: 200}
		default:
			return lambda.Result{Version: "9", Status: 200}
		}
	}
	var seen []traffic.Outcome
	tr.Observe(func(o traffic.Outcome) { seen = append(seen, o) })
	s.advance(t, 10*time.Second-time.Nanosecond)
	failures := []traffic.Outcome{
		{At: s.times[2], Version: "10", Failed: true, Error: `{"errorMessage":"no"}`},
		{At: s.times[4], Failed: true, Error: "throttled"},
	}
	assert.Equal(t, traffic.Summary{
		Count: traffic.Count{Total: 10, Failed: 2},
		ByVersion: []traffic.VersionCount{
			{Version: "", Count: traffic.Count{Total: 1, Failed: 1}},
			{Version: "9", Count: traffic.Count{Total: 3}},
			{Version: "10", Count: traffic.Count{Total: 6, Failed: 1}},
		},
		FirstFailure: s.times[2], LastFailure: s.times[4], Failures: failures,
	}, tr.Summary())
	require.Len(t, seen, 10)
	assert.Equal(t, failures[0], seen[2])
}

func TestOnlyTheFirstFailuresAreKept(t *testing.T) {
	s, tr := start(1, traffic.Options{PerSecond: 1})
	s.answer = func(int) lambda.Result { return lambda.Result{Err: errors.New("down")} }
	s.advance(t, 150*time.Second-time.Nanosecond)
	got := tr.Summary()
	assert.Equal(t, traffic.Count{Total: 150, Failed: 150}, got.Count)
	assert.Len(t, got.Failures, 100)
	assert.Equal(t, s.times[149], got.LastFailure)
}

func TestTheRateCanChangeAndTheStreamCanEnd(t *testing.T) {
	s, tr := start(1, traffic.Options{PerSecond: 1})
	s.advance(t, 10*time.Second-time.Nanosecond)
	require.Len(t, s.times, 10)
	tr.SetRate(100)
	s.advance(t, 10*time.Second-time.Nanosecond)
	require.Len(t, s.times, 1010)
	tr.SetRate(0)
	s.advance(t, time.Hour)
	require.Len(t, s.times, 1010)
	tr.SetRate(1)
	s.advance(t, 2*time.Second)
	tr.Stop()
	sent := len(s.times)
	s.advance(t, time.Hour)
	assert.Len(t, s.times, sent)
	tr.SetRate(5)
	s.advance(t, time.Hour)
	assert.Len(t, s.times, sent, "a stopped stream stays stopped")
}

func TestPayloadsAreNumbered(t *testing.T) {
	s, _ := start(1, traffic.Options{PerSecond: 1, Payload: func(n int) []byte { return fmt.Appendf(nil, `{"n":%d}`, n) }})
	s.advance(t, 2*time.Second-time.Nanosecond)
	assert.Equal(t, []string{`web:live {"n":0}`, `web:live {"n":1}`}, s.payloads)
}

func TestRequestsUnderWayArePending(t *testing.T) {
	s, tr := start(1, traffic.Options{PerSecond: 1})
	s.holding = true
	s.advance(t, 3*time.Second-time.Nanosecond)
	assert.Equal(t, traffic.Summary{Pending: 3}, tr.Summary())
	for _, answer := range s.held {
		answer()
	}
	assert.Equal(t, 3, tr.Summary().Total)
	assert.Zero(t, tr.Summary().Pending)
}
