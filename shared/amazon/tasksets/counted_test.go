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

	arms, err := s.platform.Counted(t.Context(), d)
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
	later, err := s.platform.Counted(t.Context(), d)
	require.NoError(t, err)
	assert.Equal(t, measure.Arms{New: arms.New}, later, "the original is gone")

	d.To = "web:9"
	_, err = s.platform.Counted(t.Context(), d)
	require.ErrorContains(t, err, "has no task set of web:9")
	require.NotErrorIs(t, err, measure.ErrUncounted, "it may be there with the next look")

	d.To = d.From
	_, err = s.platform.Counted(t.Context(), d)
	require.ErrorIs(t, err, measure.ErrUncounted, "nothing tells which is which")
}

func TestANetworkLoadBalancerCountsNoRequests(t *testing.T) {
	s := build(t, true)
	id := s.deploy("web:2")
	s.Advance(3 * time.Minute)
	d, err := s.driver.Get(t.Context(), target, id)
	require.NoError(t, err)
	_, err = s.platform.Counted(t.Context(), d)
	require.ErrorIs(t, err, measure.ErrUncounted)
	require.ErrorContains(t, err, "is no application load balancer")
}
