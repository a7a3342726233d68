package table

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

const (
	// shards is over how many partition keys one alias's outcomes are spread. A
	// partition takes 1,000 writes of 1 KB a second (developer guide, "DynamoDB
	// burst and adaptive capacity"), and one batch of log events is one or two.
	shards = 4
	// kept is how long outcomes are kept after their group. A watch reads them
	// within minutes; the rest is for people who ask later.
	kept = 7 * 24 * time.Hour
)

func outcomePartition(a deploy.Alias, shard uint32) string {
	return "outcomes#" + a.String() + "#" + strconv.FormatUint(uint64(shard), 10)
}

// AddOutcomes implements the ledger. Every part is an item of its own: writing
// it again changes nothing, no writer waits for another, and it costs half of what
// adding to a counter in a transaction does, with the mark that makes that
// repeatable.
func (t *Table) AddOutcomes(ctx context.Context, a deploy.Alias, parts []outcome.Part) error {
	for _, p := range parts {
		row, err := outcomeRow(a, p)
		if err != nil {
			return fmt.Errorf("add outcomes of %s: %w", a, err)
		}
		if _, err := t.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.name, Item: row}); err != nil {
			return fmt.Errorf("add outcomes of %s: %w", a, err)
		}
	}
	return nil
}

func outcomeRow(a deploy.Alias, p outcome.Part) (item, error) {
	doc, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write part of batch %s: %w", p.Batch, err)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.Stream)) // a hash never fails
	row := key(outcomePartition(a, h.Sum32()%shards), stamp(p.Slot)+"#"+p.Batch)
	row[attrDoc] = text(string(doc))
	row[TimeToLive] = number(int(p.Slot.Add(kept).Unix()))
	return row, nil
}

// Outcomes implements the ledger.
func (t *Table) Outcomes(ctx context.Context, a deploy.Alias, from, to time.Time) ([]outcome.Count, error) {
	var parts []outcome.Part
	for shard := range uint32(shards) {
		// Keys go on after the time: those of to itself are behind it.
		rows, err := t.query(ctx, outcomePartition(a, shard), stamp(from.Add(-outcome.Lookback)), stamp(to))
		if err != nil {
			return nil, fmt.Errorf("outcomes of %s: %w", a, err)
		}
		some, err := readAll[outcome.Part](rows)
		if err != nil {
			return nil, fmt.Errorf("outcomes of %s: %w", a, err)
		}
		parts = append(parts, some...)
	}
	return outcome.Sum(parts, from, to), nil
}
