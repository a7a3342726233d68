package dynamodb

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of transactions (API reference, TransactWriteItems and
// TransactGetItems).
const (
	maxTransaction      = 100
	maxTransactionBytes = 4 << 20
)

// The codes of cancellation reasons (API reference,
// TransactionCanceledException).
const (
	reasonNone       = "None"
	reasonCondition  = "ConditionalCheckFailed"
	reasonValidation = "ValidationError"
)

func (s *Service) transactWriteItems(_ *wire.Call, in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	if err := checkTransaction(len(in.TransactItems)); err != nil {
		return nil, err
	}
	writes := make([]*write, len(in.TransactItems))
	for i, item := range in.TransactItems {
		r, err := transactRequest(item)
		if err != nil {
			return nil, err
		}
		if writes[i], err = s.understand(r); err != nil {
			return nil, err
		}
	}
	repeated, err := s.recall(in)
	if err != nil {
		return nil, err
	}
	if repeated {
		return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: reread(in.ReturnConsumedCapacity, writes)}, nil
	}
	if err := decideAll(writes); err != nil {
		return nil, err
	}
	m := newMeter(in.ReturnConsumedCapacity, inTransaction(writeCost()))
	for _, w := range writes {
		m.charge(w.target, w.size())
		w.commit()
	}
	s.remember(in)
	return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: m.all()}, nil
}

// reread is the capacity that a repeated transaction takes: that of reading
// the items ("Amazon DynamoDB transactions: how it works", idempotency).
func reread(level ddbtypes.ReturnConsumedCapacity, writes []*write) []ddbtypes.ConsumedCapacity {
	m := newMeter(level, inTransaction(readCost(true)))
	for _, w := range writes {
		if w.locate() == nil {
			m.charge(w.target, attr.Size(w.before))
		}
	}
	return m.all()
}

func checkTransaction(items int) error {
	switch {
	case items == 0:
		return attr.Invalid("1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1")
	case items > maxTransaction:
		return attr.Invalid("1 validation error detected: Value '[%d items]' at 'transactItems' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", items, maxTransaction)
	}
	return nil
}

func transactRequest(item ddbtypes.TransactWriteItem) (request, error) {
	var all []request
	if c := item.ConditionCheck; c != nil {
		if c.ConditionExpression == nil {
			return request{}, missing("transactItems.member.conditionCheck.conditionExpression")
		}
		all = append(all, request{
			table: c.TableName, key: c.Key, checkOnly: true, condition: c.ConditionExpression,
			names: c.ExpressionAttributeNames, values: c.ExpressionAttributeValues, onFailure: c.ReturnValuesOnConditionCheckFailure,
		})
	}
	if p := item.Put; p != nil {
		if p.Item == nil {
			return request{}, missing("transactItems.member.put.item")
		}
		all = append(all, request{
			table: p.TableName, item: p.Item, condition: p.ConditionExpression,
			names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues, onFailure: p.ReturnValuesOnConditionCheckFailure,
		})
	}
	if d := item.Delete; d != nil {
		all = append(all, request{
			table: d.TableName, key: d.Key, remove: true, condition: d.ConditionExpression,
			names: d.ExpressionAttributeNames, values: d.ExpressionAttributeValues, onFailure: d.ReturnValuesOnConditionCheckFailure,
		})
	}
	if u := item.Update; u != nil {
		if u.UpdateExpression == nil {
			return request{}, missing("transactItems.member.update.updateExpression")
		}
		all = append(all, request{
			table: u.TableName, key: u.Key, condition: u.ConditionExpression, update: u.UpdateExpression,
			names: u.ExpressionAttributeNames, values: u.ExpressionAttributeValues, onFailure: u.ReturnValuesOnConditionCheckFailure,
		})
	}
	if len(all) != 1 {
		return request{}, attr.Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return all[0], nil
}

// decideAll works out all writes of a transaction, or says why it cannot
// happen. All items are looked at, so that every reason is told.
func decideAll(writes []*write) error {
	reasons := make([]ddbtypes.CancellationReason, len(writes))
	codes := make([]string, len(writes))
	seen := map[string]bool{}
	size, failed := 0, false
	for i, w := range writes {
		err := w.locate()
		if err == nil {
			id := identity(w.target, w.row)
			if seen[id] {
				return attr.Invalid("Transaction request cannot include multiple operations on one item")
			}
			seen[id] = true
			err = w.decide()
		}
		reasons[i] = reason(err)
		codes[i] = *reasons[i].Code
		failed = failed || err != nil
		size += w.size()
	}
	switch {
	case failed:
		return &ddbtypes.TransactionCanceledException{
			Message: aws.String("Transaction cancelled, please refer cancellation reasons for specific reasons [" +
				strings.Join(codes, ", ") + "]"),
			CancellationReasons: reasons,
		}
	case size > maxTransactionBytes:
		return attr.Invalid("The aggregate size of the items in the transaction cannot exceed 4 MB")
	}
	return nil
}

// reason is what became of one item of a cancelled transaction.
func reason(err error) ddbtypes.CancellationReason {
	if err == nil {
		return ddbtypes.CancellationReason{Code: aws.String(reasonNone)}
	}
	if failed, ok := errors.AsType[*ddbtypes.ConditionalCheckFailedException](err); ok {
		return ddbtypes.CancellationReason{
			Code:    aws.String(reasonCondition),
			Message: failed.Message,
			Item:    failed.Item,
		}
	}
	r := ddbtypes.CancellationReason{Code: aws.String(reasonValidation), Message: aws.String(err.Error())}
	if invalid, ok := errors.AsType[smithy.APIError](err); ok {
		r.Message = aws.String(invalid.ErrorMessage())
	}
	return r
}

func (s *Service) transactGetItems(_ *wire.Call, in *dynamodb.TransactGetItemsInput) (*dynamodb.TransactGetItemsOutput, error) {
	if err := checkTransaction(len(in.TransactItems)); err != nil {
		return nil, err
	}
	m := newMeter(in.ReturnConsumedCapacity, inTransaction(readCost(true)))
	out := &dynamodb.TransactGetItemsOutput{Responses: make([]ddbtypes.ItemResponse, len(in.TransactItems))}
	seen := map[string]bool{}
	for i, item := range in.TransactItems {
		if item.Get == nil {
			return nil, missing("transactItems.member.get")
		}
		q := item.Get
		g, err := s.get(q.TableName, q.Key, q.ProjectionExpression, q.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		id := identity(g.table, g.row)
		if seen[id] {
			return nil, attr.Invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		m.charge(g.table, attr.Size(g.whole))
		out.Responses[i].Item = g.item
	}
	out.ConsumedCapacity = m.all()
	return out, nil
}
