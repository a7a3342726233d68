package lambdaboot_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

func TestTheRequestIDIsTheInvocations(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "req-1"})
	assert.Equal(t, "req-1", lambdaboot.RequestID(ctx))
	assert.Empty(t, lambdaboot.RequestID(t.Context()), "outside of an invocation")
}
