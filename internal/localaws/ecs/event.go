package ecs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The types of events.
const (
	infoEvent  = "INFO"
	warnEvent  = "WARN"
	errorEvent = "ERROR"
)

// eventTime is how times are written in the details of events.
const eventTime = "2006-01-02T15:04:05.000Z"

// say adds a message to the events that DescribeServices shows.
func (s *Service) say(svc *service, format string, args ...any) {
	e := ecstypes.ServiceEvent{
		Id: aws.String(s.w.UUID()), CreatedAt: aws.Time(s.w.Now()),
		Message: aws.String("(service " + svc.name + ") " + fmt.Sprintf(format, args...)),
	}
	svc.events = slices.Insert(svc.events, 0, e)
	svc.events = svc.events[:min(len(svc.events), eventLimit)]
}

// action is the detail of an event of type "ECS Service Action" (developer
// guide, "Amazon ECS service action events"), in the documented order.
type action struct {
	EventType   string   `json:"eventType"`
	EventName   string   `json:"eventName"`
	ClusterARN  string   `json:"clusterArn"`
	TaskSetARNs []string `json:"taskSetArns,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	CreatedAt   string   `json:"createdAt"`
}

// act tells the event bus what the scheduler did.
func (s *Service) act(svc *service, kind, name string, add func(*action)) {
	d := action{EventType: kind, EventName: name, ClusterARN: *svc.cluster.info.ClusterArn, CreatedAt: s.stamp()}
	if add != nil {
		add(&d)
	}
	s.announce("ECS Service Action", svc.arn(), d)
}

// change is the detail of an event of type "ECS Deployment State Change"
// (developer guide, "Amazon ECS service deployment state change events").
type change struct {
	EventType    string `json:"eventType"`
	EventName    string `json:"eventName"`
	DeploymentID string `json:"deploymentId"`
	UpdatedAt    string `json:"updatedAt"`
	Reason       string `json:"reason"`
}

// The names of deployment events.
const (
	deploymentInProgress = "SERVICE_DEPLOYMENT_IN_PROGRESS"
	deploymentCompleted  = "SERVICE_DEPLOYMENT_COMPLETED"
	deploymentFailed     = "SERVICE_DEPLOYMENT_FAILED"
)

// tell tells the event bus about a deployment.
func (s *Service) tell(svc *service, d *deployment, name, reason string) {
	kind := infoEvent
	if name == deploymentFailed {
		kind = errorEvent
	}
	s.announce("ECS Deployment State Change", svc.arn(), change{
		EventType: kind, EventName: name, DeploymentID: d.id, UpdatedAt: s.w.Now().Format(time.RFC3339), Reason: reason,
	})
}

func (s *Service) stamp() string { return s.w.Now().Format(eventTime) }

// announce puts an event on the default bus. What the bus does not take is
// lost.
func (s *Service) announce(kind, resource string, detail any) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(detail); err != nil {
		return // strings always encode
	}
	_, _ = wire.Do[eventbridge.PutEventsOutput](background(), s.c, itself(), "events", "PutEvents", &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("aws.ecs"), DetailType: aws.String(kind), Time: aws.Time(s.w.Now()),
			Resources: []string{resource}, Detail: aws.String(strings.TrimSpace(text.String())),
		}},
	})
}
