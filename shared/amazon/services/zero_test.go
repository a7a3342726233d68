package services_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAServiceIsTakenOutOfServiceAndTheWayBackIsSaid(t *testing.T) {
	s := serve(t, nil, func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(3) })
	out, err := s.driver.OutOfService(t.Context(), place)
	require.NoError(t, err)
	assert.False(t, out)
	was := s.live()

	changed := was
	changed.Version = "web:9"
	_, err = s.driver.ScaleToZero(t.Context(), changed)
	require.ErrorIs(t, err, deploy.ErrChanged)

	back, err := s.driver.ScaleToZero(t.Context(), was)
	require.NoError(t, err)
	assert.Equal(t, "aws ecs update-service --cluster "+place.Target.Application+" --service "+place.Target.Group+" --desired-count 3", back)
	s.settle()
	out, err = s.driver.OutOfService(t.Context(), place)
	require.NoError(t, err)
	assert.True(t, out)
}
