package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// subscribe hands log events to the functions that want them. One batch is one
// message. What comes while a filter is disabled is skipped.
func (s *Service) subscribe(c *wire.Call, g *group, st *stream, events []event) {
	ctx, now := context.WithoutCancel(c.Context), s.w.Now()
	for _, f := range g.subscriptions {
		if now.Before(f.until) {
			continue
		}
		m := &message{
			to: f.destination, as: s.sender(g), due: now.Add(latency), made: now, pause: firstRetry,
			MessageType: "DATA_MESSAGE", Owner: s.w.Account, LogGroup: g.name, LogStream: st.name, Filters: []string{f.name},
		}
		for _, e := range events {
			if f.pattern.Match(e.message) {
				m.Events = append(m.Events, messageEvent{ID: e.id(), Timestamp: e.time, Message: e.message})
			}
		}
		if len(m.Events) == 0 {
			continue
		}
		s.messages = append(s.messages, m)
		s.w.At(m.due, func() { s.deliver(ctx, m) })
	}
}

// deliver invokes the function. It is asynchronous: what the function makes of
// the message is between Lambda and the function.
func (s *Service) deliver(ctx context.Context, m *message) {
	payload, err := pack(m)
	if err == nil {
		_, err = wire.Do[lambda.InvokeOutput](ctx, s.caller, m.as, "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(m.to), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	again := retryable(err)
	if again && s.w.Now().Sub(m.made) < giveUp {
		m.due = s.w.Now().Add(m.pause)
		m.pause = min(2*m.pause, lastRetry)
		s.w.At(m.due, func() { s.deliver(ctx, m) })
		return
	}
	s.messages = slices.DeleteFunc(s.messages, func(o *message) bool { return o == m })
	if err != nil {
		s.lost = append(s.lost, fmt.Errorf("log events of %s to %s: %w", m.LogGroup, m.to, err))
		if !again {
			s.disable(m)
		}
	}
}

// retryable reports whether a delivery may succeed later: the function was
// throttled, or Lambda is to blame.
func retryable(err error) bool {
	if err == nil {
		return false
	}
	if _, throttled := errors.AsType[*lambdatypes.TooManyRequestsException](err); throttled {
		return true
	}
	api, ok := errors.AsType[smithy.APIError](err)
	return !ok || api.ErrorFault() == smithy.FaultServer
}

// disable lets the filter of a message rest.
func (s *Service) disable(m *message) {
	g := s.groups[m.LogGroup]
	if g == nil {
		return
	}
	for _, f := range g.subscriptions {
		if slices.Contains(m.Filters, f.name) {
			f.until = s.w.Now().Add(disabled)
		}
	}
}
