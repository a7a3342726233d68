package eventbridge

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// principal is EventBridge when it acts: with the target's role if it has one,
// else by itself, on behalf of the rule.
const principal = "events.amazonaws.com"

// send hands the event to its target.
func (s *Service) send(ctx context.Context, d *delivery) error {
	as := wire.Principal{Service: principal, ARN: aws.ToString(d.target.RoleArn), SourceARN: d.rule}
	arn := *d.target.Arn
	switch parseARN(arn)[serviceOfARN] {
	case serviceQueue:
		in := &sqs.SendMessageInput{QueueUrl: queueURL(arn), MessageBody: aws.String(d.payload)}
		if d.target.SqsParameters != nil {
			in.MessageGroupId = d.target.SqsParameters.MessageGroupId
		}
		_, err := wire.Do[sqs.SendMessageOutput](ctx, s.c, as, serviceQueue, "SendMessage", in)
		return err
	case serviceFunction:
		_, err := wire.Do[lambda.InvokeOutput](ctx, s.c, as, serviceFunction, "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(arn), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(d.payload),
		})
		return err
	case serviceTopic:
		_, err := wire.Do[sns.PublishOutput](ctx, s.c, as, serviceTopic, "Publish", &sns.PublishInput{
			TopicArn: aws.String(arn), Message: aws.String(d.payload),
		})
		return err
	case serviceLogs:
		return s.logTarget(ctx, as, d)
	case servicePipeline:
		_, err := wire.Do[codepipeline.StartPipelineExecutionOutput](ctx, s.c, as, servicePipeline, "StartPipelineExecution",
			&codepipeline.StartPipelineExecutionInput{Name: aws.String(parseARN(arn)[resourceOfARN])})
		return err
	default:
		return s.forward(ctx, as, d)
	}
}

// forward gives the event to another bus, also of another account or region, with
// PutEvents: so the role and the policy of that bus are asked, and the event stays
// what it is. An event that came from a bus goes no further (EventBridge user
// guide, "Sending and receiving events between AWS accounts": a third bus gets
// nothing).
func (s *Service) forward(ctx context.Context, as wire.Principal, d *delivery) error {
	if d.event.hopped {
		return nil
	}
	next := *d.event
	next.hopped = true
	bus := parseARN(*d.target.Arn)
	if as.ARN == "" && bus[accountOfARN] != s.w.Account { // the other account has let this one in, not a service
		as = wire.Principal{ARN: "arn:aws:iam::" + s.w.Account + ":root", SourceARN: d.rule}
	}
	out, err := wire.Do[eventbridge.PutEventsOutput](context.WithValue(ctx, forwarded{}, &next), s.c, as, serviceBus, "PutEvents",
		&eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
			EventBusName: d.target.Arn, Source: text(next.decoded, "source"), DetailType: text(next.decoded, "detail-type"), Detail: aws.String("{}"),
		}}})
	if err != nil {
		return err
	}
	if failed := out.Entries[0]; failed.ErrorCode != nil {
		return &smithy.GenericAPIError{Code: *failed.ErrorCode, Message: aws.ToString(failed.ErrorMessage), Fault: smithy.FaultClient}
	}
	return nil
}

// forwarded marks the context of a PutEvents with the event that it forwards.
type forwarded struct{}

// Forwarded says whether a PutEvents with this context is a bus that hands on an
// event, which, unlike a client, reaches other regions.
func Forwarded(ctx context.Context) bool { return forwardedBy(ctx) != nil }

func forwardedBy(ctx context.Context) *event {
	e, _ := ctx.Value(forwarded{}).(*event)
	return e
}

// text is a member of an event, if it is text.
func text(e pattern.Event, name string) *string {
	if t, ok := e[name].(string); ok {
		return &t
	}
	return nil
}
