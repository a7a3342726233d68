package bus

import (
	"context"
	"errors"

	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/events"
)

// What one call takes (API reference, PutEvents; EventBridge user guide, "Calculating
// Amazon EventBridge PutEvents event entry size": less than 256 KB, of which a time is
// 14 bytes).
const (
	maxEntries = 10
	maxSize    = 256<<10 - 1
	timeSize   = 14
)

// Records sends records to the hub's bus, which is named by ARN, in as few calls as
// can be, and reports which of them it has taken. The error says why it has not taken
// all.
func (c *Client) Records(ctx context.Context, arn string, all []events.Recorded) ([]bool, error) {
	taken := make([]bool, len(all))
	var errs []error
	var entries []ebtypes.PutEventsRequestEntry
	var first, size int // of the entries: which of all the first one is, and what they have together
	flush := func() {
		if len(entries) == 0 {
			return
		}
		failed, err := c.put(ctx, arn, entries)
		errs = append(append(errs, err), failed...)
		for i := range failed {
			taken[first+i] = failed[i] == nil
		}
		entries, size = nil, 0
	}
	for i, r := range all {
		detail, err := events.NewRecorded(r)
		if err != nil {
			flush()
			errs = append(errs, err)
			continue
		}
		more := len(source) + len(events.TypeRecord) + timeSize + len(detail)
		if len(entries) == maxEntries || size+more > maxSize {
			flush()
		}
		if len(entries) == 0 {
			first = i
		}
		entries, size = append(entries, c.entry(arn, events.TypeRecord, detail)), size+more
	}
	flush()
	return taken, errors.Join(errs...)
}
