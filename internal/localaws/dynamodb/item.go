package dynamodb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) getItem(_ *wire.Call, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	if err := refuse(map[string]bool{"AttributesToGet": in.AttributesToGet != nil}); err != nil {
		return nil, err
	}
	g, err := s.get(in.TableName, in.Key, in.ProjectionExpression, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	meter := newMeter(in.ReturnConsumedCapacity, readCost(aws.ToBool(in.ConsistentRead)))
	meter.charge(g.table, attr.Size(g.whole))
	return &dynamodb.GetItemOutput{Item: g.item, ConsumedCapacity: meter.one()}, nil
}

// got is an item that was read.
type got struct {
	table *table
	row   *row
	whole attr.Item // as stored
	item  attr.Item // a copy of what was asked for; nil if there is no item
}

func (s *Service) get(name *string, key attr.Item, projection *string, names map[string]string) (*got, error) {
	wanted, err := parseProjection(projection, names)
	if err != nil {
		return nil, err
	}
	if key, err = attr.NormalItem(key); err != nil {
		return nil, err
	}
	t, err := s.data(name)
	if err != nil {
		return nil, err
	}
	r, err := t.locate(key)
	if err != nil {
		return nil, err
	}
	if wanted != nil {
		if err := t.checkNested(wanted.Paths); err != nil {
			return nil, err
		}
	}
	g := &got{table: t, row: r, whole: t.get(r)}
	g.item = attr.CloneItem(g.whole)
	if wanted != nil && g.whole != nil {
		g.item = wanted.Of(g.whole)
	}
	return g, nil
}

// parseProjection reads the projection of a request that has no other
// expression; nil if it has none.
func parseProjection(text *string, names map[string]string) (*expr.Projection, error) {
	if text == nil {
		if names != nil {
			return nil, attr.Invalid("ExpressionAttributeNames can only be specified when using expressions")
		}
		return nil, nil //nolint:nilnil // no projection means everything
	}
	env, err := expr.NewEnv(names, nil)
	if err != nil {
		return nil, err
	}
	p, err := expr.ParseProjection(*text, env)
	if err != nil {
		return nil, err
	}
	return p, env.Unused()
}

func (s *Service) putItem(_ *wire.Call, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if err := refuse(legacyWrite(in.ConditionalOperator, in.Expected)); err != nil {
		return nil, err
	}
	if err := onlyOld(in.ReturnValues); err != nil {
		return nil, err
	}
	if in.Item == nil {
		return nil, missing("item")
	}
	w, err := s.run(request{
		table: in.TableName, item: in.Item, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{
		Attributes:       w.returned(in.ReturnValues),
		ConsumedCapacity: w.consumed(in.ReturnConsumedCapacity),
	}, nil
}

func (s *Service) deleteItem(_ *wire.Call, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	if err := refuse(legacyWrite(in.ConditionalOperator, in.Expected)); err != nil {
		return nil, err
	}
	if err := onlyOld(in.ReturnValues); err != nil {
		return nil, err
	}
	w, err := s.run(request{
		table: in.TableName, key: in.Key, remove: true, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.DeleteItemOutput{
		Attributes:       w.returned(in.ReturnValues),
		ConsumedCapacity: w.consumed(in.ReturnConsumedCapacity),
	}, nil
}

func (s *Service) updateItem(_ *wire.Call, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	legacy := legacyWrite(in.ConditionalOperator, in.Expected)
	legacy["AttributeUpdates"] = in.AttributeUpdates != nil
	if err := refuse(legacy); err != nil {
		return nil, err
	}
	if err := checkEnum("returnValues", in.ReturnValues); err != nil {
		return nil, err
	}
	w, err := s.run(request{
		table: in.TableName, key: in.Key, condition: in.ConditionExpression, update: in.UpdateExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{
		Attributes:       w.returned(in.ReturnValues),
		ConsumedCapacity: w.consumed(in.ReturnConsumedCapacity),
	}, nil
}

// legacyWrite lists the parameters of writes that condition expressions
// replaced ("Legacy DynamoDB conditional parameters", developer guide).
func legacyWrite(operator ddbtypes.ConditionalOperator, expected map[string]ddbtypes.ExpectedAttributeValue) map[string]bool {
	return map[string]bool{"ConditionalOperator": operator != "", "Expected": expected != nil}
}

func onlyOld(v ddbtypes.ReturnValue) error {
	if err := checkEnum("returnValues", v); err != nil {
		return err
	}
	switch v {
	case "", ddbtypes.ReturnValueNone, ddbtypes.ReturnValueAllOld:
		return nil
	default:
		return attr.Invalid("ReturnValues can only be ALL_OLD or NONE")
	}
}

// checkEnum refuses a value that its type does not have.
func checkEnum[E interface {
	~string
	Values() []E
}](member string, v E) error {
	if v == "" || slices.Contains(v.Values(), v) {
		return nil
	}
	return attr.Invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy enum value set: %v", v, member, v.Values())
}

// returned is a copy of what ReturnValues asks for, or nil.
func (w *write) returned(v ddbtypes.ReturnValue) attr.Item {
	var item attr.Item
	switch v {
	case ddbtypes.ReturnValueAllOld:
		return attr.CloneItem(w.before)
	case ddbtypes.ReturnValueAllNew:
		return attr.CloneItem(w.after)
	case ddbtypes.ReturnValueUpdatedOld:
		item = w.before
	case ddbtypes.ReturnValueUpdatedNew:
		item = w.after
	default:
		return nil
	}
	if item == nil || w.how == nil {
		return nil
	}
	part := (&expr.Projection{Paths: w.how.Paths()}).Of(item)
	if len(part) == 0 {
		return nil
	}
	return part
}
