package codedeploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
)

// The lifecycle events of a Lambda deployment. The user guide draws Start and
// End around them; GetDeploymentTarget answers of AWS have these three.
const (
	beforeAllowTraffic = iota
	allowTraffic
	afterAllowTraffic
)

// Delays that were measured in published runs: the first hook ran two seconds
// after the start, and the whole deployment took about three more besides.
const (
	hookDelay = 2 * time.Second
	stepDelay = 500 * time.Millisecond // from one lifecycle event to the next
)

// lambdaExecutor shifts the traffic of Lambda aliases.
type lambdaExecutor struct{ s *Service }

// lambdaRun is one Lambda deployment on its way.
type lambdaRun struct {
	s      *Service
	d      *deployment
	back   bool // rolls back: no hooks, the alias may be split
	spec   appspec.Lambda
	known  bool // spec was read
	valid  bool // alias and versions were as spec says when it started
	life   *lifecycle
	hooks  *hooks
	status cdtypes.TargetStatus
	weight float64 // of the target version
}

func (x *lambdaExecutor) newRun(d *deployment) *lambdaRun {
	r := &lambdaRun{
		s: x.s, d: d, status: cdtypes.TargetStatusPending,
		life: newLifecycle(x.s.w, "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"),
	}
	r.hooks = x.s.newHooks(d, r.life, r.finish)
	return r
}

func (x *lambdaExecutor) deploy(d *deployment) run { return x.newRun(d) }

// undo goes back to the version that was current when the failed deployment
// began. That needs no earlier deployment: a published run shows the rollback
// of the first deployment of a group. It needs a deployment that began, though:
// one that was refused because the alias was not as expected changed nothing,
// and where to go back to is not known.
func (x *lambdaExecutor) undo(failed *deployment) (how undoing, ok bool) {
	f, isLambda := failed.run.(*lambdaRun)
	if !isLambda || !f.valid {
		return undoing{}, false
	}
	spec := f.spec
	spec.CurrentVersion, spec.TargetVersion = spec.TargetVersion, spec.CurrentVersion
	return undoing{to: x.lastGood(failed, spec), config: lambdaAllAtOnce, deploy: func(d *deployment) run {
		r := x.newRun(d)
		r.back, r.spec, r.known = true, spec, true
		r.weight = 1 - f.weight
		return r
	}}, true
}

// lastGood returns the revision of a rollback: the one that was last deployed
// successfully if it led to the version to go back to, and otherwise one that
// says what the rollback does.
func (x *lambdaExecutor) lastGood(failed *deployment, spec appspec.Lambda) cdtypes.RevisionLocation {
	if good := failed.group.succeeded; good != nil {
		if r, ok := good.run.(*lambdaRun); ok && r.spec.Function == spec.Function && r.spec.Alias == spec.Alias && r.spec.TargetVersion == spec.TargetVersion {
			return *good.info.Revision
		}
	}
	spec.BeforeAllowTraffic, spec.AfterAllowTraffic = "", ""
	text := spec.Text()
	sum, err := hash(aws.String(text), nil)
	if err != nil {
		return cdtypes.RevisionLocation{} // cannot be: the text is not empty
	}
	return cdtypes.RevisionLocation{
		RevisionType:   cdtypes.RevisionLocationTypeAppSpecContent,
		AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(text), Sha256: sum},
	}
}

func (r *lambdaRun) start(ctx context.Context) {
	r.life.begin(beforeAllowTraffic)
	r.status = cdtypes.TargetStatusInProgress
	if !r.known {
		if code, message := r.read(ctx); code != "" {
			r.s.fail(ctx, r.d, code, message)
			return
		}
	}
	if !r.back {
		if code, message := r.check(ctx); code != "" {
			r.s.fail(ctx, r.d, code, message)
			return
		}
	}
	r.valid = true
	r.s.later(r.d, hookDelay, func() { r.hook(ctx, beforeAllowTraffic) })
}

// notConfigured is how AWS begins every message about an AppSpec file that
// does not fit; the rest of the sentence is ours unless noted.
const notConfigured = "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is missing or has an invalid configuration."

// read gets the AppSpec file, from the revision or from S3.
func (r *lambdaRun) read(ctx context.Context) (code cdtypes.ErrorCode, message string) {
	content, err := r.s.appSpec(ctx, r.d)
	if err != nil {
		return cdtypes.ErrorCodeRevisionMissing, fmt.Sprintf("The revision could not be read: %v", err)
	}
	spec, err := appspec.ParseLambda(content)
	if err != nil {
		return cdtypes.ErrorCodeInvalidLambdaConfiguration, fmt.Sprintf("%s %v", notConfigured, err)
	}
	r.spec, r.known = spec, true
	return "", ""
}

// hook invokes the function of a lifecycle event. A rollback invokes none: in
// a published run, the events of the rollback succeeded and the hook functions
// were not invoked.
func (r *lambdaRun) hook(ctx context.Context, event int) {
	function := r.spec.BeforeAllowTraffic
	if event == afterAllowTraffic {
		function = r.spec.AfterAllowTraffic
	}
	if r.back {
		function = ""
	}
	r.hooks.invoke(ctx, event, function)
}

func (r *lambdaRun) report(ctx context.Context, executionID string, status cdtypes.LifecycleEventStatus) error {
	return r.hooks.report(ctx, executionID, status)
}

// finish ends a lifecycle event and goes on with the next.
func (r *lambdaRun) finish(ctx context.Context, event int) {
	r.life.close(event, cdtypes.LifecycleEventStatusSucceeded)
	r.s.later(r.d, stepDelay, func() {
		switch event {
		case beforeAllowTraffic:
			r.life.begin(allowTraffic)
			r.shift(ctx, r.shifts())
		case allowTraffic:
			r.life.begin(afterAllowTraffic)
			r.hook(ctx, afterAllowTraffic)
		default:
			r.status = cdtypes.TargetStatusSucceeded
			r.s.succeed(ctx, r.d)
		}
	})
}

func (r *lambdaRun) halt(context.Context) {
	r.life.halt()
	r.status = cdtypes.TargetStatusFailed
}

func (r *lambdaRun) targets() []cdtypes.DeploymentTarget {
	if !r.known {
		return nil
	}
	name := functionName(r.spec.Function)
	t := &cdtypes.LambdaTarget{
		DeploymentId: r.d.info.DeploymentId,
		LambdaFunctionInfo: &cdtypes.LambdaFunctionInfo{
			CurrentVersion: aws.String(r.spec.CurrentVersion), FunctionAlias: aws.String(r.spec.Alias), FunctionName: aws.String(name),
			TargetVersion: aws.String(r.spec.TargetVersion), TargetVersionWeight: r.weight,
		},
		LastUpdatedAt:   aws.Time(r.life.updated),
		LifecycleEvents: r.life.list(),
		Status:          r.status,
		TargetArn:       aws.String("arn:aws:lambda:" + r.s.w.Region + ":" + r.s.w.Account + ":function:" + name + ":" + r.spec.Alias),
		TargetId:        aws.String(name),
	}
	return []cdtypes.DeploymentTarget{{DeploymentTargetType: cdtypes.DeploymentTargetTypeLambdaTarget, LambdaTarget: t}}
}

// functionName takes the name out of a function's name, ARN or qualified form.
func functionName(s string) string {
	if _, rest, ok := strings.Cut(s, ":function:"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, ":")
	return s
}
