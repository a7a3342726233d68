package alarmrouter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/functions/alarmrouter"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// ecs has services, which it lists in parts of one, and may fail to.
type ecs struct {
	services []deploy.Target
	broken   error
	asked    [][]deploy.Target // of which it was asked what is active
}

func (e *ecs) Survey(_ context.Context, from string, _ int) ([]deploy.Group, string, error) {
	if e.broken != nil {
		return nil, "", e.broken
	}
	if from == "" {
		return []deploy.Group{{Target: e.services[0]}}, "second", nil
	}
	return []deploy.Group{{Target: e.services[1]}}, "", nil
}

func (e *ecs) Active(_ context.Context, known []deploy.Target, _ time.Time) ([]deploy.Deployment, error) {
	e.asked = append(e.asked, known)
	return nil, nil
}

func TestServicesThatWereFoundStayKnownWhenTheyCannotBeListed(t *testing.T) {
	web, api := deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}, deploy.Target{Kind: deploy.KindService, Application: "main", Group: "api"}
	e := &ecs{services: []deploy.Target{web, api}}
	s := newScene(t, calm, func(s *scene) { s.Surveys = map[deploy.Kind]alarmrouter.Survey{deploy.KindService: e} })
	for range 3 { // one part each
		s.after(time.Minute)
	}
	e.broken = errors.New("throttled")
	for range 4 {
		s.after(time.Minute)
	}
	all := []deploy.Target{api, web}
	assert.Equal(t, [][]deploy.Target{nil, nil, all, all, all, all, all}, e.asked, "AWS is asked of those that the last whole round found")
	round, err := s.store.Round(t.Context())
	require.NoError(t, err)
	assert.Equal(t, all, round.Known)
}

func TestWhatWouldBeHeldForAnAlarmIsOnRecordOnce(t *testing.T) {
	s := newScene(t, calm, observing, func(s *scene) { s.cloudWatch.red = map[string]time.Time{"errors": noon.Add(-time.Minute)} })
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, []string{"record shop/live would-hold alarm-outside"}, s.journal.lines)
	s.after(time.Minute)
	s.after(time.Minute)
	assert.Len(t, s.journal.lines, 1, "the sweep sees it every minute")
}
