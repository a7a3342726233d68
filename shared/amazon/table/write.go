package table

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attempts is how often a write is tried that meets others. Each round of
// writers to one item has a winner, so this many can write at once.
const attempts = 20

// slot is how much longer the longest pause gets with every attempt: about
// the time that one transaction takes.
const slot = 10 * time.Millisecond

// errBusy says that others kept writing to the same item.
var errBusy = errors.New("others are writing to the same item")

// A refusal says that a condition did not hold; in is the item in the way.
type refusal struct{ in item }

func (*refusal) Error() string { return "the item is not as expected" }

// A condition is what must be true of the item that is about to be replaced.
// It names attributes as #attribute.
type condition struct {
	text   string
	values item
}

// absent holds where there is no item.
func absent() condition { return condition{text: "attribute_not_exists(#pk)"} }

// put writes an item if the condition holds, else a *refusal is returned.
func (t *Table) put(ctx context.Context, i item, c condition) error {
	return settle(ctx, i.text(attrWrite), func() error {
		_, err := t.api.PutItem(ctx, &dynamodb.PutItemInput{
			TableName:                           &t.name,
			Item:                                i,
			ConditionExpression:                 &c.text,
			ExpressionAttributeNames:            names(c.text),
			ExpressionAttributeValues:           c.values,
			ReturnValuesOnConditionCheckFailure: ddbtypes.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	})
}

// update sets attributes of an item if the condition holds, else a *refusal is
// returned. set must contain the write name.
func (t *Table) update(ctx context.Context, at, set item, c condition) error {
	var change []string
	values := maps.Clone(c.values)
	if values == nil {
		values = make(item)
	}
	for name, value := range set {
		change = append(change, "#"+name+" = :new"+name)
		values[":new"+name] = value
	}
	expression := "SET " + strings.Join(change, ", ")
	return settle(ctx, set.text(attrWrite), func() error {
		_, err := t.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                           &t.name,
			Key:                                 at,
			UpdateExpression:                    &expression,
			ConditionExpression:                 &c.text,
			ExpressionAttributeNames:            names(expression + " " + c.text),
			ExpressionAttributeValues:           values,
			ReturnValuesOnConditionCheckFailure: ddbtypes.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	})
}

// all writes everything or nothing. It returns a *refusal if a condition does
// not hold. token is the write name of the items that have conditions.
func (t *Table) all(ctx context.Context, token string, writes ...ddbtypes.TransactWriteItem) error {
	return settle(ctx, token, func() error {
		_, err := t.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		return err
	})
}

// A step is one write of a transaction.
type step = ddbtypes.TransactWriteItem

func (t *Table) stepPut(i item) step {
	return step{Put: &ddbtypes.Put{TableName: &t.name, Item: i}}
}

func (t *Table) stepPutIf(i item, c condition) step {
	return step{Put: &ddbtypes.Put{
		TableName:                           &t.name,
		Item:                                i,
		ConditionExpression:                 &c.text,
		ExpressionAttributeNames:            names(c.text),
		ExpressionAttributeValues:           c.values,
		ReturnValuesOnConditionCheckFailure: ddbtypes.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

func (t *Table) stepDelete(at item) step {
	return step{Delete: &ddbtypes.Delete{TableName: &t.name, Key: at}}
}

// settle does a write until it is clear whether it was done or refused.
func settle(ctx context.Context, token string, do func() error) error {
	for attempt := range attempts {
		err := classify(do(), token)
		if !errors.Is(err, errBusy) {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy
}

// pause waits a random while, the longer the more attempts were made.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(rand.N(slot * time.Duration(attempt+1))) //nolint:gosec // spreads writers, protects nothing
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for other writers: %w", context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}

// classify turns the answer to a conditional write into nil, a *refusal,
// errBusy or the error as it is.
func classify(err error, token string) error {
	if failed, ok := errors.AsType[*ddbtypes.ConditionalCheckFailedException](err); ok {
		return refuse(failed.Item, token)
	}
	if _, ok := errors.AsType[*ddbtypes.TransactionConflictException](err); ok {
		return errBusy
	}
	canceled, ok := errors.AsType[*ddbtypes.TransactionCanceledException](err)
	if !ok {
		return err
	}
	busy := false
	for _, reason := range canceled.CancellationReasons {
		// The codes of API reference, "TransactWriteItems", cancellation reasons.
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			return refuse(reason.Item, token)
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			busy = true
		}
	}
	if busy {
		return errBusy
	}
	return err
}

// refuse returns nil if the item in the way is what this very call wrote.
func refuse(in item, token string) error {
	if in.text(attrWrite) == token {
		return nil
	}
	return &refusal{in: in}
}

// names returns the attribute names that an expression uses as #name.
func names(expression string) map[string]string {
	found := make(map[string]string)
	for word := range strings.FieldsFuncSeq(expression, func(r rune) bool { return r != '#' && !unicode.IsLetter(r) }) {
		if name, ok := strings.CutPrefix(word, "#"); ok {
			found[word] = name
		}
	}
	return found
}
