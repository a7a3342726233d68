package eventbridge

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxBusName is the longest name of a bus (EventBridge API reference, CreateEventBus).
const maxBusName = 256

func (s *Service) newBus(name string, description *string) *bus {
	return &bus{
		name: name, arn: s.arn("event-bus/" + name), description: description, created: s.w.Now(), changed: s.w.Now(), rules: map[string]*rule{},
	}
}

func (s *Service) createEventBus(_ *wire.Call, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	name := aws.ToString(in.Name)
	switch {
	case in.EventSourceName != nil:
		return nil, refuse("EventSourceName")
	case in.DeadLetterConfig != nil:
		return nil, refuse("DeadLetterConfig")
	case in.LogConfig != nil:
		return nil, refuse("LogConfig")
	case in.KmsKeyIdentifier != nil:
		return nil, refuse("KmsKeyIdentifier")
	case !isName(name, ".-_", maxBusName) || strings.HasPrefix(name, "aws."): // a slash is in names of partners' buses only
		return nil, invalid("Parameter Name is not valid. Reason: %s is no name of an event bus.", name)
	case s.buses[name] != nil:
		return nil, &ebtypes.ResourceAlreadyExistsException{Message: aws.String("Event bus " + name + " already exists.")}
	}
	b := s.newBus(name, in.Description)
	s.buses[name] = b
	s.tag(b.arn, in.Tags)
	return &eventbridge.CreateEventBusOutput{EventBusArn: aws.String(b.arn), Description: in.Description}, nil
}

// updateEventBus changes the description, which is all of a bus that changes
// here.
func (s *Service) updateEventBus(_ *wire.Call, in *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error) {
	switch {
	case in.DeadLetterConfig != nil:
		return nil, refuse("DeadLetterConfig")
	case in.LogConfig != nil:
		return nil, refuse("LogConfig")
	case in.KmsKeyIdentifier != nil:
		return nil, refuse("KmsKeyIdentifier")
	}
	b, err := s.bus(in.Name)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		b.description, b.changed = in.Description, s.w.Now()
	}
	return &eventbridge.UpdateEventBusOutput{Arn: aws.String(b.arn), Name: aws.String(b.name), Description: b.description}, nil
}

func (s *Service) describeEventBus(_ *wire.Call, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	b, err := s.bus(in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeEventBusOutput{
		Name: aws.String(b.name), Arn: aws.String(b.arn), Description: b.description,
		CreationTime: aws.Time(b.created), LastModifiedTime: aws.Time(b.changed), Policy: b.document(),
	}, nil
}

func (s *Service) listEventBuses(_ *wire.Call, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	names, next, err := page(prefixed(s.buses, in.NamePrefix), in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListEventBusesOutput{NextToken: next, EventBuses: []ebtypes.EventBus{}}
	for _, name := range names {
		b := s.buses[name]
		out.EventBuses = append(out.EventBuses, ebtypes.EventBus{
			Name: aws.String(b.name), Arn: aws.String(b.arn), Description: b.description,
			CreationTime: aws.Time(b.created), LastModifiedTime: aws.Time(b.changed), Policy: b.document(),
		})
	}
	return out, nil
}

// prefixed are the sorted names that begin with a prefix.
func prefixed[V any](m map[string]V, prefix *string) []string {
	names := slices.Sorted(maps.Keys(m))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, aws.ToString(prefix)) })
}

func (s *Service) deleteEventBus(_ *wire.Call, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	b := s.buses[aws.ToString(in.Name)]
	switch {
	case aws.ToString(in.Name) == defaultBus:
		return nil, invalid("Cannot delete event bus default.")
	case b == nil: // no error (EventBridge API reference, DeleteEventBus)
	case len(b.rules) > 0:
		return nil, invalid("Event bus %s can't be deleted since it has rules.", b.name)
	default:
		delete(s.tags, b.arn)
		delete(s.buses, b.name)
	}
	return &eventbridge.DeleteEventBusOutput{}, nil
}

// tag puts tags on a resource.
func (s *Service) tag(arn string, tags []ebtypes.Tag) {
	if s.tags[arn] == nil {
		s.tags[arn] = map[string]string{}
	}
	for _, t := range tags {
		s.tags[arn][aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
}

// tagged finds the tags of a bus or rule.
func (s *Service) tagged(arn *string) (map[string]string, error) {
	if tags, ok := s.tags[aws.ToString(arn)]; ok {
		return tags, nil
	}
	for _, b := range s.buses {
		if b.arn == aws.ToString(arn) {
			s.tag(b.arn, nil)
			return s.tags[b.arn], nil
		}
	}
	return nil, s.noResource(aws.ToString(arn))
}

// noResource says what an ARN names that does not exist (the texts as recorded
// from AWS in public test snapshots).
func (s *Service) noResource(arn string) error {
	prefix := "arn:aws:events:" + s.w.Region + ":" + s.w.Account + ":"
	if name, ok := strings.CutPrefix(arn, prefix+"event-bus/"); ok {
		return notFound("Event bus %s does not exist.", name)
	}
	if name, ok := strings.CutPrefix(arn, prefix+"rule/"); ok {
		bus, rule, ok := strings.Cut(name, "/")
		if !ok {
			bus, rule = defaultBus, name
		}
		return notFound("Rule %s does not exist on EventBus %s.", rule, bus)
	}
	return notFound("Resource %s does not exist.", arn)
}

func (s *Service) tagResource(_ *wire.Call, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	if _, err := s.tagged(in.ResourceARN); err != nil {
		return nil, err
	}
	s.tag(*in.ResourceARN, in.Tags)
	return &eventbridge.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	tags, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(tags, key)
	}
	return &eventbridge.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	tags, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListTagsForResourceOutput{Tags: []ebtypes.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, ebtypes.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out, nil
}
