package logs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of an answer (API reference, GetLogEvents and FilterLogEvents).
const (
	maxRead       = 10_000
	maxAnswer     = 1_048_576
	maxStreamList = 100
)

// The tokens of GetLogEvents: a direction and the id of the log event that was
// given last in it.
const (
	forward  = "f/"
	backward = "b/"
	tail     = "/s"
)

// noID is before every log event's id.
var noID = strings.Repeat("0", 56) //nolint:gochecknoglobals // a constant

func readLimit(limit *int32) (int, error) {
	if limit == nil {
		return maxRead, nil
	}
	bound := ""
	switch {
	case *limit < 1:
		bound = "greater than or equal to 1"
	case *limit > maxRead:
		bound = fmt.Sprintf("less than or equal to %d", maxRead)
	}
	if bound != "" {
		return 0, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value %s", *limit, bound)
	}
	return int(*limit), nil
}

func (s *Service) getEvents(c *wire.Call, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	if in.Unmask {
		return nil, invalid("Parameter unmask is not supported by the local AWS.")
	}
	g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.asks(c.Context, g.key, s.arn(g), encryption.Keys.Decrypt); err != nil {
		return nil, err
	}
	st, err := g.stream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	limit, err := readLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	events := st.between(max(s.kept(g), aws.ToInt64(in.StartTime)), in.EndTime)
	ahead := aws.ToBool(in.StartFromHead)
	last := noID
	if in.NextToken != nil {
		if ahead, last, err = readToken(*in.NextToken); err != nil {
			return nil, err
		}
		events = slices.DeleteFunc(events, func(e event) bool { return ahead == (e.id() <= last) || e.id() == last })
	}
	events = cut(events, limit, ahead)
	out := &cloudwatchlogs.GetLogEventsOutput{
		NextForwardToken: aws.String(forward + last + tail), NextBackwardToken: aws.String(backward + last + tail), Events: []logstypes.OutputLogEvent{},
	}
	if len(events) > 0 {
		out.NextForwardToken = aws.String(forward + events[len(events)-1].id() + tail)
		out.NextBackwardToken = aws.String(backward + events[0].id() + tail)
	}
	for _, e := range events {
		out.Events = append(out.Events, logstypes.OutputLogEvent{
			Timestamp: aws.Int64(e.time), IngestionTime: aws.Int64(e.ingested), Message: aws.String(e.message),
		})
	}
	return out, nil
}

// between are the log events from one time until before another.
func (st *stream) between(from int64, to *int64) []event {
	return slices.DeleteFunc(slices.Clone(st.events), func(e event) bool { return e.time < from || to != nil && e.time >= *to })
}

// readToken takes a token of GetLogEvents apart.
func readToken(token string) (ahead bool, last string, err error) {
	ahead = strings.HasPrefix(token, forward)
	last = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(token, forward), backward), tail)
	if len(last) != len(noID) || token != forward+last+tail && token != backward+last+tail {
		return false, "", invalid("The specified nextToken is invalid.")
	}
	return ahead, last, nil
}

// cut leaves the first or the last log events, as many as an answer may have.
func cut(events []event, limit int, ahead bool) []event {
	size, n := 0, 0
	for n < len(events) && n < limit {
		i := n
		if !ahead {
			i = len(events) - 1 - n
		}
		size += len(events[i].message) + overhead
		if size > maxAnswer && n > 0 {
			break
		}
		n++
	}
	if ahead {
		return events[:n]
	}
	return events[len(events)-n:]
}

// found is a log event with its stream.
type found struct {
	event
	stream string
}

func (s *Service) filterEvents(c *wire.Call, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if in.Unmask {
		return nil, invalid("Parameter unmask is not supported by the local AWS.")
	}
	g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.asks(c.Context, g.key, s.arn(g), encryption.Keys.Decrypt); err != nil {
		return nil, err
	}
	limit, err := readLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	pattern, err := filter.Parse(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, invalid("%s", err)
	}
	streams, err := g.chosen(in)
	if err != nil {
		return nil, err
	}
	all := s.search(g, streams, pattern, in)
	if in.NextToken != nil {
		all = slices.DeleteFunc(all, func(f found) bool { return f.id() <= *in.NextToken })
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []logstypes.FilteredLogEvent{}, SearchedLogStreams: []logstypes.SearchedLogStream{}}
	size := 0
	for i, f := range all {
		size += len(f.message) + overhead
		if i == limit || size > maxAnswer && i > 0 {
			out.NextToken = aws.String(all[i-1].id())
			break
		}
		out.Events = append(out.Events, logstypes.FilteredLogEvent{
			EventId: aws.String(f.id()), LogStreamName: aws.String(f.stream), Message: aws.String(f.message),
			Timestamp: aws.Int64(f.time), IngestionTime: aws.Int64(f.ingested),
		})
	}
	return out, nil
}

// chosen are the streams that a search shall look into.
func (g *group) chosen(in *cloudwatchlogs.FilterLogEventsInput) ([]*stream, error) {
	if t := in.NextToken; t != nil && (len(*t) != len(noID) || strings.Trim(*t, "0123456789") != "") {
		return nil, invalid("The specified nextToken is invalid.")
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
	}
	if len(in.LogStreamNames) > maxStreamList {
		return nil, invalid("1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxStreamList)
	}
	var streams []*stream
	for _, name := range in.LogStreamNames {
		st, err := g.stream(&name)
		if err != nil {
			return nil, err
		}
		streams = append(streams, st)
	}
	if len(in.LogStreamNames) > 0 {
		return streams, nil
	}
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if strings.HasPrefix(name, aws.ToString(in.LogStreamNamePrefix)) {
			streams = append(streams, g.streams[name])
		}
	}
	return streams, nil
}

// search finds what matches, in the order of the log events. Both ends of the
// time range belong to it (API reference, FilterLogEvents).
func (s *Service) search(g *group, streams []*stream, pattern *filter.Pattern, in *cloudwatchlogs.FilterLogEventsInput) []found {
	kept := s.kept(g)
	var all []found
	for _, st := range streams {
		for _, e := range st.events {
			if e.time >= kept && (in.StartTime == nil || e.time >= *in.StartTime) && (in.EndTime == nil || e.time <= *in.EndTime) &&
				pattern.Match(e.message) {
				all = append(all, found{e, st.name})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int { return order(a.event, b.event) })
	return all
}
