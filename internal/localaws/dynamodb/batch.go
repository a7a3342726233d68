package dynamodb

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of batches (API reference, BatchGetItem and BatchWriteItem).
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

func (s *Service) batchGetItem(_ *wire.Call, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	if err := checkBatchGet(in.RequestItems); err != nil {
		return nil, err
	}
	out := &dynamodb.BatchGetItemOutput{
		Responses:       map[string][]map[string]ddbtypes.AttributeValue{},
		UnprocessedKeys: map[string]ddbtypes.KeysAndAttributes{},
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		wanted := in.RequestItems[name]
		m := newMeter(in.ReturnConsumedCapacity, readCost(aws.ToBool(wanted.ConsistentRead)))
		done, err := s.batchFrom(name, wanted, m, &size)
		if err != nil {
			return nil, err
		}
		out.Responses[name] = done.items
		if len(done.left) > 0 {
			wanted.Keys = done.left
			out.UnprocessedKeys[name] = wanted
		}
		out.ConsumedCapacity = append(out.ConsumedCapacity, m.all()...)
	}
	return out, nil
}

// batchPart is what was read from one table and the keys of what was not.
type batchPart struct {
	items []map[string]ddbtypes.AttributeValue
	left  []map[string]ddbtypes.AttributeValue
}

func (s *Service) batchFrom(name string, wanted ddbtypes.KeysAndAttributes, m *meter, size *int) (batchPart, error) {
	part := batchPart{items: []map[string]ddbtypes.AttributeValue{}}
	seen := map[string]bool{}
	for _, key := range wanted.Keys {
		g, err := s.get(&name, key, wanted.ProjectionExpression, wanted.ExpressionAttributeNames)
		if err != nil {
			return batchPart{}, err
		}
		id := identity(g.table, g.row)
		if seen[id] {
			return batchPart{}, attr.Invalid("Provided list of item keys contains duplicates")
		}
		seen[id] = true
		if *size += attr.Size(g.whole); *size > maxBatchBytes {
			part.left = append(part.left, attr.CloneItem(key))
			continue
		}
		m.charge(g.table, attr.Size(g.whole))
		if g.item != nil {
			part.items = append(part.items, g.item)
		}
	}
	return part, nil
}

// identity names one item of all tables.
func identity(t *table, r *row) string {
	return attr.Canonical(&ddbtypes.AttributeValueMemberL{Value: []attr.Value{
		&ddbtypes.AttributeValueMemberS{Value: t.name},
		&ddbtypes.AttributeValueMemberB{Value: []byte(r.pk)},
		&ddbtypes.AttributeValueMemberB{Value: []byte(r.sk)},
	}})
}

func checkBatchGet(items map[string]ddbtypes.KeysAndAttributes) error {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(items)) {
		if err := refuse(map[string]bool{"AttributesToGet": items[name].AttributesToGet != nil}); err != nil {
			return err
		}
		if len(items[name].Keys) == 0 {
			return attr.Invalid("1 validation error detected: Value '[]' at 'requestItems.%s.member.keys' "+
				"failed to satisfy constraint: Member must have length greater than or equal to 1", name)
		}
		total += len(items[name].Keys)
	}
	switch {
	case total == 0:
		return emptyBatch()
	case total > maxBatchGet:
		return attr.Invalid("Too many items requested for the BatchGetItem call")
	}
	return nil
}

func emptyBatch() error {
	return attr.Invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: " +
		"Member must have length greater than or equal to 1")
}

func (s *Service) batchWriteItem(_ *wire.Call, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	writes, err := s.batchWrites(in.RequestItems)
	if err != nil {
		return nil, err
	}
	m := newMeter(in.ReturnConsumedCapacity, writeCost())
	for _, w := range writes {
		if err := w.decide(); err != nil {
			return nil, err
		}
		m.charge(w.target, w.size())
		w.commit()
	}
	return &dynamodb.BatchWriteItemOutput{
		ConsumedCapacity: m.all(),
		UnprocessedItems: map[string][]ddbtypes.WriteRequest{},
	}, nil
}

// batchWrites understands all requests of a batch before any of them is done.
func (s *Service) batchWrites(items map[string][]ddbtypes.WriteRequest) ([]*write, error) {
	var writes []*write
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(items)) {
		for _, item := range items[name] {
			r, err := batchRequest(name, item)
			if err != nil {
				return nil, err
			}
			w, err := s.understand(r)
			if err != nil {
				return nil, err
			}
			if err := w.locate(); err != nil {
				return nil, err
			}
			id := identity(w.target, w.row)
			if seen[id] {
				return nil, attr.Invalid("Provided list of item keys contains duplicates")
			}
			seen[id] = true
			writes = append(writes, w)
		}
	}
	switch {
	case len(writes) == 0:
		return nil, emptyBatch()
	case len(writes) > maxBatchWrite:
		return nil, attr.Invalid("Too many items requested for the BatchWriteItem call")
	}
	return writes, nil
}

func batchRequest(name string, item ddbtypes.WriteRequest) (request, error) {
	switch put, remove := item.PutRequest, item.DeleteRequest; {
	case put != nil && remove == nil && put.Item != nil:
		return request{table: &name, item: put.Item}, nil
	case remove != nil && put == nil:
		return request{table: &name, key: remove.Key, remove: true}, nil
	default:
		return request{}, attr.Invalid("Supplied AttributeValue has more than one datatypes set, " +
			"must contain exactly one of the supported datatypes")
	}
}
