package secretsmanager_test

import (
	"testing"

	localsecrets "github.com/pullback-dev/pullback/internal/localaws/secretsmanager"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRequestsAndAnswersTravelAsTheSDKWritesAndReadsThem(t *testing.T) {
	w := world.New(world.Options{})
	wiretest.Snapshots(t, localsecrets.New(w, wire.NewMux(w)).Wire(), "github.com/aws/aws-sdk-go-v2/service/secretsmanager")
}
