package eventbridge

import (
	"bytes"
	"cmp"
	"context"
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

const (
	// maxEntries is how many events a request may carry (EventBridge API
	// reference, PutEvents).
	maxEntries = 10
	// maxRequest is how many bytes they may have together: 1 MiB since 2026-01
	// (AWS Compute blog, "More room to build").
	maxRequest = 1 << 20
	// sizeOfTime is what a timestamp counts (EventBridge user guide,
	// "Calculating PutEvents event entry size").
	sizeOfTime = 14
	// seconds is how EventBridge writes a time.
	seconds = "2006-01-02T15:04:05Z"
)

// envelope is an event as targets get it (EventBridge user guide, "Event
// structure"), in the order of the documented examples.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
	ReplayName string          `json:"replay-name,omitempty"` // of an event that comes from an archive
}

// event is an event on its way.
type event struct {
	id      string
	body    json.RawMessage
	decoded pattern.Event `state:"-"`
	arrived time.Time
	hopped  bool // it came from another bus
	// replayed says that it comes from an archive.
	replayed bool
}

func (s *Service) putEvents(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if in.EndpointId != nil {
		return nil, refuse("EndpointId")
	}
	if len(in.Entries) == 0 || len(in.Entries) > maxEntries {
		return nil, invalid("1 validation error detected: Value at 'entries' failed to satisfy constraint: "+
			"Member must have length between 1 and %d", maxEntries)
	}
	total := 0
	for _, e := range in.Entries {
		total += size(e)
	}
	if total > maxRequest {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	out := &eventbridge.PutEventsOutput{}
	for _, e := range in.Entries {
		result := s.accept(c, e)
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

// size is how many bytes an entry counts.
func size(e ebtypes.PutEventsRequestEntry) int {
	n := len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
	if e.Time != nil {
		n += sizeOfTime
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// accept takes one entry, or says why not.
func (s *Service) accept(c *wire.Call, e ebtypes.PutEventsRequestEntry) ebtypes.PutEventsResultEntry {
	if code, message := s.checkEntry(c.Context, c.Principal, e); code != "" {
		return ebtypes.PutEventsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String(message)}
	}
	b, _ := s.bus(e.EventBusName) // checked
	if ev := forwardedBy(c.Context); ev != nil {
		ev.arrived = s.w.Now()
		s.route(context.WithValue(context.WithoutCancel(c.Context), forwarded{}, nil), b, ev)
		return ebtypes.PutEventsResultEntry{EventId: aws.String(ev.id)}
	}
	at := s.w.Now()
	if e.Time != nil {
		at = *e.Time
	}
	ev := s.event(envelope{
		DetailType: *e.DetailType, Source: *e.Source, Time: at.UTC().Format(seconds), Resources: e.Resources, Detail: json.RawMessage(*e.Detail),
		Account: s.sender(c.Principal),
	})
	s.route(context.WithoutCancel(c.Context), b, ev)
	return ebtypes.PutEventsResultEntry{EventId: aws.String(ev.id)}
}

// sender is the account of who puts an event, which the event names whatever its
// entry says, also on the bus of another account (EventBridge user guide, "Event
// structure").
func (s *Service) sender(who wire.Principal) string {
	if arn := parseARN(who.ARN); arn != nil {
		return arn[accountOfARN]
	}
	return s.w.Account
}

// event fills in what every event has.
func (s *Service) event(e envelope) *event {
	e.Version, e.ID, e.Account, e.Region = "0", s.w.UUID(), cmp.Or(e.Account, s.w.Account), s.w.Region
	if e.Resources == nil {
		e.Resources = []string{}
	}
	body := encode(e)
	decoded, _ := pattern.Decode(body) // what was just encoded
	return &event{id: e.ID, body: body, decoded: decoded, arrived: s.w.Now()}
}

// encode writes JSON as it is, without the escapes for HTML.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // only values that came from JSON
	return bytes.TrimRight(b.Bytes(), "\n")
}

// checkEntry returns the error of an entry. The codes are those of the
// EventBridge API reference, PutEventsResultEntry.
func (s *Service) checkEntry(ctx context.Context, who wire.Principal, e ebtypes.PutEventsRequestEntry) (code, message string) {
	for _, f := range []struct {
		name  string
		value *string
	}{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if aws.ToString(f.value) == "" {
			return "InvalidArgument", "Parameter " + f.name + " is not valid. Reason: " + f.name + " is a required argument."
		}
	}
	if strings.HasPrefix(*e.Source, "aws.") && who.Service == "" && !Forwarded(ctx) {
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	}
	if _, err := pattern.Decode([]byte(*e.Detail)); err != nil {
		return "MalformedDetail", "Detail is malformed."
	}
	if _, err := s.bus(e.EventBusName); err != nil {
		return "InvalidArgument", "Event bus " + *e.EventBusName + " does not exist."
	}
	return "", ""
}

// route gives an event to the rules of a bus, in the order of their names.
func (s *Service) route(ctx context.Context, b *bus, e *event) { s.routeTo(ctx, b, e, nil) }

// routeTo gives an event to some of the rules, by their ARNs; none are all.
func (s *Service) routeTo(ctx context.Context, b *bus, e *event, only []string) {
	s.archive(b, e)
	for _, f := range s.observers {
		f(slices.Clone(e.body))
	}
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		if len(only) > 0 && !slices.Contains(only, r.arn) {
			continue
		}
		if r.enabled() && r.pattern != nil && r.pattern.Match(e.decoded) {
			s.deliver(ctx, r, e)
		}
	}
}
