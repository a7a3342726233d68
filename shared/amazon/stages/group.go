package stages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The tags that a pipeline may carry. Users write them, must not change.
const (
	tagPrefix  = "pullback:"
	TagEnabled = "pullback:enabled" // "true": pullback looks after the stages that deploy
	TagAlarms  = "pullback:alarms"  // alarms that speak for all of them, separated by spaces or commas; with ":STAGE" behind it for one
)

// maxPipelines is how many pipelines one ListPipelines returns (API reference,
// ListPipelines: MaxResults).
const maxPipelines = 1000

// declared returns how a pipeline and its stage are made: deploy.ErrUnknown.
func (c *Client) declared(ctx context.Context, t deploy.Target) (cptypes.PipelineDeclaration, cptypes.StageDeclaration, error) {
	out, err := c.api.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &t.Application})
	if err != nil {
		return cptypes.PipelineDeclaration{}, cptypes.StageDeclaration{}, fmt.Errorf("get pipeline of %s: %w", t, classify(err))
	}
	if out.Pipeline == nil {
		return cptypes.PipelineDeclaration{}, cptypes.StageDeclaration{}, fmt.Errorf("get pipeline of %s: empty answer", t)
	}
	for _, stage := range out.Pipeline.Stages {
		if aws.ToString(stage.Name) == t.Group {
			return *out.Pipeline, stage, nil
		}
	}
	return cptypes.PipelineDeclaration{}, cptypes.StageDeclaration{}, fmt.Errorf("get pipeline of %s: it has no such stage: %w", t, deploy.ErrUnknown)
}

// Group returns how one stage is configured: by the tags of its pipeline.
// deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	_, stage, err := c.declared(ctx, t)
	if err != nil {
		return deploy.Group{}, err
	}
	tags, err := c.tags(ctx, t.Application)
	if err != nil {
		return deploy.Group{}, err
	}
	return group(t, stage, tags), nil
}

// tags returns the tags of a pipeline that are meant for pullback.
func (c *Client) tags(ctx context.Context, pipeline string) (map[string]string, error) {
	tags := make(map[string]string)
	in := &codepipeline.ListTagsForResourceInput{ResourceArn: aws.String(c.arn(pipeline))}
	for range maxPages {
		out, err := c.api.ListTagsForResource(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read tags of pipeline %s: %w", pipeline, classify(err))
		}
		for _, tag := range out.Tags {
			if key := aws.ToString(tag.Key); strings.HasPrefix(key, tagPrefix) {
				tags[key] = aws.ToString(tag.Value)
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return tags, nil
		}
	}
	return nil, fmt.Errorf("read tags of pipeline %s: %w", pipeline, errEndless)
}

// group is what its declaration and the tags of its pipeline say of a stage. The
// alarms that its conditions watch speak for it, too (user guide, "Configure
// conditions for a stage").
func group(t deploy.Target, stage cptypes.StageDeclaration, tags map[string]string) deploy.Group {
	fields := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	}
	alarms := append(fields(tags[TagAlarms]), fields(tags[TagAlarms+":"+t.Group])...)
	var conditions []cptypes.Condition
	if stage.BeforeEntry != nil {
		conditions = append(conditions, stage.BeforeEntry.Conditions...)
	}
	conditions = append(append(conditions, conditionsOf(stage, false)...), conditionsOf(stage, true)...)
	for _, condition := range conditions {
		for _, rule := range condition.Rules {
			if name := rule.Configuration["AlarmName"]; name != "" {
				alarms = append(alarms, name)
			}
		}
	}
	slices.Sort(alarms)
	return deploy.Group{Target: t, Enabled: tags[TagEnabled] == "true", Alarms: slices.Compact(alarms), Tags: tags}
}

// Survey returns the stages with a deploy action of enabled pipelines, of some
// pipelines: it costs one call, one for each of them, and one for each that is
// enabled.
func (c *Client) Survey(ctx context.Context, from string, calls int) ([]deploy.Group, string, error) {
	in := &codepipeline.ListPipelinesInput{MaxResults: aws.Int32(int32(min(max((calls-1)/2, 1), maxPipelines)))}
	if from != "" {
		in.NextToken = &from
	}
	out, err := c.api.ListPipelines(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("list pipelines: %w", classify(err))
	}
	var groups []deploy.Group
	for _, p := range out.Pipelines {
		found, err := c.stages(ctx, aws.ToString(p.Name))
		// It may be gone since it was listed.
		if err != nil && !errors.Is(err, deploy.ErrUnknown) {
			return nil, "", err
		}
		groups = append(groups, found...)
	}
	return groups, aws.ToString(out.NextToken), nil
}

// stages returns the stages of a pipeline that are looked after.
func (c *Client) stages(ctx context.Context, pipeline string) ([]deploy.Group, error) {
	tags, err := c.tags(ctx, pipeline)
	if err != nil || tags[TagEnabled] != "true" {
		return nil, err
	}
	out, err := c.api.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &pipeline})
	if err != nil {
		return nil, fmt.Errorf("get pipeline %s: %w", pipeline, classify(err))
	}
	var groups []deploy.Group
	for _, stage := range out.Pipeline.Stages {
		if slices.ContainsFunc(stage.Actions, deploying) {
			t := deploy.Target{Kind: deploy.KindStage, Application: pipeline, Group: aws.ToString(stage.Name)}
			groups = append(groups, group(t, stage, tags))
		}
	}
	return groups, nil
}

func deploying(a cptypes.ActionDeclaration) bool {
	return a.ActionTypeId != nil && a.ActionTypeId.Category == cptypes.ActionCategoryDeploy
}

// Behind returns what the stage's deploy actions deploy to, as far as it is in this
// account and region and one of the kinds that pullback knows, sorted: deployment
// groups, ECS services and Lambda aliases. deploy.ErrUnknown.
func (c *Client) Behind(ctx context.Context, t deploy.Target) ([]deploy.Target, error) {
	_, stage, err := c.declared(ctx, t)
	if err != nil {
		return nil, err
	}
	return c.targets(stage), nil
}

// targets reads the configurations of deploy actions (user guide, "Action
// structure reference").
func (c *Client) targets(stage cptypes.StageDeclaration) []deploy.Target {
	var all []deploy.Target
	for _, a := range stage.Actions {
		if !deploying(a) || !c.here(a) {
			continue
		}
		var t deploy.Target
		switch config := a.Configuration; aws.ToString(a.ActionTypeId.Provider) {
		case "CodeDeploy", "CodeDeployToECS":
			t = deploy.Target{Application: config["ApplicationName"], Group: config["DeploymentGroupName"]}
		case "ECS":
			t = deploy.Target{Kind: deploy.KindService, Application: config["ClusterName"], Group: config["ServiceName"]}
		case "Lambda":
			t = deploy.Target{Kind: deploy.KindAlias, Application: config["FunctionName"], Group: config["FunctionAlias"]}
		}
		// A name may be a variable, which is known only while the action runs.
		if t.Application != "" && t.Group != "" && !strings.Contains(t.String(), "#{") {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b deploy.Target) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// here reports whether an action acts in this account and region.
func (c *Client) here(a cptypes.ActionDeclaration) bool {
	if region := aws.ToString(a.Region); region != "" && region != c.region {
		return false
	}
	role := aws.ToString(a.RoleArn)
	return role == "" || strings.Contains(role, ":"+c.account+":")
}
