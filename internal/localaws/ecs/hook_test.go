package ecs_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	locallambda "github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// packaged is the deployment package of testdata/hook.
var packaged = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "ecs-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	bin := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", bin, "./testdata/hook")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build hook: %w: %s", err, out)
	}
	contents, err := os.ReadFile(bin)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(contents); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
})

// plan is what a hook answers in each lifecycle stage.
type plan map[string][]string

// functions adds Lambda with hook functions to the bench.
func (b *bench) functions(plans map[string]plan) {
	b.t.Helper()
	svc := locallambda.New(b.w, b.mux, locallambda.Options{
		Endpoint: func() string { return b.url },
		Issue: func(p wire.Principal) (id, secret, token string) {
			c := b.mux.Issue(p)
			return c.AccessKeyID, c.SecretAccessKey, c.SessionToken
		},
	})
	b.mux.Handle(svc.Wire())
	b.t.Cleanup(func() { require.NoError(b.t, svc.Close()) })
	code, err := packaged()
	require.NoError(b.t, err)
	b.w.Lock()
	defer b.w.Unlock()
	for _, name := range slices.Sorted(keys(plans)) {
		text, err := json.Marshal(plans[name])
		require.NoError(b.t, err)
		_, err = wire.Do[lambda.CreateFunctionOutput](b.t.Context(), b.mux, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}, "lambda", "CreateFunction", &lambda.CreateFunctionInput{
			FunctionName: aws.String(name), Role: aws.String("arn:aws:iam::123456789012:role/hook"), Handler: aws.String("bootstrap"),
			Runtime: lambdatypes.RuntimeProvidedal2023, Timeout: aws.Int32(20), Code: &lambdatypes.FunctionCode{ZipFile: code},
			Environment: &lambdatypes.Environment{Variables: map[string]string{"PLAN": string(text)}},
		})
		require.NoError(b.t, err)
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func function(name string, stages ...ecstypes.DeploymentLifecycleHookStage) ecstypes.DeploymentLifecycleHook {
	return ecstypes.DeploymentLifecycleHook{
		HookTargetArn: aws.String("arn:aws:lambda:us-east-1:123456789012:function:" + name), RoleArn: aws.String("arn:aws:iam::123456789012:role/invoker"),
		LifecycleStages: stages,
	}
}

func pause(stage ecstypes.DeploymentLifecycleHookStage, c *ecstypes.DeploymentLifecycleHookTimeoutConfiguration) ecstypes.DeploymentLifecycleHook {
	return ecstypes.DeploymentLifecycleHook{TargetType: ecstypes.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{stage}, TimeoutConfiguration: c}
}

// hookLines returns what hooks were asked and answered.
func (b *bench) hookLines() []string {
	var all []string
	for _, line := range b.history {
		if strings.Contains(line, " invoker: ") {
			all = append(all, strings.ReplaceAll(line, "arn:aws:lambda:us-east-1:123456789012:function:", ""))
		}
	}
	return all
}

func TestHooksAreAskedInTheirStagesUntilTheyHaveDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.functions(map[string]plan{"check": {"POST_TEST_TRAFFIC_SHIFT": {"later", "IN_PROGRESS"}}, "audit": {}})
	b.serveNative(blueGreen(1))
	check := function("check", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
	check.HookDetails = ecsdocument.NewLazyDocument(map[string]any{"url": "https://shop.example", "limit": 3})
	b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: blueGreen(1,
		check, function("audit", "PRE_SCALE_UP", "POST_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))})
	b.advance(50 * time.Second)
	hooks := b.rollout().LifecycleHookDetails
	require.Len(t, hooks, 1)
	assert.Equal(t, ecstypes.DeploymentLifecycleHookDetail{
		HookId: hooks[0].HookId, Status: "IN_PROGRESS", TargetType: "AWS_LAMBDA", TargetArn: check.HookTargetArn, TimeoutAction: "ROLLBACK",
		ExpiresAt: aws.Time(b.epoch.Add(630*time.Second + 24*time.Hour)),
	}, hooks[0])
	b.advance(5 * time.Minute)
	assert.Equal(t, []string{
		`600 invoker: audit PRE_SCALE_UP {"hookStatus":"SUCCEEDED"}`,
		`620 invoker: audit POST_SCALE_UP {"hookStatus":"SUCCEEDED"}`,
		`630 invoker: check POST_TEST_TRAFFIC_SHIFT {"callBackDelay":45,"hookDetails":{"tries":1},"hookStatus":"IN_PROGRESS"}`,
		`675 invoker: check POST_TEST_TRAFFIC_SHIFT {"hookDetails":{"tries":2},"hookStatus":"IN_PROGRESS"}`, // 30 seconds by default
		`705 invoker: check POST_TEST_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`710 invoker: check PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`710 invoker: audit PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`715 invoker: audit POST_PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
	}, b.hookLines())
	r := b.rollout()
	assert.Equal(t, ecstypes.ServiceDeploymentStatusSuccessful, r.Status)
	green, blue := *r.TargetServiceRevision.Arn, *r.SourceServiceRevisions[0].Arn
	var e struct {
		ExecutionID string `json:"executionId"`
	}
	require.NoError(t, json.Unmarshal([]byte(b.hooks[3]), &e))
	assert.JSONEq(t, `{
		"executionId": "`+e.ExecutionID+`", "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT", "resourceArn": "`+*r.ServiceDeploymentArn+`",
		"executionDetails": {
			"serviceArn": "arn:aws:ecs:us-east-1:123456789012:service/shop/web", "targetServiceRevisionArn": "`+green+`",
			"testTrafficWeights": {"`+green+`": 100, "`+blue+`": 0}, "productionTrafficWeights": {"`+green+`": 0, "`+blue+`": 100}
		},
		"hookDetails": {"url": "https://shop.example", "limit": 3, "tries": 1}
	}`, b.hooks[3])
	assert.Contains(t, b.hooks[2], e.ExecutionID, "all invocations of one execution have its ID")
	assert.True(t, strings.HasPrefix(b.hooks[0], `{"executionId":"`), b.hooks[0])
	assert.Contains(t, b.hooks[0], `"testTrafficWeights":{},"productionTrafficWeights":{`)
	assert.Contains(t, b.hooks[0], `"hookDetails":{}}`)
}

func TestAHookThatDoesNotSucceedTakesTheDeploymentBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, why string }{
		"it says so":         {"FAILED", `the function answered hookStatus "FAILED"`},
		"it is broken":       {"error", "function error Unhandled"},
		"it answers nothing": {"nonsense", `the function's answer is not valid: "yes"`},
		"it is not sure":     {"PERHAPS", `the function answered hookStatus "PERHAPS"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.functions(map[string]plan{"check": {"POST_PRODUCTION_TRAFFIC_SHIFT": {c.answer}}})
			b.serveNative(blueGreen(1))
			b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: blueGreen(1,
				function("check", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))})
			b.advance(5 * time.Minute)
			r := b.rollout()
			assert.Equal(t, ecstypes.ServiceDeploymentStatusRollbackSuccessful, r.Status)
			assert.Equal(t, "Service deployment rolled back because lifecycle hook arn:aws:lambda:us-east-1:123456789012:function:check failed: "+c.why+".", *r.Rollback.Reason)
			assert.Equal(t, "blue 100 green 0", b.weights(b.production))
			var stages []string
			for _, line := range b.hookLines() {
				stages = append(stages, strings.Fields(line)[3])
			}
			assert.Equal(t, []string{
				"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
				"PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT", // again, on the way back
			}, stages)
			var e struct {
				ExecutionDetails struct {
					TargetServiceRevisionArn string             `json:"targetServiceRevisionArn"`
					ProductionTrafficWeights map[string]float64 `json:"productionTrafficWeights"`
				} `json:"executionDetails"`
			}
			require.NoError(t, json.Unmarshal([]byte(b.hooks[3]), &e))
			green, blue := *r.TargetServiceRevision.Arn, *r.SourceServiceRevisions[0].Arn
			assert.Equal(t, green, e.ExecutionDetails.TargetServiceRevisionArn, "the target is still the new revision")
			assert.Equal(t, map[string]float64{green: 0, blue: 100}, e.ExecutionDetails.ProductionTrafficWeights)
		})
	}
}

func TestAHookIsAskedAtEveryStepOfALinearDeployment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.functions(map[string]plan{"check": {}})
	linear := &ecstypes.DeploymentConfiguration{
		Strategy: ecstypes.DeploymentStrategyLinear, LinearConfiguration: &ecstypes.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(1)},
		LifecycleHooks: []ecstypes.DeploymentLifecycleHook{function("check", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")},
	}
	b.serveNative(&ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyLinear})
	b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: linear})
	b.advance(5 * time.Minute)
	assert.Equal(t, []string{
		`635 invoker: check PRE_PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`640 invoker: check PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`700 invoker: check PRE_PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
		`705 invoker: check PRODUCTION_TRAFFIC_SHIFT {"hookStatus":"SUCCEEDED"}`,
	}, b.hookLines())
	assert.Equal(t, "SUCCESSFUL", string(b.rollout().Status))
}

func TestAHookThatTakesTooLongTimesOut(t *testing.T) {
	t.Parallel()
	for action, want := range map[ecstypes.DeploymentLifecycleHookAction]string{"CONTINUE": "SUCCESSFUL", "ROLLBACK": "ROLLBACK_SUCCESSFUL"} {
		b := newBench(t)
		b.functions(map[string]plan{"check": {"POST_SCALE_UP": slices.Repeat([]string{"later"}, 9)}})
		b.serveNative(blueGreen(0))
		hook := function("check", "POST_SCALE_UP")
		hook.TimeoutConfiguration = &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(2), Action: action}
		b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: blueGreen(0, hook)})
		b.advance(10 * time.Minute)
		assert.Equal(t, want, string(b.rollout().Status))
		assert.Len(t, b.hooks, 3, "at 0, 45 and 90 seconds")
	}
}

func TestAPauseWaitsForSomebody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  ecstypes.DeploymentLifecycleHookAction
		timeout *ecstypes.DeploymentLifecycleHookTimeoutConfiguration
		want    string
		event   string
	}{
		"who lets it go on":    {action: "", want: "SUCCESSFUL", event: "INFO HOOK_SUCCEEDED POST_TEST_TRAFFIC_SHIFT"},
		"who takes it back":    {action: "ROLLBACK", want: "ROLLBACK_SUCCESSFUL", event: "ERROR HOOK_FAILED POST_TEST_TRAFFIC_SHIFT"},
		"until it times out":   {action: "-", timeout: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(30)}, want: "ROLLBACK_SUCCESSFUL", event: "ERROR HOOK_TIMED_OUT POST_TEST_TRAFFIC_SHIFT"},
		"or goes on by itself": {action: "-", timeout: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(30), Action: "CONTINUE"}, want: "SUCCESSFUL", event: "ERROR HOOK_TIMED_OUT POST_TEST_TRAFFIC_SHIFT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.serveNative(blueGreen(1))
			b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: blueGreen(1, pause("POST_TEST_TRAFFIC_SHIFT", c.timeout))})
			b.advance(20 * time.Minute)
			r := b.rollout()
			require.Len(t, r.LifecycleHookDetails, 1)
			hook := r.LifecycleHookDetails[0]
			assert.Equal(t, "AWAITING_ACTION PAUSE", string(hook.Status)+" "+string(hook.TargetType))
			assert.Regexp(t, `^ecs-pause-[A-Za-z0-9_-]+$`, *hook.HookId)
			if c.action != "-" {
				in := &sdk.ContinueServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn, HookId: hook.HookId, Action: c.action}
				_, err := b.ContinueServiceDeployment(t.Context(), in)
				require.NoError(t, err)
				_, err = b.ContinueServiceDeployment(t.Context(), in)
				require.ErrorContains(t, err, "InvalidParameterException")
			}
			b.advance(20 * time.Minute)
			assert.Equal(t, c.want, string(b.rollout().Status))
			told := strings.Join(b.told(), "\n")
			assert.Contains(t, told, "630 INFO HOOK_AWAITING_ACTION POST_TEST_TRAFFIC_SHIFT")
			assert.Contains(t, told, c.event)
			i := slices.IndexFunc(b.events, func(e map[string]any) bool { return e["detail-type"] == "ECS Hook State Change" })
			svc := b.web()
			assert.Equal(t, map[string]any{
				"source": "aws.ecs", "detail-type": "ECS Hook State Change", "resources": []string{*r.ServiceDeploymentArn},
				"detail": map[string]any{
					"eventType": "INFO", "eventName": "HOOK_AWAITING_ACTION", "hookId": *hook.HookId, "hookType": "PAUSE",
					"expiresAt": hook.ExpiresAt.Format(time.RFC3339), "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT", "clusterArn": *svc.ClusterArn,
					"serviceArn": *svc.ServiceArn, "serviceDeploymentArn": *r.ServiceDeploymentArn, "updatedAt": "2026-01-05T09:10:30Z",
				},
			}, b.events[i])
		})
	}
}
