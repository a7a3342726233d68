package codedeploy

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The states of deployment events (EventBridge user guide, "Events from
// CodeDeploy"). There is none for a rollback.
const (
	stateQueued  = "QUEUED"
	stateStart   = "START"
	stateReady   = "READY"
	stateSuccess = "SUCCESS"
	stateFailure = "FAILURE"
	stateStop    = "STOP"
)

// detail is the detail of a deployment event, in the documented order.
type detail struct {
	InstanceGroupID string `json:"instanceGroupId"`
	Region          string `json:"region"`
	Application     string `json:"application"`
	DeploymentID    string `json:"deploymentId"`
	State           string `json:"state"`
	DeploymentGroup string `json:"deploymentGroup"`
}

// announce puts a deployment event on the default bus, best effort: an event
// that the bus does not take is lost, as AWS says it may be.
func (s *Service) announce(ctx context.Context, d *deployment, state string) {
	s.put(ctx, "CodeDeploy Deployment State-change Notification",
		[]string{s.applicationARN(d.application.name), s.groupARN(d.application.name, d.group.name())},
		detail{
			InstanceGroupID: aws.ToString(d.group.info.DeploymentGroupId),
			Region:          s.w.Region,
			Application:     d.application.name,
			DeploymentID:    d.id(),
			State:           state,
			DeploymentGroup: d.group.name(),
		})
}

// put puts an event on the default bus.
func (s *Service) put(ctx context.Context, detailType string, resources []string, detail any) {
	text, err := json.Marshal(detail)
	if err != nil {
		return // strings always marshal
	}
	_, _ = wire.Do[eventbridge.PutEventsOutput](ctx, s.c, principal(), "events", "PutEvents", &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{
			Source:     aws.String("aws.codedeploy"),
			DetailType: aws.String(detailType),
			Time:       aws.Time(s.w.Now()),
			Resources:  resources,
			Detail:     aws.String(string(text)),
		}},
	})
}

// message is what a trigger publishes (user guide, "JSON data formats for
// CodeDeploy triggers"). Numbers travel as strings, times as seconds.
// rollbackInformation is not in that page's sample but in published messages
// of rollbacks.
type message struct {
	Region              string            `json:"region"`
	AccountID           string            `json:"accountId"`
	EventTriggerName    string            `json:"eventTriggerName"`
	ApplicationName     string            `json:"applicationName"`
	DeploymentID        string            `json:"deploymentId"`
	DeploymentGroupName string            `json:"deploymentGroupName"`
	CreateTime          string            `json:"createTime"`
	CompleteTime        *string           `json:"completeTime"`
	DeploymentOverview  map[string]string `json:"deploymentOverview,omitempty"`
	Status              string            `json:"status"`
	ErrorInformation    map[string]string `json:"errorInformation,omitempty"`
	RollbackInformation map[string]string `json:"rollbackInformation,omitempty"`
}

// notify publishes a deployment's event to the triggers of the group. The
// subject is that of published messages.
func (s *Service) notify(ctx context.Context, d *deployment, event cdtypes.TriggerEventType) {
	subject := string(d.info.Status) + ": AWS CodeDeploy " + d.id() + " in " + s.w.Region + " to " + d.application.name
	s.publish(ctx, d, event, subject, func(trigger string) any { return s.message(d, trigger) })
}

// publish publishes to the topics of the group's triggers for an event, best
// effort.
func (s *Service) publish(ctx context.Context, d *deployment, event cdtypes.TriggerEventType, subject string, message func(trigger string) any) {
	for _, t := range d.group.info.TriggerConfigurations {
		if !slices.Contains(t.TriggerEvents, event) {
			continue
		}
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false) // error messages have angle brackets
		if err := e.Encode(message(aws.ToString(t.TriggerName))); err != nil {
			return // strings always marshal
		}
		_, _ = wire.Do[sns.PublishOutput](ctx, s.c, d.principal(), "sns", "Publish", &sns.PublishInput{
			TopicArn: t.TriggerTargetArn, Subject: aws.String(subject), Message: aws.String(strings.TrimSpace(text.String())),
		})
	}
}

func (s *Service) message(d *deployment, trigger string) message {
	m := message{
		Region: s.w.Region, AccountID: s.w.Account, EventTriggerName: trigger,
		ApplicationName: d.application.name, DeploymentID: d.id(), DeploymentGroupName: d.group.name(),
		CreateTime: seconds(*d.info.CreateTime), Status: string(d.info.Status),
	}
	if d.info.CompleteTime != nil {
		m.CompleteTime = aws.String(seconds(*d.info.CompleteTime))
	}
	if o := d.overview(); o != nil {
		n := func(i int64) string { return strconv.FormatInt(i, 10) }
		m.DeploymentOverview = map[string]string{
			"Failed": n(o.Failed), "InProgress": n(o.InProgress), "Pending": n(o.Pending), "Skipped": n(o.Skipped), "Succeeded": n(o.Succeeded),
		}
	}
	if e := d.info.ErrorInformation; e != nil {
		m.ErrorInformation = map[string]string{"ErrorCode": string(e.Code), "ErrorMessage": aws.ToString(e.Message)}
	}
	if r := d.info.RollbackInfo; r != nil {
		m.RollbackInformation = map[string]string{
			"RollbackMessage": aws.ToString(r.RollbackMessage), "RollbackTriggeringDeploymentId": aws.ToString(r.RollbackTriggeringDeploymentId),
		}
	}
	return m
}

// seconds writes a time as seconds since 1970 with three decimals.
func seconds(t time.Time) string {
	ms := t.UnixMilli()
	return strconv.FormatInt(ms/1000, 10) + "." + strconv.FormatInt(1000+ms%1000, 10)[1:]
}
