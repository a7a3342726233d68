// Package eventbridge is Amazon EventBridge in the local AWS: event buses,
// rules with patterns and schedules, and delivery to queues, functions, topics,
// log groups, pipelines and other buses with retries and dead-letter queues, on the virtual clock.
//
// It delivers every event once, in order of arrival, where AWS promises at
// least once and no order; a fault plan is where duplicates and losses come
// from. Archives keep events, and replays bring them once more. It has no
// pipes, connections, API destinations, endpoints or partner sources. A target of another kind is refused when it is
// put. Policies of buses are kept here and evaluated elsewhere.
package eventbridge

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// defaultBus is the bus that every account has.
const defaultBus = "default"

// Service is the state of Amazon EventBridge in one account and region.
type Service struct {
	w         *world.World
	c         wire.Caller
	buses     map[string]*bus               // by name
	tags      map[string]map[string]string  // by ARN
	archives  map[string]*archive           // by name
	replays   map[string]*replay            // by name
	streams   map[string]string             // of log groups, by the ARN of the rule that writes there
	sent      []*delivery                   // under way, in the order of their events
	observers []func(event json.RawMessage) `state:"-"`
}

// bus is one event bus.
type bus struct {
	name, arn   string
	description *string
	created     time.Time
	changed     time.Time
	rules       map[string]*rule // by name
	policy      policy
}

// New makes the service with the default bus.
func New(w *world.World, c wire.Caller) *Service {
	s := &Service{w: w, c: c, buses: map[string]*bus{}, tags: map[string]map[string]string{}, streams: map[string]string{}, archives: map[string]*archive{}, replays: map[string]*replay{}}
	s.buses[defaultBus] = s.newBus(defaultBus, nil)
	return s
}

// Observe registers an observer that is called with every event that a bus
// accepts or a schedule makes, before any rule sees it and with the lock held.
func (s *Service) Observe(f func(event json.RawMessage)) { s.observers = append(s.observers, f) }

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "events", Protocol: wire.JSON11, Target: "AWSEvents", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CancelReplay", s.cancelReplay),
			wire.Op("CreateArchive", s.createArchive),
			wire.Op("CreateEventBus", s.createEventBus),
			wire.Op("DeleteArchive", s.deleteArchive),
			wire.Op("DeleteEventBus", s.deleteEventBus),
			wire.Op("DeleteRule", s.deleteRule),
			wire.Op("DescribeArchive", s.describeArchive),
			wire.Op("DescribeEventBus", s.describeEventBus),
			wire.Op("DescribeReplay", s.describeReplay),
			wire.Op("DescribeRule", s.describeRule),
			wire.Op("DisableRule", s.disableRule),
			wire.Op("EnableRule", s.enableRule),
			wire.Op("ListArchives", s.listArchives),
			wire.Op("ListEventBuses", s.listEventBuses),
			wire.Op("ListReplays", s.listReplays),
			wire.Op("ListRuleNamesByTarget", s.listRuleNamesByTarget),
			wire.Op("ListRules", s.listRules),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("ListTargetsByRule", s.listTargetsByRule),
			wire.Op("PutEvents", s.putEvents),
			wire.Op("PutPermission", s.putPermission),
			wire.Op("PutRule", s.putRule),
			wire.Op("PutTargets", s.putTargets),
			wire.Op("RemovePermission", s.removePermission),
			wire.Op("RemoveTargets", s.removeTargets),
			wire.Op("StartReplay", s.startReplay),
			wire.Op("TagResource", s.tagResource),
			wire.Op("TestEventPattern", s.testEventPattern),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateArchive", s.updateArchive),
			wire.Op("UpdateEventBus", s.updateEventBus),
		},
	}
}

// bus finds a bus by name or ARN. None is the default bus.
func (s *Service) bus(nameOrARN *string) (*bus, error) {
	name := aws.ToString(nameOrARN)
	if name == "" {
		name = defaultBus
	}
	if strings.HasPrefix(name, "arn:") {
		for _, b := range s.buses {
			if b.arn == name {
				return b, nil
			}
		}
	} else if b := s.buses[name]; b != nil {
		return b, nil
	}
	return nil, notFound("Event bus %s does not exist.", name)
}

// rule finds a rule.
func (s *Service) rule(name, busName *string) (*rule, error) {
	b, err := s.bus(busName)
	if err != nil {
		return nil, err
	}
	r := b.rules[aws.ToString(name)]
	if r == nil {
		return nil, notFound("Rule %s does not exist on EventBus %s.", aws.ToString(name), b.name)
	}
	return r, nil
}

func (s *Service) arn(resource string) string {
	return "arn:aws:events:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

func notFound(format string, args ...any) error {
	return &ebtypes.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// refuse is the error for a parameter that AWS knows and this service does not.
func refuse(parameter string) error {
	return invalid("Parameter %s is not supported by the local AWS.", parameter)
}

// isName reports whether s can be the name of a rule or bus (EventBridge API
// reference: \.\-_A-Za-z0-9, and a slash in a bus).
func isName(s, more string, limit int) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r) {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// maxPage is the largest page of a list (EventBridge API reference, ListRules).
const maxPage = 100

// page cuts sorted names into pages. The token is the last name before.
func page(names []string, limit *int32, token *string) (out []string, next *string, err error) {
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	if size < 1 || size > maxPage {
		return nil, nil, invalid("Value '%d' at 'limit' failed to satisfy constraint: Member must be between 1 and %d", size, maxPage)
	}
	out = []string{} // an empty list is there
	for _, name := range names {
		if name <= aws.ToString(token) {
			continue
		}
		if len(out) == size {
			return out, aws.String(out[size-1]), nil
		}
		out = append(out, name)
	}
	return out, nil, nil
}
