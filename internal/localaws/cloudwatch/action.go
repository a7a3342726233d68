package cloudwatch

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// invoker is who calls functions for alarms (CloudWatch user guide, "Invoke a
// Lambda function from an alarm").
const invoker = "lambda.alarms.cloudwatch.amazonaws.com"

// invocation is what a function gets from an alarm (same page, sample), in the
// order of the sample.
type invocation struct {
	Source    string      `json:"source"`
	AlarmARN  string      `json:"alarmArn"`
	AccountID string      `json:"accountId"`
	Time      string      `json:"time"`
	Region    string      `json:"region"`
	AlarmData stateChange `json:"alarmData"`
}

// actionable reports whether somebody here carries out an action.
func (s *Service) actionable(arn string) bool {
	return strings.HasPrefix(arn, "arn:aws:sns:") ||
		strings.HasPrefix(arn, "arn:aws:lambda:"+s.world.Region+":"+s.world.Account+":function:")
}

// act carries out the actions of an alarm's state.
func (s *Service) act(ctx context.Context, a *alarm, old state) {
	if !a.settings.enabled {
		return
	}
	for _, action := range a.settings.actions(a.state.value) {
		var message string
		var err error
		if strings.HasPrefix(action, "arn:aws:lambda:") {
			err = s.invoke(ctx, a, old, action)
		} else {
			message = s.notification(a, old)
			err = s.publish(ctx, a, action, message)
		}
		s.recordAction(a, action, message, err)
		if err != nil {
			s.lost = append(s.lost, fmt.Errorf("alarm %s: action %s: %w", a.name, action, err))
		}
	}
}

func (s *Service) publish(ctx context.Context, a *alarm, topic, message string) error {
	_, err := wire.Do[sns.PublishOutput](ctx, s.caller, wire.Principal{Service: principal, SourceARN: a.arn}, "sns", "Publish", &sns.PublishInput{
		TopicArn: &topic, Subject: aws.String(s.subject(a)), Message: &message,
	})
	return err
}

func (s *Service) invoke(ctx context.Context, a *alarm, old state, function string) error {
	payload := compact(invocation{
		Source: "aws.cloudwatch", AlarmARN: a.arn, AccountID: s.world.Account, Time: a.state.updated.Format(stamp), Region: s.world.Region,
		AlarmData: a.change(old),
	})
	_, err := wire.Do[lambda.InvokeOutput](ctx, s.caller, wire.Principal{Service: invoker, SourceARN: a.arn}, "lambda", "Invoke", &lambda.InvokeInput{
		FunctionName: &function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload),
	})
	return err
}
