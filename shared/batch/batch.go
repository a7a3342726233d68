// Package batch handles a batch of SQS messages one by one and answers with
// the ones that failed, so that a bad message goes its way to the dead-letter
// queue and its neighbours are not handled twice.
//
// It does not delete, delay or retry: that is the queue's work.
package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Message is one message of a batch.
type Message struct {
	ID       string
	Body     string
	Group    string // FIFO queues only
	Receives string // how often it was received, as SQS says it
}

// Response is what Lambda wants to hear: the messages that failed. An empty
// list is success. Source: Lambda developer guide, "Implementing partial batch
// responses".
type Response struct {
	Failures []Failure `json:"batchItemFailures"`
}

// Failure names one message that failed.
type Failure struct {
	ID string `json:"itemIdentifier"`
}

type event struct {
	Records []struct {
		MessageID   string `json:"messageId"`
		Body        string `json:"body"`
		EventSource string `json:"eventSource"`
		Attributes  struct {
			MessageGroupID          string `json:"MessageGroupId"`
			ApproximateReceiveCount string `json:"ApproximateReceiveCount"`
		} `json:"attributes"`
	} `json:"Records"`
}

// Run handles every message of the batch in payload. A message whose handling
// returns an error or panics is reported as failed, with one line in the log.
// In a FIFO queue the later messages of its group fail with it, unhandled,
// because order is kept. Payload that is no batch is an error.
func Run(ctx context.Context, log *slog.Logger, payload json.RawMessage, handle func(context.Context, Message) error) (Response, error) {
	messages, err := parse(payload)
	if err != nil {
		return Response{}, err
	}
	response := Response{Failures: []Failure{}}
	blocked := make(map[string]bool)
	for _, m := range messages {
		if m.Group != "" && blocked[m.Group] {
			response.Failures = append(response.Failures, Failure{ID: m.ID})
			continue
		}
		if err := try(ctx, m, handle); err != nil {
			log.LogAttrs(ctx, slog.LevelError, "message not handled",
				slog.String("message", m.ID), slog.String("receives", m.Receives), slog.Int("bytes", len(m.Body)), slog.Any("error", err))
			response.Failures = append(response.Failures, Failure{ID: m.ID})
			blocked[m.Group] = true
		}
	}
	return response, nil
}

func parse(payload json.RawMessage) ([]Message, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("parse batch: %w", err)
	}
	if len(e.Records) == 0 {
		return nil, errors.New("parse batch: no records; is the function called by something other than its queue?")
	}
	messages := make([]Message, len(e.Records))
	for i, r := range e.Records {
		if r.MessageID == "" || r.EventSource != "aws:sqs" {
			return nil, fmt.Errorf("parse batch: record %d is not a message of SQS", i)
		}
		messages[i] = Message{ID: r.MessageID, Body: r.Body, Group: r.Attributes.MessageGroupID, Receives: r.Attributes.ApproximateReceiveCount}
	}
	return messages, nil
}

// try turns a panic into an error: one bad message must not take the others
// along.
func try(ctx context.Context, m Message, handle func(context.Context, Message) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handling panicked: %v", p)
		}
	}()
	return handle(ctx, m)
}
