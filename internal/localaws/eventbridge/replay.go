package eventbridge

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	// maxReplayName is the longest name of a replay (EventBridge API reference,
	// StartReplay).
	maxReplayName = 64
	// maxReplays is how many replays may run (EventBridge user guide, "Amazon
	// EventBridge quotas").
	maxReplays = 10
	// interval is how much of an archive is replayed at once: "EventBridge
	// replays events in one-minute intervals" (user guide, "Replaying archived
	// events"). How long one takes is assumed.
	interval = time.Minute
	pace     = time.Second
)

// replay is an archive's events on their way once more.
type replay struct {
	name, arn      string
	archive        string // its ARN
	description    *string
	to             ebtypes.ReplayDestination
	from, until    time.Time // of the events
	started, ended time.Time
	state          ebtypes.ReplayState
	reason         *string
	last           time.Time  // of the last event that was replayed
	left           []archived // in the order of their times
	timer          *world.Timer
}

func (r *replay) running() bool {
	return r.state == ebtypes.ReplayStateStarting || r.state == ebtypes.ReplayStateRunning
}

func (s *Service) startReplay(c *wire.Call, in *eventbridge.StartReplayInput) (*eventbridge.StartReplayOutput, error) {
	a, err := s.checkReplay(in)
	if err != nil {
		return nil, err
	}
	name := *in.ReplayName
	r := &replay{
		name: name, arn: s.arn("replay/" + name), archive: a.arn, description: in.Description, to: *in.Destination,
		from: *in.EventStartTime, until: *in.EventEndTime, started: s.w.Now(), state: ebtypes.ReplayStateStarting,
	}
	for _, e := range a.events {
		if !e.at.Before(r.from) && !e.at.After(r.until) {
			r.left = append(r.left, e)
		}
	}
	slices.SortStableFunc(r.left, func(a, b archived) int { return a.at.Compare(b.at) })
	s.replays[name] = r
	s.rerun(context.WithoutCancel(c.Context), r)
	return &eventbridge.StartReplayOutput{ReplayArn: &r.arn, ReplayStartTime: &r.started, State: r.state}, nil
}

// checkReplay checks a request and finds its archive.
func (s *Service) checkReplay(in *eventbridge.StartReplayInput) (*archive, error) {
	name := aws.ToString(in.ReplayName)
	switch {
	case !isName(name, ".-_", maxReplayName):
		return nil, invalid("Parameter ReplayName is not valid. Reason: %s is no name of a replay.", name)
	case s.replays[name] != nil:
		return nil, &ebtypes.ResourceAlreadyExistsException{Message: aws.String("Replay " + name + " already exists.")}
	case in.EventStartTime == nil || in.EventEndTime == nil || !in.EventStartTime.Before(*in.EventEndTime):
		return nil, invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	case in.Destination == nil:
		return nil, invalid("Parameter Destination is not valid. Reason: Destination is a required argument.")
	}
	a := s.archiveOf(aws.ToString(in.EventSourceArn))
	if a == nil {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Event source %s is no archive.", aws.ToString(in.EventSourceArn))
	}
	// "You can only replay events to the event bus from which they were
	// archived" (EventBridge API reference, ReplayDestination).
	if aws.ToString(in.Destination.Arn) != a.bus {
		return nil, invalid("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
	}
	n := 0
	for _, r := range s.replays {
		if r.running() {
			n++
		}
	}
	if n >= maxReplays {
		return nil, &ebtypes.LimitExceededException{Message: aws.String("The requested resource exceeds the maximum number allowed.")}
	}
	return a, nil
}

// archiveOf finds an archive by its ARN.
func (s *Service) archiveOf(arn string) *archive {
	for _, a := range s.archives {
		if a.arn == arn {
			s.expire(a)
			return a
		}
	}
	return nil
}

// rerun plans the next interval of a replay.
func (s *Service) rerun(ctx context.Context, r *replay) {
	r.timer = s.w.After(pace, func() { s.repeat(ctx, r) })
}

// repeat sends the events of one interval, those without events are passed
// over.
func (s *Service) repeat(ctx context.Context, r *replay) {
	r.state = ebtypes.ReplayStateRunning
	b := s.busOf(*r.to.Arn)
	if b == nil {
		r.state, r.reason, r.left, r.ended = ebtypes.ReplayStateFailed, aws.String("The event bus does not exist."), nil, s.w.Now()
		return
	}
	if len(r.left) == 0 {
		r.state, r.ended = ebtypes.ReplayStateCompleted, s.w.Now()
		return
	}
	end := r.left[0].at.Truncate(interval).Add(interval)
	for len(r.left) > 0 && r.left[0].at.Before(end) {
		e := r.left[0]
		r.left, r.last = r.left[1:], e.at
		s.again(ctx, b, r, e)
	}
	s.rerun(ctx, r)
}

// again gives an archived event to the rules of its bus, to those of the
// filter if there is one. It has replay-name and is otherwise what it was
// (EventBridge user guide, "Replaying archived events").
func (s *Service) again(ctx context.Context, b *bus, r *replay, a archived) {
	var e envelope
	if json.Unmarshal(a.body, &e) != nil {
		return // it was written by encode
	}
	e.ReplayName = r.name
	body := encode(e)
	decoded, _ := pattern.Decode(body) // what was just encoded
	s.routeTo(ctx, b, &event{id: e.ID, body: body, decoded: decoded, arrived: s.w.Now(), replayed: true}, r.to.FilterArns)
}

func (s *Service) busOf(arn string) *bus {
	for _, b := range s.buses {
		if b.arn == arn {
			return b
		}
	}
	return nil
}

func (s *Service) findReplay(name *string) (*replay, error) {
	if r := s.replays[aws.ToString(name)]; r != nil {
		return r, nil
	}
	return nil, notFound("Replay %s does not exist.", aws.ToString(name))
}

func (s *Service) describeReplay(_ *wire.Call, in *eventbridge.DescribeReplayInput) (*eventbridge.DescribeReplayOutput, error) {
	r, err := s.findReplay(in.ReplayName)
	if err != nil {
		return nil, err
	}
	to := r.to
	return &eventbridge.DescribeReplayOutput{
		ReplayArn: &r.arn, ReplayName: &r.name, Description: r.description, Destination: &to, EventSourceArn: &r.archive,
		EventStartTime: &r.from, EventEndTime: &r.until, EventLastReplayedTime: set(r.last),
		ReplayStartTime: &r.started, ReplayEndTime: set(r.ended), State: r.state, StateReason: r.reason,
	}, nil
}

// set is a time if there is one.
func set(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Service) listReplays(_ *wire.Call, in *eventbridge.ListReplaysInput) (*eventbridge.ListReplaysOutput, error) {
	wanted := slices.DeleteFunc(prefixed(s.replays, in.NamePrefix), func(name string) bool {
		r := s.replays[name]
		return in.EventSourceArn != nil && r.archive != *in.EventSourceArn || in.State != "" && in.State != r.state
	})
	names, next, err := page(wanted, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListReplaysOutput{NextToken: next, Replays: []ebtypes.Replay{}}
	for _, name := range names {
		r := s.replays[name]
		out.Replays = append(out.Replays, ebtypes.Replay{
			ReplayName: &r.name, EventSourceArn: &r.archive, EventStartTime: &r.from, EventEndTime: &r.until,
			EventLastReplayedTime: set(r.last), ReplayStartTime: &r.started, ReplayEndTime: set(r.ended), State: r.state, StateReason: r.reason,
		})
	}
	return out, nil
}

func (s *Service) cancelReplay(_ *wire.Call, in *eventbridge.CancelReplayInput) (*eventbridge.CancelReplayOutput, error) {
	r, err := s.findReplay(in.ReplayName)
	if err != nil {
		return nil, err
	}
	if !r.running() {
		return nil, &ebtypes.IllegalStatusException{Message: aws.String("Replay " + r.name + " is not in a valid state for this operation.")}
	}
	s.w.Stop(r.timer)
	r.state, r.left, r.ended = ebtypes.ReplayStateCancelled, nil, s.w.Now()
	return &eventbridge.CancelReplayOutput{ReplayArn: &r.arn, State: ebtypes.ReplayStateCancelling}, nil
}
