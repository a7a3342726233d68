package autoscaling

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// publish puts an event on the default bus. One that it does not take is lost,
// as AWS says it may be.
func (s *Service) publish(ctx context.Context, typ string, resources []string, detail any) {
	text, err := json.Marshal(detail)
	if err != nil {
		return // strings always marshal
	}
	_, _ = wire.Do[eventbridge.PutEventsOutput](ctx, s.c, principal(), "events", "PutEvents",
		&eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("aws.autoscaling"), DetailType: aws.String(typ), Time: aws.Time(s.w.Now()), Resources: resources, Detail: aws.String(string(text)),
		}}})
}

// scaled is the detail of events about launches and terminations (user guide,
// "Amazon EC2 Auto Scaling event reference"), in the documented order.
type scaled struct {
	StatusCode           string          `json:"StatusCode"`
	Description          string          `json:"Description"`
	AutoScalingGroupName string          `json:"AutoScalingGroupName"`
	ActivityID           string          `json:"ActivityId"`
	Details              json.RawMessage `json:"Details"`
	RequestID            string          `json:"RequestId"`
	StatusMessage        string          `json:"StatusMessage"`
	EndTime              string          `json:"EndTime"`
	EC2InstanceID        string          `json:"EC2InstanceId"`
	StartTime            string          `json:"StartTime"`
	Cause                string          `json:"Cause"`
	Origin               string          `json:"Origin"`
	Destination          string          `json:"Destination"`
}

// announce tells of a launch or termination that is over.
func (s *Service) announce(ctx context.Context, g *group, typ string, m *member, a *astypes.Activity) {
	const layout = "2006-01-02T15:04:05.000Z"
	d := scaled{
		StatusCode: "InProgress", Description: *a.Description, AutoScalingGroupName: g.name(), ActivityID: *a.ActivityId, Details: json.RawMessage(`{}`),
		RequestID: *a.ActivityId, StatusMessage: aws.ToString(a.StatusMessage), EndTime: a.EndTime.Format(layout), StartTime: a.StartTime.Format(layout),
		Cause: *a.Cause, Origin: "EC2", Destination: "AutoScalingGroup",
	}
	resources := []string{*g.info.AutoScalingGroupARN}
	if a.Details != nil {
		d.Details = json.RawMessage(*a.Details)
	}
	if a.StatusCode == astypes.ScalingActivityStatusCodeFailed {
		d.StatusCode = "Failed"
	}
	if m != nil {
		d.EC2InstanceID = m.id()
		resources = append(resources, "arn:aws:ec2:"+s.w.Region+":"+s.w.Account+":instance/"+m.id())
		if m.in(astypes.LifecycleStateTerminated) {
			d.Origin, d.Destination = "AutoScalingGroup", "EC2"
		}
	}
	s.publish(ctx, typ, resources, d)
}
