package tasksets_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

func TestEachTaskSetIsCountedByItsTargetGroup(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	s.Advance(3 * time.Minute)
	d, err := s.driver.Get(t.Context(), target, id)
	require.NoError(t, err)
	require.Equal(t, []deploy.Revision{"web:1", "web:2"}, []deploy.Revision{d.From, d.To})
	assert.Zero(t, d.Alone, "a canary")

	arms, err := s.driver.Counted(t.Context(), d)
	require.NoError(t, err)
	require.NoError(t, measure.Check(arms.Old, arms.New, measure.Minute()))
	for _, arm := range []measure.Arm{arms.Old, arms.New} {
		assert.Equal(t, "AWS/ApplicationELB", arm.Requests.Namespace)
		assert.True(t, strings.HasPrefix(arm.Requests.Dimensions[0].Value, "app/"), arm.Requests)
	}

	s.Advance(4 * time.Minute)
	d, err = s.driver.Get(t.Context(), target, id)
	require.NoError(t, err)
	assert.True(t, d.Running(), "its original is not terminated yet")
	assert.True(t, d.Alone.After(d.Shifted), "all traffic has shifted")

	s.settle()
	s.Advance(10 * time.Minute)
	later, err := s.driver.Counted(t.Context(), d)
	require.NoError(t, err)
	assert.Equal(t, measure.Arms{New: arms.New}, later, "the original is gone")

	s.deploy("web:1")
	s.settle()
	s.Advance(10 * time.Minute)
	d, err = s.driver.Get(t.Context(), target, id)
	require.NoError(t, err)
	_, err = s.driver.Counted(t.Context(), d)
	require.ErrorIs(t, err, measure.ErrUncounted, "it is gone, too")
}

// A deployment that was stopped without a rollback has left its tasks there, and what
// is deployed next is the same.
func TestATaskSetIsToldFromAnotherThatRunsTheSame(t *testing.T) {
	s := serve(t)
	first := s.deploy("web:2")
	s.Advance(3 * time.Minute)
	before := s.counted(first)
	s.halt(first)
	live, err := s.driver.Live(t.Context(), place)
	require.NoError(t, err)
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	again := s.deploy("web:2")
	s.Advance(3 * time.Minute)
	d, err := s.driver.Get(t.Context(), target, again)
	require.NoError(t, err)
	require.Equal(t, []deploy.Revision{"web:1", "web:2"}, []deploy.Revision{d.From, d.To})
	after := s.counted(again)
	assert.Equal(t, before.Old, after.Old)
	require.NoError(t, measure.Check(after.Old, after.New, measure.Minute()))
}

func (s *stage) counted(id deploy.ID) measure.Arms {
	s.t.Helper()
	arms, err := s.driver.Counted(s.t.Context(), deploy.Deployment{ID: id, Target: target, Platform: deploy.OnECS})
	require.NoError(s.t, err)
	return arms
}

func TestANetworkLoadBalancerCountsNoRequests(t *testing.T) {
	s := build(t, true)
	id := s.deploy("web:2")
	s.Advance(3 * time.Minute)
	d, err := s.driver.Get(t.Context(), target, id)
	require.NoError(t, err)
	_, err = s.driver.Counted(t.Context(), d)
	require.ErrorIs(t, err, measure.ErrUncounted)
	require.ErrorContains(t, err, "is no application load balancer")
}
