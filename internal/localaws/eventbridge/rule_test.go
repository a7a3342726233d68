package eventbridge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ruleARN = "arn:aws:events:us-east-1:123456789012:rule/r"

func TestRuleIsDescribedAsItWasPut(t *testing.T) {
	b := newBench(t)
	put, err := b.PutRule(t.Context(), &sdk.PutRuleInput{
		Name: aws.String("r"), EventPattern: aws.String(all), Description: aws.String("d"), RoleArn: aws.String("arn:aws:iam::1:role/x"),
		Tags: []ebtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})
	require.NoError(t, err)
	assert.Equal(t, ruleARN, *put.RuleArn)
	got, err := b.DescribeRule(t.Context(), &sdk.DescribeRuleInput{Name: aws.String("r")})
	require.NoError(t, err)
	got.ResultMetadata = put.ResultMetadata
	assert.Equal(t, &sdk.DescribeRuleOutput{
		Name: aws.String("r"), Arn: aws.String(ruleARN), EventBusName: aws.String("default"), EventPattern: aws.String(all),
		Description: aws.String("d"), RoleArn: aws.String("arn:aws:iam::1:role/x"), State: ebtypes.RuleStateEnabled,
		CreatedBy: aws.String(account), ResultMetadata: put.ResultMetadata,
	}, got)
	list, err := b.ListRules(t.Context(), &sdk.ListRulesInput{NamePrefix: aws.String("r")})
	require.NoError(t, err)
	assert.Len(t, list.Rules, 1)

	_, err = b.TagResource(t.Context(), &sdk.TagResourceInput{
		ResourceARN: aws.String(ruleARN), Tags: []ebtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	require.NoError(t, err)
	_, err = b.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: aws.String(ruleARN), TagKeys: []string{"k"}})
	require.NoError(t, err)
	tags, err := b.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: aws.String(ruleARN)})
	require.NoError(t, err)
	assert.Equal(t, []ebtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}, tags.Tags)
}

func TestRuleKeepsItsTargetsWhenItIsPutAgain(t *testing.T) {
	b := newBench(t)
	b.rule("r", all, target(function), target(topic, func(x *ebtypes.Target) { x.Id = aws.String("u") }))
	b.rule("r", `{"source":["other"]}`)
	list, err := b.ListTargetsByRule(t.Context(), &sdk.ListTargetsByRuleInput{Rule: aws.String("r")})
	require.NoError(t, err)
	assert.Equal(t, []ebtypes.Target{target(function), target(topic, func(x *ebtypes.Target) { x.Id = aws.String("u") })}, list.Targets)
	names, err := b.ListRuleNamesByTarget(t.Context(), &sdk.ListRuleNamesByTargetInput{TargetArn: aws.String(topic)})
	require.NoError(t, err)
	assert.Equal(t, []string{"r"}, names.RuleNames)

	_, err = b.DeleteRule(t.Context(), &sdk.DeleteRuleInput{Name: aws.String("r")})
	require.ErrorContains(t, err, "Rule can't be deleted since it has targets.")
	removed, err := b.RemoveTargets(t.Context(), &sdk.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"t", "u", "x"}})
	require.NoError(t, err)
	assert.Equal(t, int32(1), removed.FailedEntryCount)
	_, err = b.DeleteRule(t.Context(), &sdk.DeleteRuleInput{Name: aws.String("r")})
	require.NoError(t, err)
	_, err = b.DescribeRule(t.Context(), &sdk.DescribeRuleInput{Name: aws.String("r")})
	require.ErrorContains(t, err, "ResourceNotFoundException: Rule r does not exist on EventBus default.")
}

func TestDisabledRuleDoesNothing(t *testing.T) {
	b := newBench(t)
	b.rule("r", all, target(function))
	_, err := b.DisableRule(t.Context(), &sdk.DisableRuleInput{Name: aws.String("r")})
	require.NoError(t, err)
	b.put(entry())
	b.advance(time.Second)
	assert.Empty(t, b.got)
	_, err = b.EnableRule(t.Context(), &sdk.EnableRuleInput{Name: aws.String("r")})
	require.NoError(t, err)
	b.put(entry())
	b.advance(time.Second)
	assert.Len(t, b.got, 1)
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	b.rule("r", all)
	rule := func(in *sdk.PutRuleInput) func() error {
		return func() error {
			in.Name = aws.String("x")
			_, err := b.PutRule(t.Context(), in)
			return err
		}
	}
	put := func(x ebtypes.Target) func() error {
		return func() error {
			_, err := b.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: aws.String("r"), Targets: []ebtypes.Target{x}})
			return err
		}
	}
	with := func(change func(*ebtypes.Target)) func() error { return put(target(queueARN, change)) }
	for want, do := range map[string]func() error{
		"InvalidEventPatternException: Event pattern is not valid. Reason: \"source\" must be an object or an array\n at [Source": rule(
			&sdk.PutRuleInput{EventPattern: aws.String(`{"source":"x"}`)}),
		"Parameter(s) EventPattern or ScheduleExpression must be specified.": rule(&sdk.PutRuleInput{}),
		"ValidationException: Parameter ScheduleExpression is not valid.": rule(
			&sdk.PutRuleInput{ScheduleExpression: aws.String("rate(1 minutes)")}),
		"ResourceNotFoundException: Event bus y does not exist.": rule(&sdk.PutRuleInput{EventBusName: aws.String("y")}),
		"Reason: Provided Arn is not in correct format.":         put(target("x")),
		"is of a kind that the local AWS does not support":       put(target("arn:aws:states:us-east-1:123456789012:stateMachine:x")),
		"Parameter EcsParameters is not supported by the local AWS.": with(func(x *ebtypes.Target) {
			x.EcsParameters = &ebtypes.EcsParameters{TaskDefinitionArn: aws.String("x")}
		}),
		"is not the ARN of a standard SQS queue": with(func(x *ebtypes.Target) {
			x.DeadLetterConfig = &ebtypes.DeadLetterConfig{Arn: aws.String(deadARN + ".fifo")}
		}),
		"Only one of Input, InputPath, or InputTransformer must be provided": with(func(x *ebtypes.Target) {
			x.Input, x.InputPath = aws.String("{}"), aws.String("$")
		}),
		"InputTemplate for target t contains invalid placeholder y.": with(func(x *ebtypes.Target) {
			x.InputTransformer = &ebtypes.InputTransformer{InputTemplate: aws.String("<y>")}
		}),
		"Parameter MaximumRetryAttempts is not valid. Reason: must be between": with(func(x *ebtypes.Target) {
			x.RetryPolicy = &ebtypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(186)}
		}),
		"Parameter MaximumEventAgeInSeconds is not valid. Reason: must be between": with(func(x *ebtypes.Target) {
			x.RetryPolicy = &ebtypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(59)}
		}),
		"Parameter(s) SqsParameters not valid for target: t.": put(target(function, func(x *ebtypes.Target) {
			x.SqsParameters = &ebtypes.SqsParameters{MessageGroupId: aws.String("g")}
		})),
	} {
		t.Run(want, func(t *testing.T) { require.ErrorContains(t, do(), want) })
	}
	for i := range 5 {
		b.target("r", target(queueARN, func(x *ebtypes.Target) { x.Id = aws.String(fmt.Sprint(i)) }))
	}
	var limit *ebtypes.LimitExceededException
	require.ErrorAs(t, put(target(queueARN))(), &limit)
}

func TestBuses(t *testing.T) {
	b := newBench(t)
	made, err := b.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: aws.String("two")})
	require.NoError(t, err)
	_, err = b.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: aws.String("two")})
	require.ErrorContains(t, err, "ResourceAlreadyExistsException: Event bus two already exists.")
	got, err := b.DescribeEventBus(t.Context(), &sdk.DescribeEventBusInput{Name: made.EventBusArn})
	require.NoError(t, err)
	assert.Equal(t, "two", *got.Name)
	rule, err := b.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("r"), EventBusName: aws.String("two"), EventPattern: aws.String(all)})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:events:us-east-1:123456789012:rule/two/r", *rule.RuleArn)
	_, err = b.DeleteEventBus(t.Context(), &sdk.DeleteEventBusInput{Name: aws.String("two")})
	require.ErrorContains(t, err, "has rules")
	_, err = b.DeleteRule(t.Context(), &sdk.DeleteRuleInput{Name: aws.String("r"), EventBusName: aws.String("two")})
	require.NoError(t, err)
	_, err = b.DeleteEventBus(t.Context(), &sdk.DeleteEventBusInput{Name: aws.String("two")})
	require.NoError(t, err)
	list, err := b.ListEventBuses(t.Context(), &sdk.ListEventBusesInput{})
	require.NoError(t, err)
	require.Len(t, list.EventBuses, 1)
	assert.Equal(t, "arn:aws:events:us-east-1:123456789012:event-bus/default", *list.EventBuses[0].Arn)
}

func TestEventPatternCanBeTested(t *testing.T) {
	b := newBench(t)
	event := `{"id":"1","account":"1","source":"shop","time":"2026-01-05T09:00:00Z","region":"us-east-1","resources":[],"detail-type":"x"}`
	for pattern, want := range map[string]bool{all: true, `{"source":["x"]}`: false} {
		out, err := b.TestEventPattern(t.Context(), &sdk.TestEventPatternInput{Event: &event, EventPattern: aws.String(pattern)})
		require.NoError(t, err)
		assert.Equal(t, want, out.Result)
	}
	_, err := b.TestEventPattern(t.Context(), &sdk.TestEventPatternInput{Event: &event, EventPattern: aws.String(`{}`)})
	var invalid *ebtypes.InvalidEventPatternException
	require.ErrorAs(t, err, &invalid)
}
