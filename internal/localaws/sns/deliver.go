package sns

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// signature stands where AWS has a signature; it verifies against nothing.
const signature = "EXAMPLE"

type (
	// envelope is what a queue gets (SNS developer guide, "Fanout to Amazon SQS
	// queues" and "Parsing message formats").
	envelope struct {
		Type             string               `json:"Type"`
		MessageID        string               `json:"MessageId"`
		TopicARN         string               `json:"TopicArn"`
		Subject          string               `json:"Subject,omitempty"`
		Message          string               `json:"Message"`
		Timestamp        string               `json:"Timestamp"`
		SignatureVersion string               `json:"SignatureVersion"`
		Signature        string               `json:"Signature"`
		SigningCertURL   string               `json:"SigningCertURL"`
		UnsubscribeURL   string               `json:"UnsubscribeURL"`
		Attributes       map[string]attribute `json:"MessageAttributes,omitempty"`
	}
	attribute struct {
		Type  string `json:"Type"`
		Value string `json:"Value"`
	}
	// records is what a function gets (Lambda developer guide, "Using AWS
	// Lambda with Amazon SNS"). The URLs are spelled differently there.
	records struct {
		Records []record `json:"Records"`
	}
	record struct {
		EventSource          string `json:"EventSource"`
		EventVersion         string `json:"EventVersion"`
		EventSubscriptionARN string `json:"EventSubscriptionArn"`
		SNS                  entity `json:"Sns"`
	}
	entity struct {
		Type             string               `json:"Type"`
		MessageID        string               `json:"MessageId"`
		TopicARN         string               `json:"TopicArn"`
		Subject          *string              `json:"Subject"`
		Message          string               `json:"Message"`
		Timestamp        string               `json:"Timestamp"`
		SignatureVersion string               `json:"SignatureVersion"`
		Signature        string               `json:"Signature"`
		SigningCertURL   string               `json:"SigningCertUrl"`
		UnsubscribeURL   string               `json:"UnsubscribeUrl"`
		Attributes       map[string]attribute `json:"MessageAttributes"`
	}
)

// deliver hands a message to one subscriber, as soon as nothing else runs. A
// delivery that fails is not tried again: in the local AWS what fails once
// fails for good. It goes to the subscription's dead-letter queue.
func (s *Service) deliver(ctx context.Context, subscription string, m Message) {
	ctx = context.WithoutCancel(ctx)
	s.world.After(0, func() {
		sub := s.subscription(&subscription)
		if sub == nil {
			return // unsubscribed in between
		}
		err := s.hand(ctx, sub, m)
		if err == nil {
			return
		}
		if sub.deadLetter != "" {
			if err = s.send(ctx, m.TopicARN, sub.deadLetter, s.envelope(sub, m), nil); err == nil {
				return
			}
		}
		s.lost = append(s.lost, fmt.Errorf("deliver message %s to %s: %w", m.ID, sub.endpoint, err))
	})
}

func (s *Service) hand(ctx context.Context, sub *subscription, m Message) error {
	if sub.protocol == "lambda" {
		_, err := wire.Do[lambda.InvokeOutput](ctx, s.caller, wire.Principal{Service: principal, SourceARN: m.TopicARN}, "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: &sub.endpoint, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(s.records(sub, m)),
		})
		return err
	}
	if sub.attributes[rawDelivery] == "true" {
		return s.send(ctx, m.TopicARN, sub.endpoint, m.Body, m.queueAttributes())
	}
	return s.send(ctx, m.TopicARN, sub.endpoint, s.envelope(sub, m), nil)
}

// send puts a message of a topic into the queue with the given ARN.
func (s *Service) send(ctx context.Context, topic, queue, body string, attributes map[string]sqstypes.MessageAttributeValue) error {
	as := wire.Principal{Service: principal, SourceARN: topic}
	name := queue[strings.LastIndex(queue, ":")+1:]
	url, err := wire.Do[sqs.GetQueueUrlOutput](ctx, s.caller, as, "sqs", "GetQueueUrl", &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return err
	}
	_, err = wire.Do[sqs.SendMessageOutput](ctx, s.caller, as, "sqs", "SendMessage", &sqs.SendMessageInput{
		QueueUrl: url.QueueUrl, MessageBody: &body, MessageAttributes: attributes,
	})
	return err
}

// queueAttributes are a raw message's attributes as those of a queue's message.
func (m Message) queueAttributes() map[string]sqstypes.MessageAttributeValue {
	all := map[string]sqstypes.MessageAttributeValue{}
	for name, a := range m.Attributes {
		all[name] = sqstypes.MessageAttributeValue{DataType: a.DataType, StringValue: a.StringValue, BinaryValue: a.BinaryValue}
	}
	return all
}

func (m Message) attributes() map[string]attribute {
	all := map[string]attribute{}
	for name, a := range m.Attributes {
		value := aws.ToString(a.StringValue)
		if a.StringValue == nil {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		all[name] = attribute{Type: aws.ToString(a.DataType), Value: value}
	}
	return all
}

func (s *Service) envelope(sub *subscription, m Message) string {
	return compact(envelope{
		Type: "Notification", MessageID: m.ID, TopicARN: m.TopicARN, Subject: m.Subject, Message: m.Body,
		Timestamp:        m.At.Format("2006-01-02T15:04:05.000Z"),
		SignatureVersion: "1", Signature: signature, SigningCertURL: s.certificate(), UnsubscribeURL: s.farewell(sub),
		Attributes: m.attributes(),
	})
}

func (s *Service) records(sub *subscription, m Message) string {
	e := entity{
		Type: "Notification", MessageID: m.ID, TopicARN: m.TopicARN, Message: m.Body,
		Timestamp:        m.At.Format("2006-01-02T15:04:05.000Z"),
		SignatureVersion: "1", Signature: signature, SigningCertURL: s.certificate(), UnsubscribeURL: s.farewell(sub),
		Attributes: m.attributes(),
	}
	if m.Subject != "" {
		e.Subject = &m.Subject
	}
	return compact(records{Records: []record{{
		EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionARN: sub.arn, SNS: e,
	}}})
}

func (s *Service) certificate() string {
	return "https://sns." + s.world.Region + ".amazonaws.com/SimpleNotificationService-EXAMPLE.pem"
}

func (s *Service) farewell(sub *subscription) string {
	return "https://sns." + s.world.Region + ".amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + sub.arn
}

// compact is a value as JSON without Go's escapes for HTML, which AWS does not
// make.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%q", err) // no value of this package can fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}
