// Package targettest holds the contract that the driver of every kind of target
// keeps. Each driver's test plays it against the local AWS.
package targettest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target"
)

// Scene is one target on a local AWS of its own, which serves revision A: it was
// deployed and has succeeded. B is another that works, C one that was taken away
// so that it could not be put back, D one that never was.
type Scene struct {
	Driver   target.Driver
	Place    deploy.Place
	Revision func(name string) deploy.Revision // of A, B, C and D
	Deploy   func(name string) deploy.ID       // begins a deployment as the team would, in steps that take minutes
	Shift    func()                            // lets time pass until the newest deployment has moved traffic
	Settle   func()                            // lets time pass until no deployment is under way
	Now      func() time.Time
	StopOnly bool // Stop ends a deployment and AWS puts nothing back: who stops it restores
}

// Run plays the contract. Each test begins with a fresh scene.
func Run(t *testing.T, fresh func(t *testing.T) Scene) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Scene){
		"what serves alone is found":                          servesAlone,
		"a deployment under way is found, and whole":          underWay,
		"one that has ended is found, with when and how":      ended,
		"a deployment that is stopped goes back":              stopped,
		"one that has ended cannot be stopped":                tooLate,
		"a finished deployment is taken back by another":      restored,
		"what is unknown is said to be":                       unknown,
		"what is gone is not ready, and what is there is":     ready,
		"a revision's code has a name of its own":             digests,
		"the group is found, and says that it is opted in":    group,
		"what ended well is remembered, newest first":         history,
		"what is active is found without asking for a target": active,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

func servesAlone(t *testing.T, s Scene) {
	t.Helper()
	live, err := s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.Equal(t, s.Place, live.Place)
	assert.True(t, live.Only(s.Revision("A")), "%+v", live)
	assert.Empty(t, live.Stuck)
}

func underWay(t *testing.T, s Scene) {
	t.Helper()
	since := s.Now()
	id := s.Deploy("B")
	s.Shift()
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Equal(t, id, d.ID)
	assert.Equal(t, s.Place, d.Place())
	assert.True(t, d.Running(), "%+v", d)
	assert.False(t, d.IsRollback())
	assert.Equal(t, s.Revision("A"), d.From)
	assert.Equal(t, s.Revision("B"), d.To)
	assert.False(t, d.Created.Before(since.Truncate(time.Second)), "%s, begun at %s", d.Created, since)
	assert.False(t, d.Shifted.IsZero(), "when traffic began to move")
	assert.True(t, d.Ended.IsZero())

	recent, err := s.Driver.Recent(t.Context(), s.Place.Target, since.Truncate(time.Second))
	require.NoError(t, err)
	require.Len(t, recent, 1)
	assert.Equal(t, id, recent[0].ID)
	assert.True(t, recent[0].Running())
	later, err := s.Driver.Recent(t.Context(), s.Place.Target, s.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.Empty(t, later)
}

func ended(t *testing.T, s Scene) {
	t.Helper()
	id := s.Deploy("B")
	s.Settle()
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Succeeded, d.Status)
	assert.Equal(t, s.Revision("A"), d.From)
	assert.Equal(t, s.Revision("B"), d.To)
	assert.False(t, d.Shifted.Before(d.Created.Truncate(time.Second)))
	assert.False(t, d.Ended.Before(d.Shifted))
	live, err := s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.True(t, live.Only(s.Revision("B")), "%+v", live)
}

func stopped(t *testing.T, s Scene) {
	t.Helper()
	id := s.Deploy("B")
	s.Shift()
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	require.NoError(t, s.Driver.Stop(t.Context(), d))
	require.NoError(t, s.Driver.Stop(t.Context(), d), "telling it twice does no harm")
	s.Settle()
	if s.StopOnly {
		restoredAfterStop(t, s, id)
		return
	}
	live, err := s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.True(t, live.Only(s.Revision("A")), "%+v", live)
	d, err = s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Contains(t, []deploy.Status{deploy.Stopped, deploy.Failed}, d.Status)
	assert.NotEmpty(t, d.RolledBack, "which deployment has put back what was there: the same one, where AWS has no other")
}

// restoredAfterStop is what the core does where AWS puts nothing back.
func restoredAfterStop(t *testing.T, s Scene, id deploy.ID) {
	t.Helper()
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Contains(t, []deploy.Status{deploy.Stopped, deploy.Failed}, d.Status)
	assert.Empty(t, d.RolledBack, "nobody puts back what was there")
	live, err := s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.False(t, live.Only(s.Revision("A")), "that has to be seen: %+v", live)

	back, err := s.Driver.Restore(t.Context(), deploy.Restore{Place: s.Place, From: s.Revision("B"), To: s.Revision("A"), Attempt: 1})
	require.NoError(t, err)
	s.Settle()
	live, err = s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.True(t, live.Only(s.Revision("A")), "%+v", live)
	d, err = s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Equal(t, back, d.RolledBack)
}

func tooLate(t *testing.T, s Scene) {
	t.Helper()
	id := s.Deploy("B")
	s.Settle()
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	require.ErrorIs(t, s.Driver.Stop(t.Context(), d), deploy.ErrEnded)
}

func restored(t *testing.T, s Scene) {
	t.Helper()
	bad := s.Deploy("B")
	s.Settle()
	marker := deploy.Marker(deploy.IncidentOf(s.Place.Target, bad), 1)
	r := deploy.Restore{Place: s.Place, From: s.Revision("B"), To: s.Revision("A"), Marker: marker, Attempt: 1}
	id, err := s.Driver.Restore(t.Context(), r)
	require.NoError(t, err)
	require.NotEqual(t, bad, id)
	s.Settle()
	live, err := s.Driver.Live(t.Context(), s.Place)
	require.NoError(t, err)
	assert.True(t, live.Only(s.Revision("A")), "%+v", live)
	d, err := s.Driver.Get(t.Context(), s.Place.Target, id)
	require.NoError(t, err)
	assert.Equal(t, deploy.Succeeded, d.Status)
	assert.Equal(t, s.Revision("A"), d.To)
}

func unknown(t *testing.T, s Scene) {
	t.Helper()
	other := s.Place
	other.Target.Group = "nobody"
	_, err := s.Driver.Group(t.Context(), other.Target)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = s.Driver.Digest(t.Context(), s.Place, s.Revision("D"))
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorIs(t, s.Driver.Ready(t.Context(), s.Place, s.Revision("D")), deploy.ErrUnknown)
}

func ready(t *testing.T, s Scene) {
	t.Helper()
	require.NoError(t, s.Driver.Ready(t.Context(), s.Place, s.Revision("A")))
	require.NoError(t, s.Driver.Ready(t.Context(), s.Place, s.Revision("B")))
	err := s.Driver.Ready(t.Context(), s.Place, s.Revision("C"))
	require.Error(t, err)
	assert.True(t, errors.Is(err, deploy.ErrNotReady) || errors.Is(err, deploy.ErrUnknown), "%v", err)
	assert.ErrorContains(t, err, string(s.Revision("C")), "it says which")
}

func digests(t *testing.T, s Scene) {
	t.Helper()
	a, err := s.Driver.Digest(t.Context(), s.Place, s.Revision("A"))
	require.NoError(t, err)
	b, err := s.Driver.Digest(t.Context(), s.Place, s.Revision("B"))
	require.NoError(t, err)
	assert.NotEmpty(t, a)
	assert.NotEqual(t, a, b)
}

func group(t *testing.T, s Scene) {
	t.Helper()
	g, err := s.Driver.Group(t.Context(), s.Place.Target)
	require.NoError(t, err)
	assert.Equal(t, s.Place.Target, g.Target)
	assert.Equal(t, s.Place.Platform, g.Platform)
	assert.True(t, g.Enabled)
	assert.Equal(t, "true", g.Tags["pullback:enabled"])
}

func history(t *testing.T, s Scene) {
	t.Helper()
	s.Deploy("B")
	s.Settle()
	past, err := s.Driver.History(t.Context(), s.Place)
	require.NoError(t, err)
	require.NotEmpty(t, past)
	assert.LessOrEqual(t, len(past), 20)
	assert.Equal(t, s.Revision("B"), past[0].Revision)
	for i, p := range past {
		assert.NotEmpty(t, p.Deployment)
		assert.NotEmpty(t, p.Revision)
		assert.True(t, i == 0 || !p.Ended.After(past[i-1].Ended))
	}
}

func active(t *testing.T, s Scene) {
	t.Helper()
	known := []deploy.Target{s.Place.Target}
	since := s.Now().Add(time.Minute) // whatever A took is longer ago
	id := s.Deploy("B")
	s.Shift()
	found, err := s.Driver.Active(t.Context(), known, since.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, found, 1, "it runs")
	assert.Equal(t, id, found[0].ID)
	assert.Equal(t, s.Place.Target, found[0].Target)
	s.Settle()
	found, err = s.Driver.Active(t.Context(), known, s.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.Empty(t, found, "it neither runs nor is it young")
}
