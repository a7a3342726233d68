package eventbridge

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

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
		return s.forward(ctx, d)
	}
}

// forward gives the event to another bus. An event that came from a bus goes
// no further (EventBridge user guide, "Sending and receiving events between
// event buses in the same account and Region": the third bus gets nothing).
func (s *Service) forward(ctx context.Context, d *delivery) error {
	if d.event.hopped {
		return nil
	}
	b, err := s.bus(d.target.Arn)
	if err != nil {
		return err
	}
	next := *d.event
	next.hopped = true
	s.route(ctx, b, &next)
	return nil
}
