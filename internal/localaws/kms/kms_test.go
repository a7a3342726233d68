package kms_test

import (
	"testing"

	localkms "github.com/pullback-dev/pullback/internal/localaws/kms"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRequestsAndAnswersTravelAsTheSDKWritesAndReadsThem(t *testing.T) {
	w := world.New(world.Options{})
	wiretest.Snapshots(t, localkms.New(w, wire.NewMux(w)).Wire(), "github.com/aws/aws-sdk-go-v2/service/kms")
}
