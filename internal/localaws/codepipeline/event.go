package codepipeline

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The states of events (user guide, "Monitoring CodePipeline events").
const (
	stateStarted    = "STARTED"
	stateSucceeded  = "SUCCEEDED"
	stateFailed     = "FAILED"
	stateResumed    = "RESUMED"
	stateStopping   = "STOPPING"
	stateStopped    = "STOPPED"
	stateCanceled   = "CANCELED"
	stateSuperseded = "SUPERSEDED"
	stateAbandoned  = "ABANDONED"
)

// stamp is a time in an event.
type stamp time.Time

// MarshalJSON writes milliseconds, as the events do.
func (t stamp) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// number is a number in an event, which always has a fraction.
type number int

// MarshalJSON writes "1.0".
func (n number) MarshalJSON() ([]byte, error) { return []byte(strconv.Itoa(int(n)) + ".0"), nil }

// detail is the detail of all three kinds of events, in the order of the samples
// in the user guide.
type detail struct {
	Pipeline     string        `json:"pipeline"`
	ExecutionID  string        `json:"execution-id"`
	Start        *stamp        `json:"start-time,omitempty"`
	LastRetry    *stamp        `json:"last-retry-attempt-time,omitempty"`
	StageRetry   *stamp        `json:"stage-last-retry-attempt-time,omitempty"`
	Trigger      *trigger      `json:"execution-trigger,omitempty"`
	Stage        string        `json:"stage,omitempty"`
	Result       *result       `json:"execution-result,omitempty"`
	Inputs       []located     `json:"input-artifacts,omitempty"`
	Outputs      []located     `json:"output-artifacts,omitempty"`
	ActionID     string        `json:"action-execution-id,omitempty"`
	Action       string        `json:"action,omitempty"`
	State        string        `json:"state"`
	Region       string        `json:"region,omitempty"`
	Type         *actionTypeID `json:"type,omitempty"`
	Version      number        `json:"version"`
	Attempt      number        `json:"pipeline-execution-attempt"`
	StopComments string        `json:"stop-execution-comments,omitempty"`
}

type trigger struct {
	Type   string `json:"trigger-type"`
	Detail string `json:"trigger-detail"`
}

type result struct {
	URL     string `json:"external-execution-url,omitempty"`
	Summary string `json:"external-execution-summary,omitempty"`
	ID      string `json:"external-execution-id,omitempty"`
	Code    string `json:"error-code,omitempty"`
}

type located struct {
	Name     string `json:"name"`
	Location struct {
		Bucket string `json:"bucket"`
		Key    string `json:"key"`
	} `json:"s3location"`
}

type actionTypeID struct {
	Owner    string `json:"owner"`
	Provider string `json:"provider"`
	Category string `json:"category"`
	Version  string `json:"version"`
}

func stamped(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// about is what the details of all events of an execution have.
func about(e *execution, state string) detail {
	return detail{Pipeline: e.p.name, ExecutionID: e.id, State: state, Version: number(e.version), Attempt: number(e.attempt)}
}

func (s *Service) tellPipeline(ctx context.Context, e *execution, state string) {
	d := about(e, state)
	d.Start, d.LastRetry = stamped(e.started), stamped(e.retried)
	switch state {
	case stateStarted:
		d.Trigger = &trigger{Type: string(e.trigger.TriggerType), Detail: aws.ToString(e.trigger.TriggerDetail)}
	case stateStopping, stateStopped:
		d.StopComments = e.reason
	}
	s.tell(ctx, e, "CodePipeline Pipeline Execution State Change", d)
}

func (s *Service) tellStage(ctx context.Context, r *stageRun, state string) {
	d := about(r.e, state)
	d.Start, d.StageRetry, d.Stage = stamped(r.started), stamped(r.retried), *r.e.place().Name
	if state == stateResumed { // the sample has no start-time
		d.Start = nil
	}
	s.tell(ctx, r.e, "CodePipeline Stage Execution State Change", d)
}

func (s *Service) tellAction(ctx context.Context, a *actionRun, state string) {
	d, t := about(a.e, state), a.declaration().ActionTypeId
	d.Start, d.Stage, d.Action, d.ActionID, d.Region = stamped(a.started), a.stage, a.name, a.id, s.w.Region
	d.Type = &actionTypeID{Owner: string(t.Owner), Provider: *t.Provider, Category: string(t.Category), Version: *t.Version}
	switch state {
	case stateStarted:
		d.Inputs = locations(a.inputs)
	case stateSucceeded, stateFailed:
		d.Result = &result{URL: a.externalURL, Summary: a.summary, ID: a.externalID, Code: a.errorCode}
		if *d.Result == (result{}) {
			d.Result = nil
		}
	}
	if state == stateSucceeded {
		d.Outputs = locations(a.outputs)
	}
	s.tell(ctx, a.e, "CodePipeline Action Execution State Change", d)
}

func locations(all []artifact) []located {
	var list []located
	for _, a := range all {
		l := located{Name: a.name}
		l.Location.Bucket, l.Location.Key = a.bucket, a.key
		list = append(list, l)
	}
	return list
}

// tell puts an event on the default bus. One that the bus does not take is lost.
func (s *Service) tell(ctx context.Context, e *execution, kind string, d detail) {
	text, err := json.Marshal(d)
	if err != nil {
		return // texts and numbers always marshal
	}
	_, _ = wire.Do[eventbridge.PutEventsOutput](ctx, s.c, wire.Principal{Service: itself}, "events", "PutEvents", &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("aws.codepipeline"), DetailType: aws.String(kind), Time: aws.Time(s.w.Now()),
			Resources: []string{s.arn(e.p.name)}, Detail: aws.String(string(text)),
		}},
	})
}

// consoleURL is the page of a pipeline in the console.
func (s *Service) consoleURL(p *pipeline) string {
	return "https://console.aws.amazon.com/codepipeline/home?region=" + s.w.Region + "#/view/" + p.name
}
