package target_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target"
)

type plain struct{ target.Driver }

type zeroer struct{ target.Driver }

func (zeroer) OutOfService(context.Context, deploy.Place) (bool, error) { return true, nil }

func (zeroer) ScaleToZero(context.Context, deploy.Live) (string, error) { return "back", nil }

func TestOnlyKindsThatCanAreTakenOutOfService(t *testing.T) {
	s := target.Set{deploy.KindService: zeroer{}, deploy.KindAlias: plain{}}
	can := deploy.Place{Target: deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}}
	assert.True(t, s.Zeroes(deploy.KindService))
	out, err := s.OutOfService(t.Context(), can)
	require.NoError(t, err)
	assert.True(t, out)
	back, err := s.ScaleToZero(t.Context(), deploy.Live{Place: can})
	require.NoError(t, err)
	assert.Equal(t, "back", back)

	for _, kind := range []deploy.Kind{deploy.KindAlias, deploy.KindScaling} { // a driver that cannot, and none at all
		cannot := deploy.Place{Target: deploy.Target{Kind: kind, Application: "search", Group: "live"}}
		assert.False(t, s.Zeroes(kind))
		_, err := s.OutOfService(t.Context(), cannot)
		require.ErrorContains(t, err, "cannot be taken out of service")
		_, err = s.ScaleToZero(t.Context(), deploy.Live{Place: cannot})
		require.ErrorContains(t, err, "cannot be taken out of service")
	}
}
