package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// searcher is the part of *cloudwatchlogs.Client that finds what was logged.
type searcher interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

// Searcher reads what functions have logged. It changes nothing.
type Searcher struct{ api searcher }

// NewSearcher returns a searcher that calls CloudWatch Logs through client.
func NewSearcher(client searcher) *Searcher { return &Searcher{api: client} }

// maxSearch ends a search whose pages never do, or would not fit into memory. A
// page has up to 10,000 lines or 1 MB (API reference, "FilterLogEvents").
const maxSearch = 3000

// Search returns the lines of a log group from a time until before another that
// [outcome.Read] understands: one batch for each stream, in order.
// outcome.ErrUnavailable if there is no such group.
func (s *Searcher) Search(ctx context.Context, group string, from, to time.Time) ([]events.Logs, error) {
	in := &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, FilterPattern: aws.String(outcome.Pattern()),
		StartTime: aws.Int64(from.UnixMilli()), EndTime: aws.Int64(to.UnixMilli() - 1), // the end belongs to it (same page)
	}
	streams := make(map[string][]events.Line)
	for page := 0; ; page++ {
		if page == maxSearch {
			return nil, fmt.Errorf("search the log %s: more than %d pages of lines: take a shorter time", group, maxSearch)
		}
		out, err := s.api.FilterLogEvents(ctx, in)
		if _, missing := errors.AsType[*logstypes.ResourceNotFoundException](err); missing {
			return nil, fmt.Errorf("search the log %s: %w: there is no such log group", group, outcome.ErrUnavailable)
		}
		if err != nil {
			return nil, fmt.Errorf("search the log %s: %w", group, err)
		}
		for _, e := range out.Events {
			stream := aws.ToString(e.LogStreamName)
			streams[stream] = append(streams[stream], events.Line{
				ID: aws.ToString(e.EventId), At: time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), Text: aws.ToString(e.Message),
			})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return batches(group, streams), nil
		}
	}
}

func batches(group string, streams map[string][]events.Line) []events.Logs {
	var all []events.Logs
	for stream, lines := range streams {
		// Pages are by time, and lines of one millisecond in the order of their ids.
		slices.SortStableFunc(lines, func(a, b events.Line) int { return a.At.Compare(b.At) })
		all = append(all, events.Logs{Group: group, Stream: stream, Lines: lines})
	}
	slices.SortFunc(all, func(a, b events.Logs) int { return strings.Compare(a.Stream, b.Stream) })
	return all
}
