package iam_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheWireIsTheSDKs(t *testing.T) {
	w := world.New(world.Options{})
	svc := iam.New(w, wire.NewMux(w)).Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/iam")
	wiretest.Answers(t, svc)
}
