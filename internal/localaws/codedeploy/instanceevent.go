package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// instanceDetail is the detail of an instance event, in the order of the sample
// in the EventBridge user guide, "Events from CodeDeploy".
type instanceDetail struct {
	InstanceID      string `json:"instanceId"`
	Region          string `json:"region"`
	State           string `json:"state"`
	Application     string `json:"application"`
	DeploymentID    string `json:"deploymentId"`
	InstanceGroupID string `json:"instanceGroupId"`
	DeploymentGroup string `json:"deploymentGroup"`
}

// instanceMessage is what an instance trigger publishes (user guide, "JSON data
// formats for CodeDeploy triggers").
type instanceMessage struct {
	Region           string          `json:"region"`
	AccountID        string          `json:"accountId"`
	EventTriggerName string          `json:"eventTriggerName"`
	DeploymentID     string          `json:"deploymentId"`
	InstanceID       string          `json:"instanceId"`
	LastUpdatedAt    string          `json:"lastUpdatedAt"`
	InstanceStatus   string          `json:"instanceStatus"`
	LifecycleEvents  []instanceEvent `json:"lifecycleEvents"`
}

type instanceEvent struct {
	LifecycleEvent       string `json:"LifecycleEvent"`
	LifecycleEventStatus string `json:"LifecycleEventStatus"`
	StartTime            string `json:"StartTime,omitempty"`
	EndTime              string `json:"EndTime,omitempty"`
}

// tell puts an instance event on the default bus and publishes it to the
// triggers of the group.
func (t *task) tell(ctx context.Context, state string, event cdtypes.TriggerEventType) {
	s, d := t.r.s, t.r.d
	s.put(ctx, "CodeDeploy Instance State-change Notification",
		[]string{t.m.arn, s.groupARN(d.application.name, d.group.name()), s.applicationARN(d.application.name)},
		instanceDetail{
			InstanceID: t.m.id, Region: s.w.Region, State: state, Application: d.application.name, DeploymentID: d.id(),
			InstanceGroupID: aws.ToString(d.group.info.DeploymentGroupId), DeploymentGroup: d.group.name(),
		})
	subject := string(t.status) + ": AWS CodeDeploy " + d.id() + " in " + s.w.Region + " to " + t.m.id
	s.publish(ctx, d, event, subject, func(trigger string) any { return t.message(trigger) })
}

func (t *task) message(trigger string) instanceMessage {
	s := t.r.s
	m := instanceMessage{
		Region: s.w.Region, AccountID: s.w.Account, EventTriggerName: trigger, DeploymentID: t.r.d.id(), InstanceID: t.m.arn,
		LastUpdatedAt: seconds(t.life.updated), InstanceStatus: string(t.status), LifecycleEvents: []instanceEvent{},
	}
	for _, e := range t.life.events {
		event := instanceEvent{LifecycleEvent: aws.ToString(e.LifecycleEventName), LifecycleEventStatus: string(e.Status)}
		if e.StartTime != nil {
			event.StartTime = seconds(*e.StartTime)
		}
		if e.EndTime != nil {
			event.EndTime = seconds(*e.EndTime)
		}
		m.LifecycleEvents = append(m.LifecycleEvents, event)
	}
	return m
}
