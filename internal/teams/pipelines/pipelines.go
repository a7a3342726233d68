// Package pipelines is a team with a pipeline: what is uploaded is deployed to the
// servers of the stage staging, and then to those of the stage prod.
package pipelines

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/bundles"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Names returns the names of the stages that deploy, in their order.
func Names() []string { return []string{"staging", "prod"} }

// artifact is what the source stage brings.
const artifact = "App"

// Pipeline is the team's pipeline.
type Pipeline struct {
	teams.Common
	servers  []*servers.Team   // of the stages
	releases map[string]string // by the executions that brought them first
	order    []string          // of the releases, by their first executions
	first    string            // the execution that installed it
	store    *s3.Client        // for sources and artifacts
	pipeline *codepipeline.Client
}

// Options are what the pipeline deploys to.
type Options struct {
	Instances int32 // of each stage, one after the other; one if zero
	// Show returns what an instance shows to somebody who looks at it, as that of
	// [servers.Options].
	Show func(instance, file string) (string, error)
}

// New returns a pipeline.
func New(c teams.Common, o Options) *Pipeline {
	p := &Pipeline{
		Common: c, releases: map[string]string{}, pipeline: codepipeline.NewFromConfig(c.Config),
		store: s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	for _, name := range Names() {
		own := c
		own.Name, own.Choices = c.Name+"-"+name, teams.Choices{Untagged: true}
		p.servers = append(p.servers, servers.New(own, servers.Options{Instances: max(o.Instances, 1), Show: o.Show}))
	}
	return p
}

// Stage returns one of the stages: the team as who deploys there.
func (p *Pipeline) Stage(i int) *Stage {
	return &Stage{Pipeline: p, name: Names()[i], servers: p.servers[i]}
}

// Install makes the pipeline and lets it bring the good release to all stages.
func (p *Pipeline) Install(ctx context.Context) error {
	for _, s := range p.servers {
		if err := s.Provision(ctx); err != nil {
			return err
		}
	}
	for _, bucket := range []string{p.source(), p.artifacts()} {
		if _, err := p.store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			return fmt.Errorf("create bucket %s: %w", bucket, err)
		}
	}
	_, err := p.store.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String(p.source()), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("let bucket %s have versions: %w", p.source(), err)
	}
	if err := p.upload(ctx, teams.Good); err != nil {
		return err
	}
	if err := p.create(ctx); err != nil {
		return err
	}
	all, err := p.executions(ctx)
	if err != nil {
		return err
	}
	p.first = *all[0].PipelineExecutionId // a new pipeline runs at once
	p.releases[p.first], p.order = teams.Good, []string{teams.Good}
	return p.Wait(ctx, 2*time.Minute)
}

func (p *Pipeline) source() string    { return p.Name + "-source" }
func (p *Pipeline) artifacts() string { return p.Name + "-artifacts" }

func (p *Pipeline) upload(ctx context.Context, release string) error {
	bundle, err := bundles.Pack(release)
	if err != nil {
		return err
	}
	_, err = p.store.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(p.source()), Key: aws.String("app.zip"), Body: bytes.NewReader(bundle)})
	if err != nil {
		return fmt.Errorf("upload %s: %w", release, err)
	}
	return nil
}

func (p *Pipeline) create(ctx context.Context) error {
	role, err := p.Role(ctx, "pipeline-"+p.Name, "codepipeline.amazonaws.com")
	if err != nil {
		return err
	}
	if err := p.Allow(ctx, "pipeline-"+p.Name, `"s3:*","codedeploy:*"`); err != nil {
		return err
	}
	in := &codepipeline.CreatePipelineInput{Pipeline: &cptypes.PipelineDeclaration{
		Name: &p.Name, RoleArn: &role, PipelineType: cptypes.PipelineTypeV2,
		ArtifactStore: &cptypes.ArtifactStore{Type: cptypes.ArtifactStoreTypeS3, Location: aws.String(p.artifacts())},
		Stages:        []cptypes.StageDeclaration{p.reads()},
	}}
	for i, name := range Names() {
		in.Pipeline.Stages = append(in.Pipeline.Stages, p.deploys(name, p.servers[i].Target()))
	}
	if !p.Untagged {
		in.Tags = []cptypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}}
	}
	for i, name := range Names() {
		if !p.Untagged && !p.NoAlarm {
			in.Tags = append(in.Tags, cptypes.Tag{Key: aws.String("pullback:alarms:" + name), Value: aws.String(p.servers[i].Alarm())})
		}
	}
	if _, err := p.pipeline.CreatePipeline(ctx, in); err != nil {
		return fmt.Errorf("create pipeline %s: %w", p.Name, err)
	}
	return nil
}

// reads is the source stage. It is not polled: who uploads starts the pipeline.
func (p *Pipeline) reads() cptypes.StageDeclaration {
	return cptypes.StageDeclaration{Name: aws.String("source"), Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("read"), ActionTypeId: action(cptypes.ActionCategorySource, "S3"), OutputArtifacts: []cptypes.OutputArtifact{{Name: aws.String(artifact)}},
		Configuration: map[string]string{"S3Bucket": p.source(), "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
	}}}
}

// deploys is a stage that deploys to a deployment group.
func (p *Pipeline) deploys(name string, to deploy.Target) cptypes.StageDeclaration {
	st := cptypes.StageDeclaration{Name: &name, Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("deploy"), ActionTypeId: action(cptypes.ActionCategoryDeploy, "CodeDeploy"), InputArtifacts: []cptypes.InputArtifact{{Name: aws.String(artifact)}},
		Configuration: map[string]string{"ApplicationName": to.Application, "DeploymentGroupName": to.Group},
	}}}
	if p.Alarms {
		st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	}
	return st
}

func action(category cptypes.ActionCategory, provider string) *cptypes.ActionTypeId {
	return &cptypes.ActionTypeId{Category: category, Owner: cptypes.ActionOwnerAws, Provider: &provider, Version: aws.String("1")}
}

// executions returns the pipeline's executions, newest first.
func (p *Pipeline) executions(ctx context.Context) ([]cptypes.PipelineExecutionSummary, error) {
	out, err := p.pipeline.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &p.Name})
	if err != nil {
		return nil, fmt.Errorf("executions of pipeline %s: %w", p.Name, err)
	}
	return out.PipelineExecutionSummaries, nil
}

// Deploy uploads a release and starts the pipeline.
func (p *Pipeline) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	if err := p.upload(ctx, release); err != nil {
		return "", err
	}
	out, err := p.pipeline.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &p.Name})
	if err != nil {
		return "", fmt.Errorf("start pipeline %s: %w", p.Name, err)
	}
	p.releases[*out.PipelineExecutionId] = release
	if !slices.Contains(p.order, release) {
		p.order = append(p.order, release)
	}
	return deploy.ID(*out.PipelineExecutionId), nil
}

// Releases are those that were uploaded, in their order.
func (p *Pipeline) Releases() []string { return p.order }

// ReleaseOf names the release that an execution brought; empty if it is none of the
// team's.
func (p *Pipeline) ReleaseOf(r deploy.Revision) string { return p.releases[string(r)] }

// Tag tags the pipeline.
func (p *Pipeline) Tag(ctx context.Context, tags map[string]string) error {
	in := &codepipeline.TagResourceInput{ResourceArn: aws.String("arn:aws:codepipeline:" + p.Config.Region + ":" + p.Account + ":" + p.Name)}
	for key, value := range tags {
		in.Tags = append(in.Tags, cptypes.Tag{Key: &key, Value: &value})
	}
	if _, err := p.pipeline.TagResource(ctx, in); err != nil {
		return fmt.Errorf("tag pipeline %s: %w", p.Name, err)
	}
	return nil
}

// Withdraw deletes what the executions that brought a release have kept in the
// artifact store.
func (p *Pipeline) Withdraw(ctx context.Context, release string) error {
	for id, brought := range p.releases {
		if brought != release {
			continue
		}
		out, err := p.pipeline.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{
			PipelineName: &p.Name, Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: &id},
		})
		if err != nil {
			return fmt.Errorf("actions of execution %s: %w", id, err)
		}
		for _, a := range out.ActionExecutionDetails {
			if a.Output == nil {
				continue
			}
			for _, kept := range a.Output.OutputArtifacts {
				if _, err := p.store.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: kept.S3location.Bucket, Key: kept.S3location.Key}); err != nil {
					return fmt.Errorf("delete what execution %s has kept: %w", id, err)
				}
			}
		}
	}
	return nil
}
