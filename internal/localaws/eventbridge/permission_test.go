package eventbridge_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/logs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// policy is the policy of the default bus as it is described.
func (b *bench) policy() string {
	b.t.Helper()
	out, err := b.DescribeEventBus(b.t.Context(), &sdk.DescribeEventBusInput{})
	require.NoError(b.t, err)
	return aws.ToString(out.Policy)
}

func TestPermissionsOfABus(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	put := func(in sdk.PutPermissionInput) error {
		_, err := b.PutPermission(ctx, &in)
		return err
	}
	assert.Empty(t, b.policy())
	require.NoError(t, put(sdk.PutPermissionInput{
		Action: aws.String("events:PutEvents"), Principal: aws.String("111122223333"), StatementId: aws.String("one"),
	}))
	require.NoError(t, put(sdk.PutPermissionInput{
		Action: aws.String("events:PutEvents"), Principal: aws.String("*"), StatementId: aws.String("org"),
		Condition: &ebtypes.Condition{Type: aws.String("StringEquals"), Key: aws.String("aws:PrincipalOrgID"), Value: aws.String("o-1")},
	}))
	const (
		bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
		one = `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"events:PutEvents","Resource":"` + bus + `"}`
		org = `{"Sid":"org","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"` + bus +
			`","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`
	)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[`+one+`,`+org+`]}`, b.policy())
	_, err := b.RemovePermission(ctx, &sdk.RemovePermissionInput{StatementId: aws.String("one")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[`+org+`]}`, b.policy())
	_, err = b.RemovePermission(ctx, &sdk.RemovePermissionInput{StatementId: aws.String("one")})
	require.ErrorContains(t, err, "Statement with the provided id does not exist.")

	const whole = `{"Version":"2012-10-17","Statement":[{"Sid":"w","Effect":"Deny","Principal":"*","Action":"events:*","Resource":"*"}]}`
	require.NoError(t, put(sdk.PutPermissionInput{Policy: aws.String(whole)}))
	assert.JSONEq(t, whole, b.policy())
	_, err = b.RemovePermission(ctx, &sdk.RemovePermissionInput{RemoveAllPermissions: true})
	require.NoError(t, err)
	assert.Empty(t, b.policy())

	for want, in := range map[string]sdk.PutPermissionInput{
		"'action' is not supported":  {Action: aws.String("events:*"), Principal: aws.String("*"), StatementId: aws.String("x")},
		"'principal' is not valid":   {Action: aws.String("events:PutEvents"), Principal: aws.String("me"), StatementId: aws.String("x")},
		"'statementId' is not valid": {Action: aws.String("events:PutEvents"), Principal: aws.String("*"), StatementId: aws.String("a b")},
		"not a policy document":      {Policy: aws.String("{}")},
		"can't be used together":     {Policy: aws.String(whole), StatementId: aws.String("x")},
	} {
		require.ErrorContains(t, put(in), want)
	}
}

// logged returns what is in a log group.
func (b *bench) logged(group string) (streams int, messages []string) {
	b.t.Helper()
	described := call[cloudwatchlogs.DescribeLogStreamsOutput](b, "logs", "DescribeLogStreams",
		&cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &group})
	for _, e := range call[cloudwatchlogs.FilterLogEventsOutput](b, "logs", "FilterLogEvents",
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group}).Events {
		messages = append(messages, time.UnixMilli(*e.Timestamp).UTC().Format(time.TimeOnly)+" "+*e.Message)
	}
	return len(described.LogStreams), messages
}

func TestEventsGoToALogGroup(t *testing.T) {
	b := newBench(t)
	b.mux.Handle(logs.New(b.w, b.mux).Wire())
	const group = "/aws/events/all"
	call[cloudwatchlogs.CreateLogGroupOutput](b, "logs", "CreateLogGroup", &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
	arn := "arn:aws:logs:us-east-1:123456789012:log-group:" + group
	b.rule("a", all, target(arn), target(arn+":*", func(x *ebtypes.Target) {
		x.Id = aws.String("u")
		x.InputTransformer = &ebtypes.InputTransformer{
			InputPathsMap: map[string]string{"time": "$.time", "n": "$.detail.n"}, InputTemplate: aws.String(`{"timestamp": <time>, "message": "n is <n>"}`),
		}
	}))
	b.put(entry(), entry(func(e *ebtypes.PutEventsRequestEntry) { e.Time = aws.Time(b.w.Now().Add(-time.Hour)) }))
	b.advance(time.Second)
	streams, messages := b.logged(group)
	assert.Equal(t, 1, streams)
	assert.Equal(t, []string{
		"08:00:00 n is 1", "09:00:00 " + b.observed[0], "09:00:00 n is 1", "09:00:00 " + b.observed[1],
	}, messages)
}

func TestLogGroupThatIsMissingIsNoResource(t *testing.T) {
	b := newBench(t)
	b.mux.Handle(logs.New(b.w, b.mux).Wire())
	b.rule("a", all, target("arn:aws:logs:us-east-1:123456789012:log-group:/no", withDead))
	b.put(entry())
	b.advance(time.Second)
	got := b.queued("dead")
	require.Len(t, got, 1)
	assert.Equal(t, "NO_RESOURCE", attributes(got[0])["ERROR_CODE"])
}

func TestPipelineIsStartedByTheTargetsRole(t *testing.T) {
	b := newBench(t)
	var got []string
	b.mux.Handle(wire.Service{Name: "codepipeline", Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.Op("StartPipelineExecution", func(c *wire.Call, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
			got = append(got, c.Principal.Service+" "+c.Principal.ARN+" "+c.Principal.SourceARN+" "+*in.Name)
			return &codepipeline.StartPipelineExecutionOutput{}, nil
		}),
	}})
	const arn = "arn:aws:codepipeline:us-east-1:123456789012:release"
	b.rule("a", all)
	_, err := b.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: aws.String("a"), Targets: []ebtypes.Target{target(arn)}})
	require.ErrorContains(t, err, "RoleArn is required for target "+arn)
	b.target("a", target(arn, func(x *ebtypes.Target) { x.RoleArn = aws.String("arn:aws:iam::123456789012:role/starter") }))
	b.put(entry())
	b.advance(time.Second)
	assert.Equal(t, []string{"events.amazonaws.com arn:aws:iam::123456789012:role/starter arn:aws:events:us-east-1:123456789012:rule/a release"}, got)
}
