package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// logGroup is the name of the log group of a target's ARN, with or without the
// star at its end.
func logGroup(resource string) string {
	return strings.TrimSuffix(strings.TrimPrefix(resource, "log-group:"), ":*")
}

// checkLogs checks a target that is a log group. A transformer must yield a
// time and a message (EventBridge user guide, "Input transformation", considerations).
func checkLogs(t ebtypes.Target, resource string) error {
	if !strings.HasPrefix(resource, "log-group:") {
		return otherKind(*t.Arn)
	}
	if x := t.InputTransformer; x != nil {
		template := strings.Join(strings.Fields(aws.ToString(x.InputTemplate)), "")
		if !strings.HasPrefix(template, `{"timestamp":`) || !strings.Contains(template, `"message":`) {
			return invalid("InputTemplate for target %s must be {\"timestamp\":<…>,\"message\":<…>}, as the target is a log group.", *t.Id)
		}
	}
	return nil
}

// logTarget writes an event into a log group, into a stream that each rule has
// for itself.
func (s *Service) logTarget(ctx context.Context, as wire.Principal, d *delivery) error {
	name := logGroup(parseARN(*d.target.Arn)[resourceOfARN])
	at, message := d.event.arrived.UnixMilli(), d.payload
	if d.target.InputTransformer != nil {
		if t, m, ok := readLog(d.payload); ok {
			at, message = t, m
		}
	}
	stream := s.streams[d.rule]
	if stream == "" {
		stream = s.w.UUID()
		s.streams[d.rule] = stream
	}
	put := func() error {
		_, err := wire.Do[cloudwatchlogs.PutLogEventsOutput](ctx, s.c, as, serviceLogs, "PutLogEvents", &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: &name, LogStreamName: &stream,
			LogEvents: []logstypes.InputLogEvent{{Timestamp: aws.Int64(at), Message: aws.String(message)}},
		})
		return err
	}
	err := put()
	if _, missing := errors.AsType[*logstypes.ResourceNotFoundException](err); !missing {
		return err
	}
	_, err = wire.Do[cloudwatchlogs.CreateLogStreamOutput](ctx, s.c, as, serviceLogs, "CreateLogStream", &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: &name, LogStreamName: &stream,
	})
	if err != nil {
		return err
	}
	return put()
}

// readLog reads what a transformer made for a log group. The time is in
// milliseconds or as in events.
func readLog(payload string) (at int64, message string, ok bool) {
	var l struct {
		Timestamp json.RawMessage `json:"timestamp"`
		Message   json.RawMessage `json:"message"`
	}
	if json.Unmarshal([]byte(payload), &l) != nil || len(l.Message) == 0 {
		return 0, "", false
	}
	if json.Unmarshal(l.Message, &message) != nil {
		message = string(l.Message)
	}
	var text string
	if json.Unmarshal(l.Timestamp, &text) == nil {
		t, err := time.Parse(time.RFC3339, text)
		return t.UnixMilli(), message, err == nil
	}
	return at, message, json.Unmarshal(l.Timestamp, &at) == nil
}
