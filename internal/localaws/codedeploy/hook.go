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

// hooks invokes the hook functions of one target and takes their answers.
type hooks struct {
	s          *Service
	d          *deployment
	life       *lifecycle
	executions map[string]int                       // lifecycle event by execution ID
	finish     func(ctx context.Context, event int) // goes on after an event that succeeded
	anyName    bool                                 // the managed policy of the platform allows functions of any name
}

func (s *Service) newHooks(d *deployment, life *lifecycle, finish func(ctx context.Context, event int)) *hooks {
	return &hooks{s: s, d: d, life: life, executions: map[string]int{}, finish: finish}
}

// invoke invokes the function of a lifecycle event and waits for its answer.
// An event without a function succeeds at once.
func (h *hooks) invoke(ctx context.Context, event int, function string) {
	if function == "" {
		h.finish(ctx, event)
		return
	}
	if !h.anyName && !strings.HasPrefix(functionName(function), hookPrefix) {
		h.s.fail(ctx, h.d, cdtypes.ErrorCodeIamRolePermissions, fmt.Sprintf(roleLacks, h.d.role))
		return
	}
	id := h.newExecution(event)
	payload, err := json.Marshal(hookEvent{DeploymentID: h.d.id(), LifecycleEventHookExecutionID: id})
	if err == nil {
		_, err = wire.Do[lambda.InvokeOutput](ctx, h.s.c, h.d.principal(), "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(function), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		h.life.diagnose(event, err.Error())
		if denied(err) {
			h.s.fail(ctx, h.d, cdtypes.ErrorCodeIamRolePermissions, fmt.Sprintf(roleLacks, h.d.role))
			return
		}
		h.s.fail(ctx, h.d, cdtypes.ErrorCodeHookExecutionFailure, hookFailed)
		return
	}
	h.s.later(h.d, hookTimeout, func() {
		if h.life.running(event) {
			h.s.fail(ctx, h.d, cdtypes.ErrorCodeTimeout, hookTimedOut)
		}
	})
}

// newExecution makes the ID that the hook must answer with. It is opaque to
// the hook; like AWS's, it is the base64 form of an object that looks encrypted.
func (h *hooks) newExecution(event int) string {
	random := func(n int) string {
		var b []byte
		for range n {
			b = binary.LittleEndian.AppendUint64(b, h.s.w.Rand().Uint64())
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	const dataSize, vectorSize = 12, 2 // in words of eight bytes
	text := fmt.Sprintf(`{"encryptedData":%q,"ivParameterSpec":%q,"materialSetSerial":1}`, random(dataSize), random(vectorSize))
	id := base64.StdEncoding.EncodeToString([]byte(text))
	h.executions[id] = event
	return id
}

// report takes the answer of a hook. The deployment goes on or fails a moment
// later, not while the function that answers is still running.
func (h *hooks) report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error {
	event, ok := h.executions[executionID]
	switch {
	case !ok:
		return invalidExecution()
	case !h.life.running(event):
		return &cdtypes.LifecycleEventAlreadyCompletedException{
			Message: aws.String("An attempt to return the status of an already completed lifecycle event occurred."),
		}
	case status == cdtypes.LifecycleEventStatusSucceeded:
		h.finish(ctx, event)
	default:
		h.life.close(event, cdtypes.LifecycleEventStatusFailed)
		h.life.diagnose(event, "the validation function reported Failed")
		h.s.later(h.d, stepDelay, func() { h.s.fail(ctx, h.d, cdtypes.ErrorCodeHookExecutionFailure, hookFailed) })
	}
	return nil
}

func invalidExecution() error {
	return &cdtypes.InvalidLifecycleEventHookExecutionIdException{
		Message: aws.String("A lifecycle event hook is invalid. Review the hooks section in your AppSpec file to ensure the lifecycle events and hooks functions are valid."),
	}
}
