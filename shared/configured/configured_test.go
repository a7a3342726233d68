package configured_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/settings"
)

const (
	head   = "apiVersion: pullback.dev/v1\n"
	good   = head + "defaults: {bake: 20m}\n"
	better = head + "defaults: {bake: 25m}\n"
	bad    = head + "defaults: {bkae: 20m}\n"
)

// world is what a Reader is told, and what it tells.
type world struct {
	ledger   configured.Ledger
	text     string
	version  int64
	lost     error // instead of the text
	now      time.Time
	reads    int
	told     []configured.Problem
	deafness error
}

func (w *world) Read(context.Context) (string, int64, error) {
	w.reads++
	return w.text, w.version, w.lost
}

func (w *world) ConfigProblem(_ context.Context, p configured.Problem) error {
	if w.deafness != nil {
		return w.deafness
	}
	w.told = append(w.told, p)
	return nil
}

func (w *world) deploy(text string) {
	w.text, w.lost = text, nil
	w.version++
	w.now = w.now.Add(time.Minute)
}

func (w *world) process() *configured.Reader {
	return &configured.Reader{
		Source: w, Ledger: w.ledger, Problems: w, Base: config.Base(settings.Default()),
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	}
}

func newWorld() *world {
	return &world{ledger: &ledgertest.Memory{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// bake is the policy that tells the configurations of this test apart.
func bake(t *testing.T, r *configured.Reader) time.Duration {
	t.Helper()
	c, err := r.Current(t.Context())
	require.NoError(t, err)
	return c.Defaults().Bake
}

func TestWithoutASourceTheDefaultIsInForce(t *testing.T) {
	home := config.Home{Account: "123456789012", Region: "eu-west-1"}
	s := settings.Default()
	s.Bake = time.Hour
	c, err := (&configured.Reader{Base: config.Base(s), Home: home}).Current(t.Context())
	require.NoError(t, err)
	assert.Equal(t, config.Default().On(config.Base(s)).At(home), c)
}

func TestAConfigurationIsReadOnceAMinuteAndRemembered(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	since := w.now
	r := w.process()
	assert.Equal(t, 20*time.Minute, bake(t, r))
	w.text = better
	w.now = w.now.Add(59 * time.Second)
	assert.Equal(t, 20*time.Minute, bake(t, r))
	assert.Equal(t, 1, w.reads)

	last, err := w.ledger.LastConfig(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ConfigVersion{Hash: hash(t), Text: good, At: since}, last)

	w.now = w.now.Add(time.Second)
	assert.Equal(t, 25*time.Minute, bake(t, r))
	assert.Equal(t, 2, w.reads)
	assert.Empty(t, w.told)
}

func TestWhileAConfigurationIsWrongTheLastGoodOneIsInForceAndOneIsToldOnce(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	r := w.process()
	bake(t, r)
	w.deploy(bad)
	for range 3 {
		assert.Equal(t, 20*time.Minute, bake(t, r))
		assert.Equal(t, 20*time.Minute, bake(t, w.process()), "another process knows it from the ledger")
		w.now = w.now.Add(time.Minute)
	}
	require.Len(t, w.told, 1)
	assert.Equal(t, configured.Problem{
		What:  "pullback.yaml:2:12: defaults.bkae: unknown key; did you mean bake?",
		Force: "the last good configuration, " + hash(t)[:12] + ", in force since 2026-03-01T12:01:00Z",
		Mend:  "correct pullback.yaml, see that `pullback config check` finds nothing, and deploy it again",
	}, w.told[0])

	w.deploy(bad + "#\n")
	bake(t, r)
	assert.Len(t, w.told, 2, "another version is told of again")
	w.deploy(better)
	assert.Equal(t, 25*time.Minute, bake(t, r))
}

func TestTheLedgerKnowsALaterGoodConfigurationThanThisProcess(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	r := w.process()
	bake(t, r)
	w.deploy(better)
	bake(t, w.process())
	w.deploy(bad)
	assert.Equal(t, 25*time.Minute, bake(t, r))
}

func TestWhileNothingCanBeReadOneIsToldOnceADay(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	bake(t, w.process())
	w.lost = errors.New("read parameter /p: AccessDenied")
	for range 3 {
		w.now = w.now.Add(time.Hour)
		assert.Equal(t, 20*time.Minute, bake(t, w.process()))
	}
	require.Len(t, w.told, 1)
	assert.Equal(t, "read parameter /p: AccessDenied", w.told[0].What)
	w.now = w.now.Add(24 * time.Hour)
	bake(t, w.process())
	assert.Len(t, w.told, 2)
}

func TestWhereNoConfigurationWasEverGoodNothingIsChanged(t *testing.T) {
	for name, last := range map[string]string{"none": "", "one of another version": "apiVersion: pullback.dev/v0\n"} {
		w := newWorld()
		if last != "" {
			require.NoError(t, w.ledger.PutConfig(t.Context(), ledger.ConfigVersion{Hash: "h", Text: last, At: w.now}))
		}
		w.deploy(bad)
		c, err := w.process().Current(t.Context())
		require.NoError(t, err, name)
		p, err := c.For(deploy.Target{Application: "shop", Group: "prod"}, nil)
		require.NoError(t, err, name)
		assert.Equal(t, settings.Observe, p.Mode, name)
		require.Len(t, w.told, 1, name)
		assert.Equal(t, "no configuration, since none was ever good: pullback only observes", w.told[0].Force, name)
	}
}

// That nothing was ever good is no reason to leave half done what was begun.
func TestWhoFinishesWhatWasBegunIsNotToldToObserveBecauseOfAFile(t *testing.T) {
	w := newWorld()
	w.deploy(bad)
	r := w.process()
	r.Begun = true
	_, err := r.Current(t.Context())
	require.ErrorIs(t, err, ledger.ErrNotFound)
	w.deploy(good)
	assert.Equal(t, 20*time.Minute, bake(t, r))
}

func TestAProblemThatCouldNotBeToldIsToldLater(t *testing.T) {
	w := newWorld()
	w.deploy(bad)
	w.deafness = errors.New("throttled")
	r := w.process()
	bake(t, r)
	w.deafness = nil
	w.now = w.now.Add(time.Minute)
	bake(t, r)
	w.now = w.now.Add(time.Minute)
	bake(t, r)
	assert.Len(t, w.told, 1)
}

// broken is a ledger that answers nothing.
type broken struct{}

var errBroken = errors.New("table is gone")

func (broken) PutConfig(context.Context, ledger.ConfigVersion) error { return errBroken }
func (broken) LastConfig(context.Context) (ledger.ConfigVersion, error) {
	return ledger.ConfigVersion{}, errBroken
}

func (broken) MarkConfigProblem(context.Context, ledger.ConfigProblem) (bool, error) {
	return false, errBroken
}

func TestWithoutALedgerAProcessGoesByWhatItHasRead(t *testing.T) {
	w := newWorld()
	w.ledger = broken{}
	w.deploy(good)
	r := w.process()
	assert.Equal(t, 20*time.Minute, bake(t, r))
	w.deploy(bad)
	assert.Equal(t, 20*time.Minute, bake(t, r))
	w.now = w.now.Add(time.Minute)
	assert.Equal(t, 20*time.Minute, bake(t, r))
	require.Len(t, w.told, 1)
	assert.Equal(t, "the last good configuration, "+hash(t)[:12], w.told[0].Force)
}

func TestWithoutALedgerAndWithoutAConfigurationNobodyKnowsWhatIsInForce(t *testing.T) {
	w := newWorld()
	w.ledger = broken{}
	w.deploy(bad)
	_, err := w.process().Current(t.Context())
	require.ErrorIs(t, err, errBroken)
	assert.EqualError(t, err, "which configuration is in force: pullback.yaml:2:12: defaults.bkae: unknown key; did you mean bake?\ntable is gone")
}

func TestWhatTheLedgerCouldNotKeepIsKeptLater(t *testing.T) {
	w := newWorld()
	w.ledger = broken{}
	w.deploy(good)
	r := w.process()
	bake(t, r)
	memory := &ledgertest.Memory{}
	r.Ledger = memory
	w.now = w.now.Add(time.Minute)
	bake(t, r)
	last, err := memory.LastConfig(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ConfigVersion{Hash: hash(t), Text: good, At: w.now}, last)
}

// hash is that of good.
func hash(t *testing.T) string {
	t.Helper()
	c, err := config.Parse([]byte(good))
	require.NoError(t, err)
	return c.Hash()
}

func TestWhoHasNobodyToTellLeavesAProblemToOthers(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	quiet := w.process()
	quiet.Problems = nil
	assert.Equal(t, 20*time.Minute, bake(t, quiet))
	w.deploy(bad)
	assert.Equal(t, 20*time.Minute, bake(t, quiet), "the last good one")
	assert.Empty(t, w.told)
	assert.Equal(t, 20*time.Minute, bake(t, w.process()))
	assert.Len(t, w.told, 1, "it is still to be told")
}
