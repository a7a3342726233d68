package logs_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestWireIsAsTheSDKRecordedIt(t *testing.T) {
	wiretest.Snapshots(t, newBench(t).service.Wire(), "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs")
}
