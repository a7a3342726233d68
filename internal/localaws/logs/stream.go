package logs

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// overhead is what each log event counts besides its message (API reference,
// PutLogEvents).
const overhead = 26

// stream is one log stream.
type stream struct {
	name     string
	created  int64
	events   []event // by time, then in order of arrival
	ingested int64   // when the last log event arrived; 0 if none has
}

// event is one log event.
type event struct {
	time, ingested int64
	serial         int64 // counts all log events of the service
	message        string
}

// id is a log event's id: 56 digits that order as the log events do.
func (e event) id() string { return fmt.Sprintf("%019d%037d", e.time, e.serial) }

// order compares by time, then by arrival.
func order(a, b event) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.serial, b.serial))
}

func (st *stream) bytes() int64 {
	var n int64
	for _, e := range st.events {
		n += int64(len(e.message)) + overhead
	}
	return n
}

func (g *group) stream(name *string) (*stream, error) {
	if st := g.streams[aws.ToString(name)]; st != nil {
		return st, nil
	}
	return nil, noStream()
}

func (s *Service) createStream(_ *wire.Call, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogStreamName)
	if name == "" || len(name) > 512 || !regexp.MustCompile(`^[^:*]*$`).MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [^:*]*", name)
	}
	if g.streams[name] != nil {
		return nil, &logstypes.ResourceAlreadyExistsException{Message: aws.String("The specified log stream already exists")}
	}
	g.streams[name] = &stream{name: name, created: s.now()}
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

func (s *Service) deleteStream(_ *wire.Call, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	st, err := g.stream(in.LogStreamName)
	if err != nil {
		return nil, err
	}
	delete(g.streams, st.name)
	return &cloudwatchlogs.DeleteLogStreamOutput{}, nil
}

func (s *Service) describeStreams(_ *wire.Call, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == logstypes.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	var found []*stream
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if strings.HasPrefix(name, aws.ToString(in.LogStreamNamePrefix)) {
			found = append(found, g.streams[name])
		}
	}
	key := func(st *stream) string { return st.name }
	if byTime {
		key = func(st *stream) string { return fmt.Sprintf("%019d %s", st.last(), st.name) }
		slices.SortFunc(found, func(a, b *stream) int { return strings.Compare(key(a), key(b)) })
	}
	found, next, err := pageEitherWay(found, key, aws.ToBool(in.Descending), in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{NextToken: next, LogStreams: []logstypes.LogStream{}}
	for _, st := range found {
		out.LogStreams = append(out.LogStreams, s.describeStream(g, st))
	}
	return out, nil
}

// pageEitherWay is page, or the same from the end.
func pageEitherWay[T any](all []T, key func(T) string, backwards bool, limit *int32, token *string) ([]T, *string, error) {
	if !backwards {
		return page(all, key, limit, token)
	}
	slices.Reverse(all)
	if token != nil {
		from := slices.IndexFunc(all, func(item T) bool { return key(item) < *token })
		if from < 0 {
			from = len(all)
		}
		all = all[from:]
	}
	head, next, err := page(all, func(T) string { return "" }, limit, nil)
	if next != nil {
		next = aws.String(key(head[len(head)-1]))
	}
	return head, next, err
}

// last is the time of the newest log event, 0 if there is none.
func (st *stream) last() int64 {
	if len(st.events) == 0 {
		return 0
	}
	return st.events[len(st.events)-1].time
}

func (s *Service) describeStream(g *group, st *stream) logstypes.LogStream {
	d := logstypes.LogStream{
		Arn: aws.String(s.arn(g) + ":log-stream:" + st.name), CreationTime: aws.Int64(st.created), LogStreamName: aws.String(st.name),
		StoredBytes: aws.Int64(0), //nolint:staticcheck // as AWS reports since 2019 (API reference, LogStream)
	}
	if len(st.events) > 0 {
		d.FirstEventTimestamp, d.LastEventTimestamp = aws.Int64(st.events[0].time), aws.Int64(st.last())
	}
	if st.ingested > 0 {
		d.LastIngestionTime = aws.Int64(st.ingested)
	}
	return d
}
