package aliases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The tags that a function may carry. Users write them, must not change.
const (
	tagPrefix  = "pullback:"
	TagEnabled = "pullback:enabled" // "true": pullback looks after the aliases that TagAliases names
	TagAliases = "pullback:aliases" // names of aliases, separated by spaces or commas
	TagAlarms  = "pullback:alarms"  // alarms that speak for all of them, likewise; with ":ALIAS" behind it for one
)

// maxFunctions is how many functions one ListFunctions returns (API reference,
// ListFunctions: "a maximum of 50 functions").
const maxFunctions = 50

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

// Group returns how one alias is configured: by the tags of its function. deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	a := aliasOf(t)
	out, err := c.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &a.Function, Name: &a.Name})
	if err != nil {
		return deploy.Group{}, fmt.Errorf("get alias %s: %w", a, classify(err))
	}
	tags, err := c.tags(ctx, strings.TrimSuffix(aws.ToString(out.AliasArn), ":"+a.Name))
	if err != nil {
		return deploy.Group{}, err
	}
	return group(t, tags), nil
}

// tags returns the tags of a function that are meant for pullback.
func (c *Client) tags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := c.api.ListTags(ctx, &lambda.ListTagsInput{Resource: &arn})
	if err != nil {
		return nil, fmt.Errorf("read tags of %s: %w", arn, classify(err))
	}
	maps.DeleteFunc(out.Tags, func(key, _ string) bool { return !strings.HasPrefix(key, tagPrefix) })
	return out.Tags, nil
}

// group is what the tags of its function say of an alias.
func group(t deploy.Target, tags map[string]string) deploy.Group {
	alarms := append(fields(tags[TagAlarms]), fields(tags[TagAlarms+":"+t.Group])...)
	slices.Sort(alarms)
	return deploy.Group{
		Target: t, Enabled: tags[TagEnabled] == "true" && slices.Contains(fields(tags[TagAliases]), t.Group),
		Alarms: slices.Compact(alarms), Alias: aliasOf(t), Tags: tags,
	}
}

// Survey returns the aliases that the tags of enabled functions name, of some
// functions: it costs one call, and one for each of them. That an alias exists, the
// next look at it finds out.
func (c *Client) Survey(ctx context.Context, from string, calls int) ([]deploy.Group, string, error) {
	in := &lambda.ListFunctionsInput{MaxItems: aws.Int32(int32(min(max(calls-1, 1), maxFunctions)))}
	if from != "" {
		in.Marker = &from
	}
	out, err := c.api.ListFunctions(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("list functions: %w", classify(err))
	}
	var groups []deploy.Group
	for _, f := range out.Functions {
		tags, err := c.tags(ctx, aws.ToString(f.FunctionArn))
		if errors.Is(err, deploy.ErrUnknown) {
			continue // it is gone since it was listed
		}
		if err != nil {
			return nil, "", err
		}
		for _, name := range fields(tags[TagAliases]) {
			g := group(deploy.Target{Kind: deploy.KindAlias, Application: aws.ToString(f.FunctionName), Group: name}, tags)
			if g.Enabled {
				groups = append(groups, g)
			}
		}
	}
	return groups, aws.ToString(out.NextMarker), nil
}
