package lambda

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// How asynchronous events are tried again (Lambda developer guide, "How Lambda
// handles errors and retries with asynchronous invocation").
const (
	maxRetries   = 2
	maxEventAge  = 6 * time.Hour
	retryDelay   = time.Minute // before the second attempt; twice that before the third
	minThrottled = time.Second
	maxThrottled = 5 * time.Minute
)

// The conditions under which a record goes to a destination.
const (
	succeeded        = "Success"
	retriesExhausted = "RetriesExhausted"
	eventAgeExceeded = "EventAgeExceeded"
)

// event waits to be processed.
type event struct {
	function  string
	qualifier string
	id        string
	payload   []byte
	at        time.Time
	invoked   int // how often the function ran
	throttled int
	last      Result
}

// enqueue accepts an asynchronous invocation.
func (s *Service) enqueue(r reference, payload []byte) {
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	e := &event{function: r.fn.name, qualifier: r.qualifier, id: s.w.UUID(), payload: payload, at: s.w.Now()}
	s.events = append(s.events, e)
	s.w.After(0, func() { s.attempt(e) })
}

// concluded forgets an event that is done.
func (s *Service) concluded(e *event) {
	s.events = slices.DeleteFunc(s.events, func(o *event) bool { return o == e })
}

// attempt runs the function for an event. An event whose function or alias has
// been deleted meanwhile is dropped.
func (s *Service) attempt(e *event) {
	r, err := s.find(&e.function, &e.qualifier)
	if s.closed {
		return
	}
	if err != nil {
		s.concluded(e)
		return
	}
	if s.w.Now().Sub(e.at) > r.maxAge() {
		s.discard(r, e, eventAgeExceeded)
		return
	}
	s.begin(&run{reference: r, id: e.id, payload: e.payload, done: func(res Result) { s.attempted(r, e, res) }})
}

// attempted decides what happens to an event after an attempt.
func (s *Service) attempted(r reference, e *event, res Result) {
	e.last = res
	if res.Err == nil {
		e.invoked++
	}
	again := func(d time.Duration) { s.w.After(d, func() { s.attempt(e) }) }
	switch {
	case !res.Failed():
		s.concluded(e)
		if c := r.settings().DestinationConfig; c != nil && c.OnSuccess != nil {
			s.record(r, e, succeeded, aws.ToString(c.OnSuccess.Destination))
		}
	case res.Status == http.StatusTooManyRequests:
		// "When you set reserved concurrency to zero …, Lambda begins sending
		// new events to the configured dead-letter queue or the on-failure
		// event destination, without any retries" (same guide, "Capturing
		// records of Lambda asynchronous invocations").
		if r.fn.reserved != nil && *r.fn.reserved == 0 {
			s.discard(r, e, retriesExhausted)
			return
		}
		e.throttled++
		again(min(minThrottled<<min(e.throttled-1, 16), maxThrottled))
	case res.Err != nil:
		s.discard(r, e, retriesExhausted)
	case e.invoked > r.maxRetries():
		s.discard(r, e, retriesExhausted)
	default:
		again(retryDelay * time.Duration(e.invoked))
	}
}

// settings are the asynchronous settings of what was invoked.
func (r reference) settings() lambdatypes.FunctionEventInvokeConfig {
	if c := r.fn.async[r.key()]; c != nil {
		return *c
	}
	return lambdatypes.FunctionEventInvokeConfig{}
}

func (r reference) maxRetries() int {
	if n := r.settings().MaximumRetryAttempts; n != nil {
		return int(*n)
	}
	return maxRetries
}

func (r reference) maxAge() time.Duration {
	if n := r.settings().MaximumEventAgeInSeconds; n != nil {
		return time.Duration(*n) * time.Second
	}
	return maxEventAge
}

// discard gives an event up. It goes to the destination, the dead-letter
// queue, both or nowhere.
func (s *Service) discard(r reference, e *event, condition string) {
	s.concluded(e)
	s.meter.count(r.fn, eventsDropped, s.w.Now())
	if c := r.settings().DestinationConfig; c != nil && c.OnFailure != nil {
		s.record(r, e, condition, aws.ToString(c.OnFailure.Destination))
	}
	v, err := r.version()
	if err != nil {
		return
	}
	if target := deadLetter(v); target != "" {
		attributes := map[string]string{
			"RequestID": e.id, "ErrorCode": strconv.Itoa(max(e.last.Status, http.StatusOK)), "ErrorMessage": errorMessage(e.last),
		}
		if err := s.send(v, target, string(e.payload), attributes); err != nil {
			s.meter.count(r.fn, deadLetterErrors, s.w.Now())
			s.problem(err)
		}
	}
}

// deadLetter is the ARN of a version's dead-letter queue, or empty.
func deadLetter(v *version) string {
	if v.config.DeadLetterConfig == nil {
		return ""
	}
	return aws.ToString(v.config.DeadLetterConfig.TargetArn)
}

// errorMessage is the first KB of what went wrong, as a dead-letter queue gets
// it (same guide, "Adding a dead-letter queue").
func errorMessage(r Result) string {
	const limit = 1 << 10
	var body struct {
		Message string `json:"errorMessage"`
	}
	text := string(r.Payload)
	switch err := json.Unmarshal(r.Payload, &body); {
	case r.Err != nil:
		text = r.Err.Error()
	case err == nil && body.Message != "":
		text = body.Message
	}
	return text[:min(len(text), limit)]
}

// invocationRecord is what a destination gets (same guide, "Capturing records
// of Lambda asynchronous invocations", example).
type invocationRecord struct {
	Version   string `json:"version"`
	Timestamp string `json:"timestamp"`
	Request   struct {
		ID        string `json:"requestId"`
		Function  string `json:"functionArn"`
		Condition string `json:"condition"`
		Count     int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	Response        *recordResponse `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
}

// recordResponse is the part of a record that exists once the function ran.
type recordResponse struct {
	Status  int    `json:"statusCode"`
	Version string `json:"executedVersion"`
	Error   string `json:"functionError,omitempty"`
}

// record sends the record of an event to a destination.
func (s *Service) record(r reference, e *event, condition, destination string) {
	v, err := r.version()
	if destination == "" || err != nil {
		return
	}
	doc := invocationRecord{Version: "1.0", Timestamp: s.w.Now().Format("2006-01-02T15:04:05.000Z"), RequestPayload: e.payload}
	doc.Request.ID, doc.Request.Function = e.id, r.fn.arn+":"+r.key()
	doc.Request.Condition, doc.Request.Count = condition, e.invoked
	if e.last.Err == nil && e.invoked > 0 {
		doc.Response = &recordResponse{Status: e.last.Status, Version: e.last.Version, Error: e.last.FunctionError}
		doc.ResponsePayload = e.last.Payload
		if !json.Valid(doc.ResponsePayload) {
			doc.ResponsePayload, _ = json.Marshal(string(e.last.Payload)) //nolint:errchkjson // a string
		}
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	err = enc.Encode(doc)
	if err == nil {
		err = s.send(v, destination, strings.TrimSuffix(body.String(), "\n"), nil)
	}
	if err != nil {
		s.meter.count(r.fn, destinationFailures, s.w.Now())
		s.problem(err)
	}
}

// serviceOf is the service that an ARN belongs to.
func serviceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2]
}

// queueURL is the URL of a queue by its ARN.
func queueURL(arn string) *string {
	parts := strings.Split(arn, ":") // arn:aws:sqs:region:account:name
	if len(parts) != 6 {
		return aws.String(arn)
	}
	return aws.String("https://sqs." + parts[3] + ".amazonaws.com/" + parts[4] + "/" + parts[5])
}

// send sends a message to a queue or a topic with the rights of a function.
func (s *Service) send(v *version, target, body string, attributes map[string]string) error {
	kind := func(name string) *string {
		if name == "ErrorCode" {
			return aws.String("Number")
		}
		return aws.String("String")
	}
	switch serviceOf(target) {
	case "sqs":
		in := &sqs.SendMessageInput{QueueUrl: queueURL(target), MessageBody: aws.String(body)}
		for name, value := range attributes {
			if in.MessageAttributes == nil {
				in.MessageAttributes = map[string]sqstypes.MessageAttributeValue{}
			}
			in.MessageAttributes[name] = sqstypes.MessageAttributeValue{DataType: kind(name), StringValue: aws.String(value)}
		}
		_, err := do[sqs.SendMessageOutput](s, v.role(), "sqs", "SendMessage", in)
		return err
	case "sns":
		in := &sns.PublishInput{TopicArn: aws.String(target), Message: aws.String(body)}
		for name, value := range attributes {
			if in.MessageAttributes == nil {
				in.MessageAttributes = map[string]snstypes.MessageAttributeValue{}
			}
			in.MessageAttributes[name] = snstypes.MessageAttributeValue{DataType: kind(name), StringValue: aws.String(value)}
		}
		_, err := do[sns.PublishOutput](s, v.role(), "sns", "Publish", in)
		return err
	default:
		return errors.New("send to " + target + ": neither a queue nor a topic")
	}
}
