package cloudformation_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRequestsAndAnswersTravelAsTheSDKWritesAndReadsThem(t *testing.T) {
	t.Parallel()
	svc := cloudformation.New(world.New(world.Options{}), newRecorder(), cloudformation.Options{}).Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/cloudformation")
	wiretest.Answers(t, svc)
}
