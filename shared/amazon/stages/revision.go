package stages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Digest returns a hash of the sources that an execution was made of, so that two
// executions of the same sources are the same code: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	e, err := c.execution(ctx, p.Target, r)
	if err != nil {
		return "", err
	}
	var sources []string
	for _, a := range e.ArtifactRevisions {
		sources = append(sources, fmt.Sprintf("%q=%q", aws.ToString(a.Name), aws.ToString(a.RevisionId)))
	}
	if len(sources) == 0 {
		return "", fmt.Errorf("sources of execution %s of %s: it has none: %w", r, p.Target.Application, deploy.ErrUnknown)
	}
	slices.Sort(sources)
	sum := sha256.Sum256([]byte(strings.Join(sources, "\n")))
	return deploy.Digest(hex.EncodeToString(sum[:])), nil
}

// Ready says whether the stage could be rolled back to an execution now:
// deploy.ErrUnknown if there is no such execution, deploy.ErrNotReady if
// CodePipeline would refuse it, or its artifacts are gone.
func (c *Client) Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error {
	e, err := c.execution(ctx, p.Target, r)
	if err != nil {
		return err
	}
	pipeline, stage, err := c.declared(ctx, p.Target)
	if err != nil {
		return err
	}
	why := refusal(pipeline, stage, e)
	if why == "" {
		if why, err = c.failed(ctx, p.Target, r); err != nil {
			return err
		}
	}
	if why == "" {
		why, err = c.missing(ctx, p.Target, r)
	}
	if err != nil || why == "" {
		return err
	}
	return fmt.Errorf("%s cannot be rolled back to execution %s: %s%s: %w", p.Target, r, why, c.instead(pipeline, stage, e), deploy.ErrNotReady)
}

// refusal says why CodePipeline would not roll a stage back to an execution (user
// guide, "Considerations for rollbacks"; "What type of pipeline is right for me?").
func refusal(p cptypes.PipelineDeclaration, stage cptypes.StageDeclaration, e *cptypes.PipelineExecution) string {
	switch {
	case p.PipelineType != cptypes.PipelineTypeV2:
		return "the pipeline is not of type V2"
	case p.ExecutionMode == cptypes.ExecutionModeParallel:
		return "the pipeline's execution mode is PARALLEL"
	case aws.ToString(p.Stages[0].Name) == aws.ToString(stage.Name):
		return "it is the source stage"
	case e.ExecutionType == cptypes.ExecutionTypeRollback:
		target := "that it went back to"
		if m := e.RollbackMetadata; m != nil {
			target = aws.ToString(m.RollbackTargetPipelineExecutionId)
		}
		return "that is itself a rollback; go back to execution " + target
	case aws.ToInt32(e.PipelineVersion) != aws.ToInt32(p.Version):
		return fmt.Sprintf("it ran in version %d of the pipeline's structure, which is now at %d", aws.ToInt32(e.PipelineVersion), aws.ToInt32(p.Version))
	default:
		return ""
	}
}

// failed says that an execution has not succeeded in the stage.
func (c *Client) failed(ctx context.Context, t deploy.Target, r deploy.Revision) (string, error) {
	var from *string
	for range maxPages {
		out, err := c.succeeded(ctx, t, from)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(out.PipelineExecutionSummaries, func(e cptypes.PipelineExecutionSummary) bool {
			return aws.ToString(e.PipelineExecutionId) == string(r)
		}) {
			return "", nil
		}
		if from = out.NextToken; aws.ToString(from) == "" {
			return "it has not succeeded in the stage", nil
		}
	}
	return "", fmt.Errorf("look for execution %s in what has succeeded in %s: %w", r, t, errEndless)
}

// missing says which artifact of an execution is gone: a rollback takes them from
// the artifact store again (user guide, ibid.), and a bucket's lifecycle rules may
// have removed them.
func (c *Client) missing(ctx context.Context, t deploy.Target, r deploy.Revision) (string, error) {
	in := &codepipeline.ListActionExecutionsInput{
		PipelineName: &t.Application, MaxResults: aws.Int32(pageSize), Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: aws.String(string(r))},
	}
	looked := make(map[string]bool)
	for range maxPages {
		out, err := c.api.ListActionExecutions(ctx, in)
		if err != nil {
			return "", fmt.Errorf("list actions of execution %s of %s: %w", r, t, classify(err))
		}
		for _, a := range out.ActionExecutionDetails {
			if aws.ToString(a.StageName) != t.Group || a.Input == nil {
				continue
			}
			for _, artifact := range a.Input.InputArtifacts {
				why, err := c.gone(ctx, artifact, looked)
				if err != nil || why != "" {
					return why, err
				}
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return "", nil
		}
	}
	return "", fmt.Errorf("list actions of execution %s of %s: %w", r, t, errEndless)
}

// gone says that an artifact is not in S3 any more.
func (c *Client) gone(ctx context.Context, a cptypes.ArtifactDetail, looked map[string]bool) (string, error) {
	if a.S3location == nil || c.objects == nil {
		return "", nil
	}
	where := "s3://" + aws.ToString(a.S3location.Bucket) + "/" + aws.ToString(a.S3location.Key)
	if looked[where] {
		return "", nil
	}
	looked[where] = true
	_, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: a.S3location.Bucket, Key: a.S3location.Key})
	// HeadObject has no body that could name the error: 404 is "NotFound" (API
	// reference, HeadObject).
	if failed, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains([]string{"NotFound", "NoSuchKey", "NoSuchBucket"}, failed.ErrorCode()) {
		return fmt.Sprintf("its artifact %s is gone (%s)", aws.ToString(a.Name), where), nil
	}
	if err != nil {
		return "", fmt.Errorf("look for artifact %s: %w", where, err)
	}
	return "", nil
}

// instead says what can be done if CodePipeline will not roll a stage back: what
// the stage deploys has a way back of its own, and the same sources can be released
// again.
func (c *Client) instead(p cptypes.PipelineDeclaration, stage cptypes.StageDeclaration, e *cptypes.PipelineExecution) string {
	text := ""
	if behind := c.targets(stage); len(behind) > 0 {
		var names []string
		for _, t := range behind {
			names = append(names, t.String())
		}
		text = "; roll back what it deploys: " + strings.Join(names, ", ")
	}
	var sources []string
	for _, revision := range e.ArtifactRevisions {
		action, kind := source(p, aws.ToString(revision.Name))
		if kind == "" {
			return text
		}
		sources = append(sources, fmt.Sprintf("actionName=%s,revisionType=%s,revisionValue=%s", action, kind, aws.ToString(revision.RevisionId)))
	}
	if p.PipelineType != cptypes.PipelineTypeV2 || len(sources) == 0 {
		return text
	}
	return text + "; or release its sources again: aws codepipeline start-pipeline-execution --name " + aws.ToString(p.Name) +
		" --source-revisions " + strings.Join(sources, " ")
}

// source finds the action that makes a source artifact, and how its revisions are
// called when one is asked for (API reference, SourceRevisionOverride).
func source(p cptypes.PipelineDeclaration, artifact string) (action string, kind cptypes.SourceRevisionType) {
	for _, a := range p.Stages[0].Actions {
		makes := slices.ContainsFunc(a.OutputArtifacts, func(o cptypes.OutputArtifact) bool { return aws.ToString(o.Name) == artifact })
		if !makes || a.ActionTypeId == nil {
			continue
		}
		kinds := map[string]cptypes.SourceRevisionType{
			"S3": cptypes.SourceRevisionTypeS3ObjectVersionId, "ECR": cptypes.SourceRevisionTypeImageDigest,
			"CodeStarSourceConnection": cptypes.SourceRevisionTypeCommitId, "CodeCommit": cptypes.SourceRevisionTypeCommitId,
		}
		return aws.ToString(a.Name), kinds[aws.ToString(a.ActionTypeId.Provider)]
	}
	return "", ""
}
