package table

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const outboxPartition = "outbox"

// WithOutbox returns the same ledger, in which a record that is appended also waits to
// be sent to the hub: if there is one. Where there is none it costs nothing.
func (t *Table) WithOutbox(hub bool) *Table {
	with := *t
	with.outbox = hub
	return &with
}

// room reports whether a record can be stored, and sent if it is to be.
func (t *Table) room(doc []byte) bool {
	if !t.outbox || len(doc) > limit {
		return len(doc) <= limit
	}
	text, err := json.Marshal(string(doc))
	return err == nil && len(text) <= events.MaxRecord
}

func recordKey(t deploy.Target, seq int) item {
	return key(targetPartition(t), fmt.Sprintf("record#%012d", seq))
}

func letterKey(l ledger.Letter) item {
	return key(outboxPartition, fmt.Sprintf("%s#%s#%012d", stamp(l.At), l.Target, l.Seq))
}

// letter is the step that puts a record into the outbox. It names the record, which
// is not changed any more, so the whole of it is stored once.
func (t *Table) letter(r ledger.Record) (step, error) {
	l := ledger.Letter{Target: r.Target, Seq: r.Seq, At: r.At}
	doc, err := json.Marshal(l)
	if err != nil {
		return step{}, fmt.Errorf("write letter %d of %s: %w", r.Seq, r.Target, err)
	}
	row := letterKey(l)
	row[attrDoc] = text(string(doc))
	return t.stepPut(row), nil
}

// Waiting implements the ledger. n is 100 at most.
func (t *Table) Waiting(ctx context.Context, after ledger.Letter, n int) ([]ledger.Letter, error) {
	expression := "#pk = :pk"
	in := &dynamodb.QueryInput{
		TableName: &t.name, KeyConditionExpression: &expression, ExpressionAttributeNames: names(expression),
		ExpressionAttributeValues: item{":pk": text(outboxPartition)}, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(min(n, batch))), //nolint:gosec // at most 100
	}
	if after.Seq > 0 {
		in.ExclusiveStartKey = letterKey(after)
	}
	out, err := t.api.Query(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("records to send: %w", err)
	}
	var all []ledger.Letter
	var keys []map[string]ddbtypes.AttributeValue
	for _, i := range out.Items {
		l, err := read[ledger.Letter](i)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
		keys = append(keys, recordKey(l.Target, l.Seq))
	}
	if len(all) == 0 {
		return nil, nil
	}
	rows, err := t.batchGet(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("records to send: %w", err)
	}
	return enclose(all, rows)
}

// enclose puts the records into their letters.
func enclose(all []ledger.Letter, rows []item) ([]ledger.Letter, error) {
	texts := make(map[string]string)
	for _, row := range rows {
		texts[row.text(PartitionKey)+" "+row.text(SortKey)] = row.text(attrDoc)
	}
	for i, l := range all {
		at := recordKey(l.Target, l.Seq)
		found, ok := texts[at.text(PartitionKey)+" "+at.text(SortKey)]
		if !ok {
			return nil, fmt.Errorf("records to send: record %d of %s is not there any more; somebody has deleted it", l.Seq, l.Target)
		}
		all[i].Text = found
	}
	return all, nil
}

// Sent implements the ledger.
func (t *Table) Sent(ctx context.Context, all []ledger.Letter) error {
	for some := range slices.Chunk(all, batch) {
		var steps []step
		for _, l := range some {
			steps = append(steps, t.stepDelete(letterKey(l)))
		}
		if err := t.all(ctx, rand.Text(), steps...); err != nil {
			return fmt.Errorf("forget what was sent: %w", err)
		}
	}
	return nil
}
