package scheduler

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Services of templated targets, as their ARNs and the local AWS name them.
const (
	queue    = "sqs"
	function = "lambda"
	topic    = "sns"
	bus      = "events"
	pipeline = "codepipeline"
)

const fifoSuffix = ".fifo"

// checkTarget checks what a schedule calls. It need not exist.
func (s *Service) checkTarget(in *scheduler.CreateScheduleInput) error {
	t := *in.Target
	if err := refuseKinds(t); err != nil {
		return err
	}
	if action, ok := strings.CutPrefix(aws.ToString(t.Arn), universal); ok {
		return s.checkUniversal(t, action)
	}
	service, resource, ok := s.split(aws.ToString(t.Arn))
	if !ok {
		return invalid("Provided Arn is not in correct format: %s.", aws.ToString(t.Arn))
	}
	if service != queue && t.SqsParameters != nil {
		return invalid("SqsParameters are not valid for target %s.", *t.Arn)
	}
	if service != bus && t.EventBridgeParameters != nil {
		return invalid("EventBridgeParameters are not valid for target %s.", *t.Arn)
	}
	return checkTemplated(t, service, resource)
}

// checkTemplated checks the rules of each kind of templated target (API
// reference, Target).
func checkTemplated(t schedulertypes.Target, service, resource string) error {
	switch service {
	case queue:
		if strings.HasSuffix(resource, fifoSuffix) && (t.SqsParameters == nil || aws.ToString(t.SqsParameters.MessageGroupId) == "") {
			return invalid("SqsParameters.MessageGroupId is required for FIFO queue %s.", *t.Arn)
		}
	case topic, pipeline:
	case function:
		return checkJSON(t)
	case bus:
		if !strings.HasPrefix(resource, "event-bus/") {
			return otherKind(*t.Arn)
		}
		return checkBus(t)
	default:
		return otherKind(*t.Arn)
	}
	return nil
}

func checkJSON(t schedulertypes.Target) error {
	if t.Input != nil && !json.Valid([]byte(*t.Input)) {
		return invalid("Input of target %s must be well-formed JSON.", *t.Arn)
	}
	return nil
}

func checkBus(t schedulertypes.Target) error {
	p := t.EventBridgeParameters
	if p == nil || aws.ToString(p.DetailType) == "" || aws.ToString(p.Source) == "" {
		return invalid("EventBridgeParameters with DetailType and Source are required for target %s.", *t.Arn)
	}
	if strings.HasPrefix(*p.Source, "aws.") {
		return invalid("Value '%s' at 'target.eventBridgeParameters.source' must not begin with aws.", *p.Source)
	}
	return checkJSON(t)
}

func otherKind(arn string) error {
	return invalid("Target %s is of a kind that the local AWS does not support: lambda, sqs, sns, event buses, codepipeline and "+
		"aws-sdk actions are.", arn)
}

// refuseKinds refuses the parameters of targets that are not here.
func refuseKinds(t schedulertypes.Target) error {
	switch {
	case t.EcsParameters != nil:
		return invalid("Parameter EcsParameters is not supported by the local AWS.")
	case t.KinesisParameters != nil:
		return invalid("Parameter KinesisParameters is not supported by the local AWS.")
	case t.SageMakerPipelineParameters != nil:
		return invalid("Parameter SageMakerPipelineParameters is not supported by the local AWS.")
	}
	return nil
}

// split returns service and resource of an ARN of this account and region.
func (s *Service) split(arn string) (service, resource string, ok bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[3] != s.w.Region || p[4] != s.w.Account || p[5] == "" {
		return "", "", false
	}
	return p[2], p[5], true
}

// send calls the target.
func (s *Service) send(ctx context.Context, t schedulertypes.Target, payload string) error {
	if action, ok := strings.CutPrefix(*t.Arn, universal); ok {
		return s.sendUniversal(ctx, t, action, payload)
	}
	service, resource, _ := s.split(*t.Arn) // checked
	var operation string
	var in any
	switch service {
	case queue:
		m := &sqs.SendMessageInput{QueueUrl: queueURL(*t.Arn), MessageBody: aws.String(payload)}
		if t.SqsParameters != nil {
			m.MessageGroupId = t.SqsParameters.MessageGroupId
		}
		operation, in = "SendMessage", m
	case topic:
		operation, in = "Publish", &sns.PublishInput{TopicArn: t.Arn, Message: aws.String(payload)}
	case function:
		operation, in = "Invoke", &lambda.InvokeInput{
			FunctionName: t.Arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload),
		}
	case pipeline:
		operation, in = "StartPipelineExecution", &codepipeline.StartPipelineExecutionInput{Name: aws.String(resource)}
	default:
		return s.put(ctx, t, payload)
	}
	_, err := s.api.Call(ctx, role(t), service, operation, in)
	return err
}

// put puts an event on a bus. An entry that is refused is a failure like any.
func (s *Service) put(ctx context.Context, t schedulertypes.Target, payload string) error {
	out, err := s.api.Call(ctx, role(t), bus, "PutEvents", &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: t.Arn, Source: t.EventBridgeParameters.Source, DetailType: t.EventBridgeParameters.DetailType, Detail: aws.String(payload),
	}}})
	if err != nil {
		return err
	}
	if o, ok := out.(*eventbridge.PutEventsOutput); ok && o.FailedEntryCount > 0 {
		return failed(aws.ToString(o.Entries[0].ErrorCode), aws.ToString(o.Entries[0].ErrorMessage))
	}
	return nil
}
