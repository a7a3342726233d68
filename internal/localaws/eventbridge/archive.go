package eventbridge

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxArchiveName is the longest name of an archive (EventBridge API reference,
// CreateArchive).
const maxArchiveName = 48

const day = 24 * time.Hour

// archive keeps events of a bus to replay them.
type archive struct {
	name, arn   string
	bus         string // its ARN, which may outlive it
	description *string
	source      *string          // of the pattern
	pattern     *pattern.Pattern `state:"-"`
	retention   int32            // days; 0 is for ever
	created     time.Time
	events      []archived // in the order of their arrival
}

// archived is one event of an archive.
type archived struct {
	at   time.Time // as the event says it
	body json.RawMessage
}

// compile reads the pattern of an archive. One without takes all events.
func (a *archive) compile() error {
	a.pattern = nil
	if aws.ToString(a.source) == "" {
		return nil
	}
	p, err := pattern.Parse(*a.source)
	if err != nil {
		return &ebtypes.InvalidEventPatternException{Message: aws.String(err.Error())}
	}
	a.pattern = p
	return nil
}

// archive gives an event to the archives of a bus. Replayed events are in them
// already (EventBridge user guide, "Archiving and replaying events": the
// managed rule of an archive wants that there is no replay-name).
func (s *Service) archive(b *bus, e *event) {
	if e.replayed {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.archives)) {
		a := s.archives[name]
		if a.bus == b.arn && (a.pattern == nil || a.pattern.Match(e.decoded)) {
			a.events = append(a.events, archived{at: occurred(e), body: slices.Clone(e.body)})
		}
	}
}

// occurred is the time that an event says.
func occurred(e *event) time.Time {
	var said struct {
		Time time.Time `json:"time"`
	}
	if json.Unmarshal(e.body, &said) != nil {
		return e.arrived
	}
	return said.Time
}

// expire drops events that an archive need not keep any longer.
func (s *Service) expire(a *archive) {
	if a.retention == 0 {
		return
	}
	oldest := s.w.Now().Add(-time.Duration(a.retention) * day)
	a.events = slices.DeleteFunc(a.events, func(e archived) bool { return e.at.Before(oldest) })
}

func (s *Service) findArchive(name *string) (*archive, error) {
	a := s.archives[aws.ToString(name)]
	if a == nil {
		return nil, notFound("Archive %s does not exist.", aws.ToString(name))
	}
	s.expire(a)
	return a, nil
}

func (s *Service) createArchive(_ *wire.Call, in *eventbridge.CreateArchiveInput) (*eventbridge.CreateArchiveOutput, error) {
	name := aws.ToString(in.ArchiveName)
	if in.KmsKeyIdentifier != nil {
		return nil, refuse("KmsKeyIdentifier")
	}
	if !isName(name, ".-_", maxArchiveName) {
		return nil, invalid("Parameter ArchiveName is not valid. Reason: %s is no name of an archive.", name)
	}
	if s.archives[name] != nil {
		return nil, &ebtypes.ResourceAlreadyExistsException{Message: aws.String("Archive " + name + " already exists.")}
	}
	if !strings.HasPrefix(aws.ToString(in.EventSourceArn), "arn:") {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: must be the ARN of an event bus.")
	}
	b, err := s.bus(in.EventSourceArn)
	if err != nil {
		return nil, err
	}
	a := &archive{
		name: name, arn: s.arn("archive/" + name), bus: b.arn, description: in.Description, source: in.EventPattern,
		retention: aws.ToInt32(in.RetentionDays), created: s.w.Now(),
	}
	if a.retention < 0 {
		return nil, invalid("Value '%d' at 'retentionDays' failed to satisfy constraint: Member must have value greater than or equal to 0", a.retention)
	}
	if err := a.compile(); err != nil {
		return nil, err
	}
	s.archives[name] = a
	return &eventbridge.CreateArchiveOutput{ArchiveArn: &a.arn, CreationTime: &a.created, State: ebtypes.ArchiveStateEnabled}, nil
}

// updateArchive changes what a request names (EventBridge API reference,
// UpdateArchive). Events that are kept stay.
func (s *Service) updateArchive(_ *wire.Call, in *eventbridge.UpdateArchiveInput) (*eventbridge.UpdateArchiveOutput, error) {
	if in.KmsKeyIdentifier != nil {
		return nil, refuse("KmsKeyIdentifier")
	}
	a, err := s.findArchive(in.ArchiveName)
	if err != nil {
		return nil, err
	}
	changed := *a
	if in.Description != nil {
		changed.description = in.Description
	}
	if in.EventPattern != nil {
		changed.source = in.EventPattern
	}
	if in.RetentionDays != nil {
		changed.retention = *in.RetentionDays
	}
	if err := changed.compile(); err != nil {
		return nil, err
	}
	*a = changed
	return &eventbridge.UpdateArchiveOutput{ArchiveArn: &a.arn, CreationTime: &a.created, State: ebtypes.ArchiveStateEnabled}, nil
}

func (s *Service) deleteArchive(_ *wire.Call, in *eventbridge.DeleteArchiveInput) (*eventbridge.DeleteArchiveOutput, error) {
	a, err := s.findArchive(in.ArchiveName)
	if err != nil {
		return nil, err
	}
	delete(s.archives, a.name)
	return &eventbridge.DeleteArchiveOutput{}, nil
}

func (s *Service) describeArchive(_ *wire.Call, in *eventbridge.DescribeArchiveInput) (*eventbridge.DescribeArchiveOutput, error) {
	a, err := s.findArchive(in.ArchiveName)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeArchiveOutput{
		ArchiveArn: &a.arn, ArchiveName: &a.name, CreationTime: &a.created, Description: a.description, EventPattern: a.source,
		EventSourceArn: &a.bus, RetentionDays: &a.retention, State: ebtypes.ArchiveStateEnabled,
		EventCount: int64(len(a.events)), SizeBytes: a.size(),
	}, nil
}

func (a *archive) size() int64 {
	n := int64(0)
	for _, e := range a.events {
		n += int64(len(e.body))
	}
	return n
}

func (s *Service) listArchives(_ *wire.Call, in *eventbridge.ListArchivesInput) (*eventbridge.ListArchivesOutput, error) {
	wanted := slices.DeleteFunc(prefixed(s.archives, in.NamePrefix), func(name string) bool {
		return in.EventSourceArn != nil && s.archives[name].bus != *in.EventSourceArn ||
			in.State != "" && in.State != ebtypes.ArchiveStateEnabled
	})
	names, next, err := page(wanted, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListArchivesOutput{NextToken: next, Archives: []ebtypes.Archive{}}
	for _, name := range names {
		a := s.archives[name]
		s.expire(a)
		out.Archives = append(out.Archives, ebtypes.Archive{
			ArchiveName: &a.name, CreationTime: &a.created, EventSourceArn: &a.bus, RetentionDays: &a.retention,
			State: ebtypes.ArchiveStateEnabled, EventCount: int64(len(a.events)), SizeBytes: a.size(),
		})
	}
	return out, nil
}
