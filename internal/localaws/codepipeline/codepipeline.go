// Package codepipeline is AWS CodePipeline in the local AWS: pipelines whose
// stages and actions are executed on the world's clock.
//
// Sources are objects in S3, deployments are CodeDeploy's, functions are Lambda's,
// approvals are asked for through SNS. Executions supersede each other, wait in a
// queue or run in parallel; transitions can be closed; conditions of stages watch
// CloudWatch alarms; a stage can be retried and rolled back, by hand or by itself.
// Everything that happens is told to EventBridge. Other providers are refused when
// a pipeline is made.
package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// itself is CodePipeline as a service that assumes roles.
const itself = "codepipeline.amazonaws.com"

// Options are what CodePipeline needs of the rest of the local AWS and has no
// API of AWS for.
type Options struct {
	// Issue returns credentials of a role's session, for the jobs of functions.
	Issue func(wire.Principal) (id, secret, token string)
}

// Service is CodePipeline in one account and region.
type Service struct {
	w         *world.World
	c         wire.Caller
	issue     func(wire.Principal) (id, secret, token string)
	pipelines map[string]*pipeline // by name
}

// New makes the service without pipelines.
func New(w *world.World, c wire.Caller, o Options) *Service {
	return &Service{w: w, c: c, issue: o.Issue, pipelines: map[string]*pipeline{}}
}

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "codepipeline", Protocol: wire.JSON11, Target: "CodePipeline_20150709", Style: wire.Camel,
		Operations: []wire.Operation{
			wire.Op("CreatePipeline", s.createPipeline),
			wire.Op("GetPipeline", s.getPipeline),
			wire.Op("UpdatePipeline", s.updatePipeline),
			wire.Op("DeletePipeline", s.deletePipeline),
			wire.Op("ListPipelines", s.listPipelines),
			wire.Op("StartPipelineExecution", s.startPipelineExecution),
			wire.Op("StopPipelineExecution", s.stopPipelineExecution),
			wire.Op("GetPipelineExecution", s.getPipelineExecution),
			wire.Op("ListPipelineExecutions", s.listPipelineExecutions),
			wire.Op("GetPipelineState", s.getPipelineState),
			wire.Op("ListActionExecutions", s.listActionExecutions),
			wire.Op("ListRuleExecutions", s.listRuleExecutions),
			wire.Op("RetryStageExecution", s.retryStageExecution),
			wire.Op("RollbackStage", s.rollbackStage),
			wire.Op("DisableStageTransition", s.disableStageTransition),
			wire.Op("EnableStageTransition", s.enableStageTransition),
			wire.Op("OverrideStageCondition", s.overrideStageCondition),
			wire.Op("PutApprovalResult", s.putApprovalResult),
			wire.Op("GetJobDetails", s.getJobDetails),
			wire.Op("PutJobSuccessResult", s.putJobSuccessResult),
			wire.Op("PutJobFailureResult", s.putJobFailureResult),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("ListTagsForResource", s.listTagsForResource),
		},
	}
}

// now is the world's time in the precision that the API shows.
func (s *Service) now() time.Time { return s.w.Now().Truncate(time.Millisecond) }

// arn names a pipeline.
func (s *Service) arn(name string) string {
	return "arn:aws:codepipeline:" + s.w.Region + ":" + s.w.Account + ":" + name
}

// as is who CodePipeline is when it acts for a pipeline with a role.
func (s *Service) as(p *pipeline, role string) wire.Principal {
	return wire.Principal{ARN: role, Service: itself, SourceARN: s.arn(p.name)}
}

// session is a role that the pipeline's role has assumed.
type session struct {
	arn   string
	until time.Time
}

// who is CodePipeline when it acts with a role of an action or a rule: the
// pipeline's role assumes it (user guide, "Create a pipeline that uses resources
// from another account"). Without one it acts with the pipeline's.
func (s *Service) who(ctx context.Context, d *cptypes.PipelineDeclaration, role *string) (wire.Principal, error) {
	p, own := s.pipelines[*d.Name], *d.RoleArn
	if aws.ToString(role) == "" || *role == own {
		return s.as(p, own), nil
	}
	if x := p.sessions[*role]; s.w.Now().Before(x.until) {
		return wire.Principal{ARN: x.arn}, nil
	}
	out, err := wire.Do[sts.AssumeRoleOutput](ctx, s.c, s.as(p, own), "sts", "AssumeRole", &sts.AssumeRoleInput{
		RoleArn: role, RoleSessionName: aws.String(cut("codepipeline-"+p.name, 64)),
	})
	if err != nil {
		return wire.Principal{}, err
	}
	p.sessions[*role] = session{arn: *out.AssumedRoleUser.Arn, until: *out.Credentials.Expiration}
	return wire.Principal{ARN: *out.AssumedRoleUser.Arn}, nil
}

// wake is when something goes on. The timer is set again after a restart.
type wake struct {
	at    time.Time // zero: never
	lazy  bool      // no reason for time to jump: somebody else acts before, or nobody
	timer *world.Timer
}

// wakeAt sets a wake.
func (s *Service) wakeAt(k *wake, at time.Time, do func()) {
	s.calm(k)
	k.at, k.lazy = at, false
	s.rouse(k, do)
}

// wakeBy sets a wake that is no reason for time to jump.
func (s *Service) wakeBy(k *wake, at time.Time, do func()) {
	s.calm(k)
	k.at, k.lazy = at, true
	s.rouse(k, do)
}

// rouse sets the timer of a wake, if it is set.
func (s *Service) rouse(k *wake, do func()) {
	if k.at.IsZero() {
		return
	}
	set := s.w.At
	if k.lazy {
		set = s.w.Tick
	}
	k.timer = set(k.at, func() {
		k.at, k.timer = time.Time{}, nil
		do()
	})
}

// calm forgets a wake.
func (s *Service) calm(k *wake) {
	s.w.Stop(k.timer)
	k.at, k.timer = time.Time{}, nil
}

func invalid(format string, args ...any) error {
	return &cptypes.ValidationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badStructure(format string, args ...any) error {
	return &cptypes.InvalidStructureException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badStage(format string, args ...any) error {
	return &cptypes.InvalidStageDeclarationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badAction(format string, args ...any) error {
	return &cptypes.InvalidActionDeclarationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// problem is why something failed, as an error code of CodePipeline and a text.
func problem(err error) (code, message string) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return string(cptypes.FailureTypeJobFailed), err.Error()
	}
	switch api.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError":
		return string(cptypes.FailureTypePermissionError), api.ErrorMessage()
	case "NoSuchKey", "NoSuchVersion", "NotFound":
		return string(cptypes.FailureTypeRevisionUnavailable), api.ErrorMessage()
	default:
		return string(cptypes.FailureTypeConfigurationError), api.ErrorMessage()
	}
}
