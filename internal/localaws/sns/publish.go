package sns

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of a message and of a batch (API reference, Publish, PublishBatch).
const (
	maxMessage = 256 * 1024
	maxSubject = 100
	maxBatch   = 10
	maxEntryID = 80
)

// request is a message that somebody wants to publish.
type request struct {
	subject, structure  *string
	body                string
	attributes          map[string]snstypes.MessageAttributeValue
	group, deduplicated *string
}

func (s *Service) publish(c *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	target := aws.ToString(in.TopicArn)
	switch {
	case in.PhoneNumber != nil:
		return nil, unsupported("PhoneNumber")
	case target == "":
		target = aws.ToString(in.TargetArn)
	}
	if target == "" {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	t, err := s.needTopic(&target)
	if err != nil {
		return nil, err
	}
	if err := s.mayPublish(c, t); err != nil {
		return nil, err
	}
	id, err := s.accept(c, t, request{
		subject: in.Subject, structure: in.MessageStructure, body: aws.ToString(in.Message), attributes: in.MessageAttributes,
		group: in.MessageGroupId, deduplicated: in.MessageDeduplicationId,
	})
	if err != nil {
		return nil, err
	}
	return &sns.PublishOutput{MessageId: &id}, nil
}

func (s *Service) publishBatch(c *wire.Call, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	t, err := s.needTopic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	if err := s.mayPublish(c, t); err != nil {
		return nil, err
	}
	out := &sns.PublishBatchOutput{Successful: []snstypes.PublishBatchResultEntry{}, Failed: []snstypes.BatchResultErrorEntry{}}
	for _, e := range in.PublishBatchRequestEntries {
		id, err := s.accept(c, t, request{
			subject: e.Subject, structure: e.MessageStructure, body: aws.ToString(e.Message), attributes: e.MessageAttributes,
			group: e.MessageGroupId, deduplicated: e.MessageDeduplicationId,
		})
		if err == nil {
			out.Successful = append(out.Successful, snstypes.PublishBatchResultEntry{Id: e.Id, MessageId: &id})
			continue
		}
		failed := snstypes.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError"), Message: aws.String(err.Error())}
		if known, ok := errors.AsType[smithy.APIError](err); ok {
			failed.Code, failed.Message = aws.String(known.ErrorCode()), aws.String(known.ErrorMessage())
			failed.SenderFault = known.ErrorFault() == smithy.FaultClient
		}
		out.Failed = append(out.Failed, failed)
	}
	return out, nil
}

func checkBatch(entries []snstypes.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return &snstypes.EmptyBatchRequestException{Message: aws.String("The batch request doesn't contain any entries.")}
	case len(entries) > maxBatch:
		return &snstypes.TooManyEntriesInBatchRequestException{Message: aws.String("The batch request contains more entries than permissible.")}
	}
	var ids []string
	size := 0
	for _, e := range entries {
		id := aws.ToString(e.Id)
		if err := checkEntryID(id); err != nil {
			return err
		}
		if slices.Contains(ids, id) {
			return &snstypes.BatchEntryIdsNotDistinctException{Message: aws.String("Two or more batch entries in the request have the same Id.")}
		}
		ids = append(ids, id)
		size += len(aws.ToString(e.Message))
	}
	if size > maxMessage {
		return &snstypes.BatchRequestTooLongException{Message: aws.String("The length of all the messages put together is more than the limit.")}
	}
	return nil
}

// checkEntryID checks what names an entry of a batch (API reference,
// PublishBatchRequestEntry; the texts as recorded from AWS in public test
// snapshots).
func checkEntryID(id string) error {
	text := ""
	switch {
	case len(id) > maxEntryID:
		text = "The Id of a batch entry in the batch request is too long: " + id
	case !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(id):
		text = "The Id of a batch entry in the batch request contains an impermissible character: " + id
	default:
		return nil
	}
	return &snstypes.InvalidBatchEntryIdException{Message: &text}
}

// accept checks a message, logs it and sends it on its way.
func (s *Service) accept(c *wire.Call, t *topic, r request) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	bodies, err := r.bodies()
	if err != nil {
		return "", err
	}
	m := Message{
		ID: s.world.UUID(), TopicARN: t.arn, Subject: aws.ToString(r.subject), Body: r.body,
		Attributes: r.attributes, At: s.world.Now().UTC(), Publisher: c.Principal,
	}
	t.published = append(t.published, m)
	if len(t.published) > keepPublished {
		t.published = slices.Delete(t.published, 0, len(t.published)-keepPublished)
	}
	for _, sub := range s.subscribers(t.arn) {
		if sub.pending || !sub.filter.passes(r.attributes) {
			continue
		}
		copied := m
		if body, ok := bodies[sub.protocol]; ok {
			copied.Body = body
		} else if bodies != nil {
			copied.Body = bodies["default"]
		}
		s.deliver(c.Context, sub.arn, copied)
	}
	return m.ID, nil
}

func (r request) check() error {
	switch {
	case r.body == "":
		return invalid("Empty message")
	case len(r.body) > maxMessage:
		return invalid("Message too long")
	case r.group != nil:
		return unsupported("MessageGroupId")
	case r.deduplicated != nil:
		return invalid("The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case r.structure != nil && *r.structure != "json":
		return invalid("MessageStructure Reason: Invalid value %s", *r.structure)
	case r.subject != nil && !validSubject(*r.subject):
		return invalid("Subject")
	}
	return r.checkAttributes()
}

func validSubject(subject string) bool {
	return subject != "" && len(subject) <= maxSubject && !strings.ContainsFunc(subject, func(c rune) bool { return c < ' ' })
}

func (r request) checkAttributes() error {
	for _, name := range slices.Sorted(maps.Keys(r.attributes)) {
		if text := badAttribute(name, r.attributes[name]); text != "" {
			return &snstypes.InvalidParameterValueException{Message: &text}
		}
	}
	return nil
}

// badAttribute says what is wrong with a message attribute, in AWS's words (as
// recorded in public test snapshots).
func badAttribute(name string, a snstypes.MessageAttributeValue) string {
	kind, _, _ := strings.Cut(aws.ToString(a.DataType), ".")
	field, used, other := "String", len(aws.ToString(a.StringValue)), len(a.BinaryValue)
	if kind == "Binary" {
		field, used, other = "Binary", other, used
	}
	switch {
	case kind != "String" && kind != "Number" && kind != "Binary":
		return "The message attribute '" + name + "' has an invalid message attribute type, " +
			"the set of supported type prefixes is Binary, Number, and String."
	case other > 0:
		return "The message attribute '" + name + "' with type '" + kind + "' must use field '" + field + "'."
	case used == 0:
		return "The message attribute '" + name + "' must contain non-empty message attribute value for message attribute type '" + kind + "'."
	default:
		return ""
	}
}

// bodies is the message of each protocol if MessageStructure is json.
func (r request) bodies() (map[string]string, error) {
	if r.structure == nil {
		return nil, nil //nolint:nilnil // one body for all
	}
	var parts map[string]any
	if err := json.Unmarshal([]byte(r.body), &parts); err != nil {
		return nil, invalid("Message Structure - JSON message body failed to parse")
	}
	bodies := map[string]string{}
	for protocol, part := range parts {
		if text, ok := part.(string); ok {
			bodies[protocol] = text
		}
	}
	if _, ok := bodies["default"]; !ok {
		return nil, invalid("Message Structure - No default entry in JSON message body")
	}
	return bodies, nil
}
