// Package stages looks after the stages of CodePipeline's pipelines: it is the
// driver of kind pipeline. A deployment is the way of one pipeline execution
// through the stage, and a revision is the execution that brought its artifacts
// first: a rollback of the stage brings those of an execution before it.
//
// What a stage deploys, it deploys through somebody else: CodeDeploy, ECS, Lambda.
// CodePipeline knows whether that has ended, and not what serves meanwhile. Stop
// therefore only ends the stage: what was there before is put back by Restore, or
// by the driver of what is [Client.Behind] the stage. It also closes and opens the
// way into a stage, and never touches one that somebody else has closed.
//
// It decides nothing, waits for nothing, abandons nothing and deletes nothing, and
// starts no execution but rollbacks of a stage.
package stages

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// looker is the part of *codepipeline.Client that looks at executions.
type looker interface {
	GetPipelineState(context.Context, *codepipeline.GetPipelineStateInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineStateOutput, error)
	GetPipelineExecution(context.Context, *codepipeline.GetPipelineExecutionInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineExecutionOutput, error)
	ListPipelineExecutions(context.Context, *codepipeline.ListPipelineExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListPipelineExecutionsOutput, error)
	ListActionExecutions(context.Context, *codepipeline.ListActionExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error)
}

// reader is the part that knows pipelines.
type reader interface {
	ListPipelines(context.Context, *codepipeline.ListPipelinesInput, ...func(*codepipeline.Options)) (*codepipeline.ListPipelinesOutput, error)
	GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error)
	ListTagsForResource(context.Context, *codepipeline.ListTagsForResourceInput, ...func(*codepipeline.Options)) (*codepipeline.ListTagsForResourceOutput, error)
}

// mover is the part that changes something.
type mover interface {
	StopPipelineExecution(context.Context, *codepipeline.StopPipelineExecutionInput, ...func(*codepipeline.Options)) (*codepipeline.StopPipelineExecutionOutput, error)
	RollbackStage(context.Context, *codepipeline.RollbackStageInput, ...func(*codepipeline.Options)) (*codepipeline.RollbackStageOutput, error)
	DisableStageTransition(context.Context, *codepipeline.DisableStageTransitionInput, ...func(*codepipeline.Options)) (*codepipeline.DisableStageTransitionOutput, error)
	EnableStageTransition(context.Context, *codepipeline.EnableStageTransitionInput, ...func(*codepipeline.Options)) (*codepipeline.EnableStageTransitionOutput, error)
}

// api is the part of *codepipeline.Client that this package uses.
type api interface {
	looker
	reader
	mover
}

// Objects is the part of *s3.Client that this package uses.
type Objects interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// Client looks after stages in one account and region.
type Client struct {
	api             api
	objects         Objects
	account, region string
}

// New returns a client that calls CodePipeline, and S3 to see whether artifacts are
// still there; without objects nobody looks. Account and region name the pipelines
// whose tags are read.
func New(client api, objects Objects, account, region string) *Client {
	return &Client{api: client, objects: objects, account: account, region: region}
}

// maxPages ends a listing: 20 pages of 100 are 2,000 actions.
const maxPages = 20

// errEndless says that it did not end by itself.
var errEndless = errors.New("the pages do not end")

// classify turns the errors that a caller may branch on into ours, with
// CodePipeline's words. It goes by code and not by type: the SDK types an error
// only for the operations whose model lists it.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "PipelineNotFoundException", "StageNotFoundException", "PipelineExecutionNotFoundException", "ResourceNotFoundException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	case "PipelineExecutionNotStoppableException":
		return fmt.Errorf("%w: %s", deploy.ErrEnded, failed.ErrorMessage())
	case "PipelineExecutionOutdatedException", "UnableToRollbackStageException":
		return fmt.Errorf("%w: %s", deploy.ErrNotReady, failed.ErrorMessage())
	case "ConflictException":
		return fmt.Errorf("%w: %s", deploy.ErrBusy, failed.ErrorMessage())
	default:
		return err
	}
}

// arn names a pipeline (service authorization reference, "Actions, resources, and
// condition keys for AWS CodePipeline").
func (c *Client) arn(pipeline string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(c.region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":codepipeline:" + c.region + ":" + c.account + ":" + pipeline
}

// once makes a call that is not repeated.
func once(o *codepipeline.Options) { o.Retryer = aws.NopRetryer{} }
