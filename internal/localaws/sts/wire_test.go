package sts_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	localsts "github.com/pullback-dev/pullback/internal/localaws/sts"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	svc := localsts.New(w, mux, iam.New(w, mux)).Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/sts")
	wiretest.Answers(t, svc)
}
