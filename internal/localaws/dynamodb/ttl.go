package dynamodb

import (
	"slices"
	"time"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// sweepEvery is how often expired items go. DynamoDB promises only "within a
// few days" (developer guide, "Using time to live (TTL)"); until then they can
// still be read, written and queried.
const sweepEvery = time.Hour

// oldest is how long ago an item may have expired and still be deleted: an
// older time is taken for a mistake (same page: five years).
const oldest = 5 * 365 * 24 * time.Hour

// ttl is a table's time to live.
type ttl struct {
	attribute string // empty while disabled
	swept     time.Time
}

// sweep deletes what expired before the last full hour since time to live was
// enabled. Every request sweeps first, so that it looks as if a sweeper ran
// each hour, without a timer that would keep a fast clock running for ever.
func (t *table) sweep(now time.Time) {
	hours := now.Sub(t.ttl.swept).Truncate(sweepEvery)
	if t.ttl.attribute == "" || hours <= 0 {
		return
	}
	t.ttl.swept = t.ttl.swept.Add(hours)
	t.rows = slices.DeleteFunc(t.rows, func(r *row) bool { return t.ttl.expired(r.item, t.ttl.swept) })
}

// expired says whether the sweeper of the given time deletes the item.
func (l ttl) expired(item attr.Item, at time.Time) bool {
	v, ok := item[l.attribute].(*ddbtypes.AttributeValueMemberN)
	if !ok {
		return false
	}
	due, err := attr.ParseNumber(v.Value)
	if err != nil {
		return false
	}
	return due.Compare(attr.Int(at.Unix())) < 0 && due.Compare(attr.Int(at.Add(-oldest).Unix())) >= 0
}
