package sts_test

import (
	"testing"

	localsts "github.com/pullback-dev/pullback/internal/localaws/sts"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	w := world.New(world.Options{})
	svc := localsts.New(w, wire.NewMux(w)).Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/sts")
	wiretest.Answers(t, svc)
}
