package cloudformation

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// stackType is the resource type of a stack in its own events.
const stackType = "AWS::CloudFormation::Stack"

// byUser is the reason of the first event of an operation.
const byUser = "User Initiated"

// turn gives the stack another status, with an event.
func (s *Service) turn(st *stack, status cfntypes.StackStatus, reason string) {
	st.status, st.reason = status, reason
	s.record(st, cfntypes.StackEvent{
		EventId: aws.String(st.eventID()), LogicalResourceId: &st.name, PhysicalResourceId: &st.id,
		ResourceType: aws.String(stackType), ResourceStatus: cfntypes.ResourceStatus(status), ResourceStatusReason: optional(reason),
	})
}

// eventID is a UUID that follows from the stack and the number of the event, so
// that to watch a stack does not change what else is random.
func (st *stack) eventID() string {
	sum := sha256.Sum256(fmt.Append(nil, st.id, len(st.events)))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// mark gives a resource another status, with an event.
func (s *Service) mark(st *stack, m *member, status cfntypes.ResourceStatus, reason string) {
	m.Status, m.Reason, m.At = status, reason, s.world.Now()
	properties, err := json.Marshal(m.Properties)
	if err != nil {
		properties = []byte("{}") // not reached: they were read from JSON
	}
	s.record(st, cfntypes.StackEvent{
		EventId:           aws.String(m.LogicalID + "-" + st.eventID()),
		LogicalResourceId: &m.LogicalID, PhysicalResourceId: aws.String(m.PhysicalID), ResourceType: &m.Type,
		ResourceProperties: aws.String(string(properties)), ResourceStatus: status, ResourceStatusReason: optional(reason),
	})
}

// record notes an event and tells the topics.
func (s *Service) record(st *stack, e cfntypes.StackEvent) {
	at := s.world.Now()
	if n := len(st.events); n > 0 && st.op != nil && !st.op.swift {
		at = later(at, st.events[n-1].Timestamp.Add(time.Millisecond))
	}
	e.StackId, e.StackName, e.Timestamp = &st.id, &st.name, &at
	if st.op != nil && st.op.token != "" {
		e.ClientRequestToken = &st.op.token
	}
	st.events = append(st.events, e)
	for _, topic := range st.revision.Notify {
		s.notify(topic, e)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// notify publishes an event as CloudFormation does: one line for each member,
// the values in single quotes (CloudFormation user guide, "Setting CloudFormation
// stack options", notification options; the lines as they arrive). A message
// that cannot be published is lost.
func (s *Service) notify(topic string, e cfntypes.StackEvent) {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s='%s'\n", name, value) }
	orNull := func(v *string) string {
		if v == nil {
			return "null"
		}
		return *v
	}
	line("StackId", *e.StackId)
	line("Timestamp", e.Timestamp.Format("2006-01-02T15:04:05.000Z"))
	line("EventId", *e.EventId)
	line("LogicalResourceId", *e.LogicalResourceId)
	line("Namespace", s.world.Account)
	line("PhysicalResourceId", aws.ToString(e.PhysicalResourceId))
	line("ResourceProperties", orNull(e.ResourceProperties))
	line("ResourceStatus", string(e.ResourceStatus))
	line("ResourceStatusReason", aws.ToString(e.ResourceStatusReason))
	line("ResourceType", *e.ResourceType)
	line("StackName", *e.StackName)
	line("ClientRequestToken", orNull(e.ClientRequestToken))
	_, _ = wire.Do[sns.PublishOutput](s.context(), s.caller, wire.Principal{Service: principal}, "sns", "Publish", &sns.PublishInput{
		TopicArn: &topic, Subject: aws.String("AWS CloudFormation Notification"), Message: aws.String(b.String()),
	})
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
