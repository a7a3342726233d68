package codedeploy

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// hookPrefix begins the names of the functions that the managed policy
	// AWSCodeDeployRoleForLambda allows to invoke.
	hookPrefix = "CodeDeployHook_"
	// hookTimeout is how long CodeDeploy waits for an answer (user guide,
	// "AppSpec 'hooks' section" and "CodeDeploy quotas").
	hookTimeout = time.Hour
)

// The messages of AWS (user guide, troubleshooting pages; terraform-aws-lambda
// issue 77 for the role).
const (
	hookFailed   = "The deployment failed because one or more of the lifecycle event validation functions failed."
	hookTimedOut = "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one hour after a deployment hook is invoked."
	roleLacks    = "The IAM role %s does not give you permission to perform operations in the following AWS service: AWSLambda. " +
		"Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant permissions to your users or groups by creating IAM policies."
)

// hookEvent is the payload of a hook: these two keys and no other.
type hookEvent struct {
	DeploymentID                  string `json:"DeploymentId"`
	LifecycleEventHookExecutionID string `json:"LifecycleEventHookExecutionId"`
}

// hook invokes the function of a lifecycle event and waits for its answer. A
// rollback invokes none: in a published run, the events of the rollback
// succeeded and the hook functions were not invoked.
func (r *lambdaRun) hook(ctx context.Context, event int) {
	function := r.spec.BeforeAllowTraffic
	if event == afterAllowTraffic {
		function = r.spec.AfterAllowTraffic
	}
	if function == "" || r.back {
		r.finish(ctx, event)
		return
	}
	if !strings.HasPrefix(functionName(function), hookPrefix) {
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeIamRolePermissions, fmt.Sprintf(roleLacks, r.d.role))
		return
	}
	id := r.newExecution(event)
	payload, err := json.Marshal(hookEvent{DeploymentID: r.d.id(), LifecycleEventHookExecutionID: id})
	if err == nil {
		_, err = wire.Do[lambda.InvokeOutput](ctx, r.s.c, principal(), "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(function), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		r.diagnose(event, err.Error())
		r.s.fail(ctx, r.d, cdtypes.ErrorCodeHookExecutionFailure, hookFailed)
		return
	}
	r.s.later(r.d, hookTimeout, func() {
		if r.events[event].Status == cdtypes.LifecycleEventStatusInProgress {
			r.s.fail(ctx, r.d, cdtypes.ErrorCodeTimeout, hookTimedOut)
		}
	})
}

// newExecution makes the ID that the hook must answer with. It is opaque to
// the hook; like AWS's, it is the base64 form of an object that looks encrypted.
func (r *lambdaRun) newExecution(event int) string {
	random := func(n int) string {
		var b []byte
		for range n {
			b = binary.LittleEndian.AppendUint64(b, r.s.w.Rand().Uint64())
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	const dataSize, vectorSize = 12, 2 // in words of eight bytes
	text := fmt.Sprintf(`{"encryptedData":%q,"ivParameterSpec":%q,"materialSetSerial":1}`, random(dataSize), random(vectorSize))
	id := base64.StdEncoding.EncodeToString([]byte(text))
	r.hooks[id] = event
	return id
}

// report takes the answer of a hook. The deployment goes on or fails a moment
// later, not while the function that answers is still running.
func (r *lambdaRun) report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error {
	event, ok := r.hooks[executionID]
	switch {
	case !ok:
		return &cdtypes.InvalidLifecycleEventHookExecutionIdException{
			Message: aws.String("A lifecycle event hook is invalid. Review the hooks section in your AppSpec file to ensure the lifecycle events and hooks functions are valid."),
		}
	case r.events[event].Status != cdtypes.LifecycleEventStatusInProgress:
		return &cdtypes.LifecycleEventAlreadyCompletedException{
			Message: aws.String("An attempt to return the status of an already completed lifecycle event occurred."),
		}
	case status == cdtypes.LifecycleEventStatusSucceeded:
		r.finish(ctx, event)
	default:
		r.close(event, cdtypes.LifecycleEventStatusFailed)
		r.diagnose(event, "the validation function reported Failed")
		r.s.later(r.d, stepDelay, func() { r.s.fail(ctx, r.d, cdtypes.ErrorCodeHookExecutionFailure, hookFailed) })
	}
	return nil
}

// diagnose says why a lifecycle event failed.
func (r *lambdaRun) diagnose(event int, why string) {
	r.events[event].Diagnostics = &cdtypes.Diagnostics{ErrorCode: cdtypes.LifecycleErrorCodeUnknownError, Message: aws.String(why)}
}
