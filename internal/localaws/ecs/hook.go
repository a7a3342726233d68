package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The times of hooks (developer guide, "Lambda hooks for Amazon ECS service
// deployments"; API reference, DeploymentLifecycleHookTimeoutConfiguration).
const (
	usualCallBack    = 30 // seconds
	usualHookTimeout = 1440
)

// hookRun is a lifecycle hook in the stage that a rollout is in.
type hookRun struct {
	hook    ecstypes.DeploymentLifecycleHook
	id      string // of a pause hook for ContinueServiceDeployment, of a function's execution
	status  ecstypes.DeploymentLifecycleHookStatus
	expires time.Time
	due     time.Time      // of the next invocation
	busy    bool           // the function runs
	why     string         // it failed
	state   map[string]any // what the function returned as hookDetails
}

func (h *hookRun) pauses() bool {
	return h.hook.TargetType == ecstypes.DeploymentLifecycleHookTargetTypePause
}

func (h *hookRun) timeoutAction() ecstypes.DeploymentLifecycleHookAction {
	if c := h.hook.TimeoutConfiguration; c != nil && c.Action != "" {
		return c.Action
	}
	return ecstypes.DeploymentLifecycleHookActionRollback
}

// startHooks begins the hooks of the stage that a rollout has entered.
func (s *Service) startHooks(r *rollout) {
	for _, hook := range r.config.LifecycleHooks {
		if !slices.Contains(hook.LifecycleStages, ecstypes.DeploymentLifecycleHookStage(r.stage)) {
			continue
		}
		limit := time.Duration(usualHookTimeout) * time.Minute
		if c := hook.TimeoutConfiguration; c != nil {
			limit = minutes(c.TimeoutInMinutes, limit)
		}
		h := &hookRun{hook: hook, id: s.w.UUID(), status: ecstypes.DeploymentLifecycleHookStatusInProgress, expires: s.w.Now().Add(limit), due: s.w.Now()}
		r.hooks = append(r.hooks, h)
		if h.pauses() {
			h.id = "ecs-pause-" + s.short() + s.short()
			h.status = ecstypes.DeploymentLifecycleHookStatusAwaitingAction
			s.tellHook(r, h, "HOOK_AWAITING_ACTION")
		}
	}
}

// hooked lets the hooks of a stage go on. It says whether all are done, or why
// one of them failed.
func (s *Service) hooked(r *rollout) (done bool, why string) {
	done = true
	now := s.w.Now()
	var due []*hookRun
	for _, h := range r.hooks {
		switch h.status {
		case ecstypes.DeploymentLifecycleHookStatusFailed:
			return false, h.why
		case ecstypes.DeploymentLifecycleHookStatusInProgress, ecstypes.DeploymentLifecycleHookStatusAwaitingAction:
		default:
			continue
		}
		if !now.Before(h.expires) && !h.busy {
			if why := s.expire(r, h); why != "" {
				return false, why
			}
			continue
		}
		done = false
		r.wait(h.expires)
		if h.pauses() || h.busy {
			continue
		}
		if now.Before(h.due) {
			r.wait(h.due)
			continue
		}
		h.busy = true
		due = append(due, h)
	}
	if len(due) > 0 {
		s.invoke(r, due)
	}
	return done, ""
}

// expire ends a hook that took too long.
func (s *Service) expire(r *rollout, h *hookRun) (why string) {
	h.status = ecstypes.DeploymentLifecycleHookStatusTimedOut
	if h.pauses() {
		s.tellHook(r, h, "HOOK_TIMED_OUT")
	}
	if h.timeoutAction() == ecstypes.DeploymentLifecycleHookActionContinue {
		return ""
	}
	return "a lifecycle hook timed out in " + r.stage
}

// hookEvent is the payload of a hook's function (developer guide, "Lambda hooks
// for Amazon ECS service deployments").
type hookEvent struct {
	ExecutionID      string         `json:"executionId"`
	LifecycleStage   string         `json:"lifecycleStage"`
	ResourceARN      string         `json:"resourceArn"`
	ExecutionDetails executionEvent `json:"executionDetails"`
	HookDetails      map[string]any `json:"hookDetails"`
}

type executionEvent struct {
	ServiceARN               string             `json:"serviceArn"`
	TargetServiceRevisionARN string             `json:"targetServiceRevisionArn"`
	TestTrafficWeights       map[string]float64 `json:"testTrafficWeights"`
	ProductionTrafficWeights map[string]float64 `json:"productionTrafficWeights"`
}

func (r *rollout) event(h *hookRun) hookEvent {
	e := hookEvent{
		ExecutionID: h.id, LifecycleStage: r.stage, ResourceARN: r.arn, HookDetails: details(h),
		ExecutionDetails: executionEvent{
			ServiceARN: r.service.arn(), TargetServiceRevisionARN: r.target.revision,
			TestTrafficWeights: map[string]float64{}, ProductionTrafficWeights: map[string]float64{},
		},
	}
	for _, d := range []*deployment{r.base, r.target} {
		if d == nil {
			continue
		}
		production, test := r.weightsOf(d)
		e.ExecutionDetails.ProductionTrafficWeights[d.revision] = production
		if test != nil && r.tested {
			e.ExecutionDetails.TestTrafficWeights[d.revision] = *test
		}
	}
	return e
}

// details is what a function gets as hookDetails: what is configured, and over
// it what it returned itself last.
func details(h *hookRun) map[string]any {
	all := map[string]any{}
	if h.hook.HookDetails != nil {
		_ = read(h.hook.HookDetails, &all) // what is no object has no members
	}
	maps.Copy(all, h.state)
	return all
}

func read(d ecsdocument.Interface, into *map[string]any) error {
	b, err := d.MarshalSmithyDocument()
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// invoke invokes the functions of hooks that begin together. AWS runs them in
// parallel; here each has the same moment to itself, in the order of the
// configuration, so that one seed gives one history.
func (s *Service) invoke(r *rollout, due []*hookRun) {
	s.w.Aside(func(ctx context.Context) {
		for _, h := range due {
			s.answer(h, s.call(ctx, r, h))
			h.busy = false
		}
		s.poke(r.service)
	})
}

// hookAnswer is what a hook's function returns.
type hookAnswer struct {
	HookStatus    string         `json:"hookStatus"`
	CallBackDelay *float64       `json:"callBackDelay"`
	HookDetails   map[string]any `json:"hookDetails"`
	problem       string
}

func (s *Service) call(ctx context.Context, r *rollout, h *hookRun) hookAnswer {
	payload, err := json.Marshal(r.event(h))
	if err != nil {
		return hookAnswer{problem: err.Error()}
	}
	out, err := wire.Do[lambda.InvokeOutput](ctx, s.c, role(aws.ToString(h.hook.RoleArn)), "lambda", "Invoke", &lambda.InvokeInput{
		FunctionName: h.hook.HookTargetArn, InvocationType: lambdatypes.InvocationTypeRequestResponse, Payload: payload,
	})
	switch {
	case err != nil:
		return hookAnswer{problem: err.Error()}
	case out.FunctionError != nil:
		return hookAnswer{problem: "function error " + *out.FunctionError}
	}
	var a hookAnswer
	if err := json.Unmarshal(out.Payload, &a); err != nil {
		return hookAnswer{problem: "the function's answer is not valid: " + strings.TrimSpace(string(out.Payload))}
	}
	return a
}

// answer takes what a hook's function returned. Anything but a valid status is
// a failure.
func (s *Service) answer(h *hookRun, a hookAnswer) {
	switch ecstypes.DeploymentLifecycleHookStatus(a.HookStatus) {
	case ecstypes.DeploymentLifecycleHookStatusSucceeded:
		h.status = ecstypes.DeploymentLifecycleHookStatusSucceeded
	case ecstypes.DeploymentLifecycleHookStatusInProgress:
		delay := usualCallBack * time.Second
		if a.CallBackDelay != nil && *a.CallBackDelay >= 0 {
			delay = time.Duration(*a.CallBackDelay * float64(time.Second))
		}
		h.due = s.w.Now().Add(delay)
		if a.HookDetails != nil {
			h.state = a.HookDetails
		}
	default:
		if a.problem == "" {
			a.problem = fmt.Sprintf("the function answered hookStatus %q", a.HookStatus)
		}
		h.status = ecstypes.DeploymentLifecycleHookStatusFailed
		h.why = "lifecycle hook " + aws.ToString(h.hook.HookTargetArn) + " failed: " + a.problem
	}
}
