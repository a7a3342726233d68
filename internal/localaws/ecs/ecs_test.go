package ecs_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestWireMatchesTheSnapshotsOfTheSDK(t *testing.T) {
	t.Parallel()
	wiretest.Snapshots(t, newBench(t).svc.Wire(), "github.com/aws/aws-sdk-go-v2/service/ecs")
}
