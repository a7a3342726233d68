package route

import (
	"encoding/json"
	"fmt"
	"time"
)

// handled is the answer that says that a message was handled.
const handled = `{"batchItemFailures":[]}`

// message is one message as Lambda hands it over (Lambda developer guide, "Using
// Lambda with Amazon SQS").
func message(body string) ([]byte, error) {
	type message struct {
		ID         string            `json:"messageId"`
		Receipt    string            `json:"receiptHandle"`
		Body       string            `json:"body"`
		Attributes map[string]string `json:"attributes"`
		Source     string            `json:"eventSource"`
	}
	event, err := json.Marshal(map[string][]message{"Records": {{
		ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Receipt: "bench", Body: body, Source: "aws:sqs",
		Attributes: map[string]string{"ApproximateReceiveCount": "1", "MessageGroupId": "bench"},
	}}})
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	return event, nil
}

// event is one of EventBridge's.
func (s *scene) event(source, kind, resource string, detail any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "source": source, "detail-type": kind, "account": s.settings.Account,
		"region": s.config.Region, "time": s.now().Format(time.RFC3339), "resources": []string{resource}, "detail": detail,
	})
	if err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	return message(string(body))
}

// alarmed is the event that the alarm of a group came into a state.
func (s *scene) alarmed(n int, state string) ([]byte, error) {
	arn := fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", s.config.Region, s.settings.Account, alarmOf(n))
	at := s.now().Format("2006-01-02T15:04:05.000+0000")
	return s.event("aws.cloudwatch", "CloudWatch Alarm State Change", arn, map[string]any{
		"alarmName": alarmOf(n), "state": map[string]string{"value": state, "reason": "bench", "timestamp": at}, "previousState": map[string]string{"value": "OK"},
	})
}

// swept is the sweep's event.
func (s *scene) swept() ([]byte, error) {
	return s.event("aws.events", "Scheduled Event", fmt.Sprintf("arn:aws:events:%s:%s:rule/pullback-sweep", s.config.Region, s.settings.Account), map[string]any{})
}
