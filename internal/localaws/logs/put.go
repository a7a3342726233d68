package logs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of a batch (API reference, PutLogEvents).
const (
	maxEvents = 10_000
	maxBatch  = 1_048_576
	maxSpan   = 24 * time.Hour
	maxAge    = 14 * day
	maxAhead  = 2 * time.Hour
)

// putEvents stores log events. The sequence token is ignored, as AWS does.
func (s *Service) putEvents(c *wire.Call, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	if in.Entity != nil {
		return nil, invalid("Parameter entity is not supported by the local AWS.")
	}
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	st, err := g.stream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	if err := s.asks(c.Context, g.key, s.arn(g), encryption.Keys.Encrypt); err != nil {
		return nil, err
	}
	from, to, rejected := s.accepted(g, in.LogEvents)
	good := in.LogEvents[from:to]
	if len(good) > 0 {
		if span := *good[len(good)-1].Timestamp - *good[0].Timestamp; span > maxSpan.Milliseconds() {
			return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
		}
		s.store(c, g, st, good)
	}
	return &cloudwatchlogs.PutLogEventsOutput{RejectedLogEventsInfo: rejected}, nil
}

// checkBatch checks what makes AWS refuse a whole batch.
func checkBatch(events []logstypes.InputLogEvent) error {
	if len(events) == 0 || len(events) > maxEvents {
		return invalid("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "+
			"Member must have length between 1 and %d", maxEvents)
	}
	size := 0
	for i, e := range events {
		switch {
		case e.Timestamp == nil || *e.Timestamp < 0:
			return invalid("1 validation error detected: Value at 'logEvents.%d.member.timestamp' failed to satisfy constraint: "+
				"Member must have value greater than or equal to 0", i+1)
		case aws.ToString(e.Message) == "":
			return invalid("1 validation error detected: Value at 'logEvents.%d.member.message' failed to satisfy constraint: "+
				"Member must have length greater than or equal to 1", i+1)
		case i > 0 && *e.Timestamp < *events[i-1].Timestamp:
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		size += len(*e.Message) + overhead
	}
	if size > maxBatch {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBatch)
	}
	return nil
}

// accepted says which part of a batch is taken, and why the rest is not.
func (s *Service) accepted(g *group, events []logstypes.InputLogEvent) (from, to int, rejected *logstypes.RejectedLogEventsInfo) {
	now := s.w.Now()
	old, ahead, kept := millis(now.Add(-maxAge)), millis(now.Add(maxAhead)), s.kept(g)
	var info logstypes.RejectedLogEventsInfo
	to = len(events)
	for i, e := range events {
		index := int32(i)
		switch at := *e.Timestamp; {
		case at < old:
			info.TooOldLogEventEndIndex = aws.Int32(index + 1)
			from = i + 1
		case at < kept:
			info.ExpiredLogEventEndIndex = aws.Int32(index + 1)
			from = i + 1
		case at > ahead && info.TooNewLogEventStartIndex == nil:
			info.TooNewLogEventStartIndex = aws.Int32(index)
			to = i
		}
	}
	if info != (logstypes.RejectedLogEventsInfo{}) {
		rejected = &info
	}
	return from, to, rejected
}

// store adds log events to a stream, and lets everybody see them who waits for
// some.
func (s *Service) store(c *wire.Call, g *group, st *stream, in []logstypes.InputLogEvent) {
	now := s.now()
	fresh := make([]event, 0, len(in))
	for _, e := range in {
		s.events++
		fresh = append(fresh, event{time: *e.Timestamp, ingested: now, serial: s.events, message: *e.Message})
	}
	inOrder := len(st.events) == 0 || st.last() <= fresh[0].time
	st.events = append(st.events, fresh...)
	if !inOrder {
		slices.SortFunc(st.events, order)
	}
	st.ingested = now
	if g.retention > 0 && (g.expiry == nil || !inOrder) {
		s.expire(g)
	}
	s.embedded(c, fresh)
	s.measure(c, g, fresh)
	s.subscribe(c, g, st, fresh)
}
