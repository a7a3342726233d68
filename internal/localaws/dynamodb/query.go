package dynamodb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) query(_ *wire.Call, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	if err := refuse(map[string]bool{
		"AttributesToGet":     in.AttributesToGet != nil,
		"ConditionalOperator": in.ConditionalOperator != "",
		"KeyConditions":       in.KeyConditions != nil,
		"QueryFilter":         in.QueryFilter != nil,
	}); err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil {
		return nil, attr.Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	r, err := s.open(reading{
		table: in.TableName, index: in.IndexName, consistent: aws.ToBool(in.ConsistentRead),
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		filter: in.FilterExpression, projection: in.ProjectionExpression, keys: in.KeyConditionExpression,
		limit: in.Limit, start: in.ExclusiveStartKey, wanted: in.Select, level: in.ReturnConsumedCapacity,
	})
	if err != nil {
		return nil, err
	}
	rows, err := r.matching()
	if err != nil {
		return nil, err
	}
	p := r.read(rows, in.ScanIndexForward != nil && !*in.ScanIndexForward)
	return &dynamodb.QueryOutput{
		Items: p.items, Count: int32(p.count), ScannedCount: int32(p.scanned), //nolint:gosec // a page is small
		LastEvaluatedKey: p.last, ConsumedCapacity: r.consumed(p),
	}, nil
}

// matching are the rows that the key conditions select.
func (r *reader) matching() ([]*row, error) {
	k := r.keySchema()
	hash, sort, err := r.sorted(k)
	if err != nil {
		return nil, err
	}
	if r.only != nil {
		for _, p := range r.only.Paths() {
			if slices.Contains(k.names(), p[0].Name) {
				return nil, attr.Invalid("Filter Expression can only contain non-primary key attributes: "+
					"Primary key attribute: %s", p[0].Name)
			}
		}
	}
	pk, _ := attr.SortText(hash.Values[0])
	if r.from != nil && r.from.pk != pk {
		return nil, attr.Invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	rows := partition(r.rows(), pk)
	if sort == nil {
		return rows, nil
	}
	return slices.DeleteFunc(slices.Clone(rows), func(row *row) bool { return !sort.Holds(row.item) }), nil
}

// partition finds the rows of a partition key.
func partition(rows []*row, pk string) []*row {
	place := &row{spread: spread(pk), pk: pk}
	order := func(a, b *row) int {
		return (&row{spread: a.spread, pk: a.pk}).compare(&row{spread: b.spread, pk: b.pk})
	}
	from, _ := slices.BinarySearchFunc(rows, place, order)
	to := from
	for to < len(rows) && rows[to].pk == pk {
		to++
	}
	return rows[from:to]
}

// sorted returns the condition on the hash key and that on the sort key, nil
// if there is none.
func (r *reader) sorted(k keys) (hash, sort *expr.KeyCondition, err error) {
	for i, c := range r.keys {
		switch c.Attribute {
		case k.hash:
			hash = &r.keys[i]
		case k.sort:
			sort = &r.keys[i]
		}
	}
	switch {
	case len(r.keys) > len(k.names()):
		return nil, nil, attr.Invalid("Query key condition not supported")
	case hash == nil:
		return nil, nil, attr.Invalid("Query condition missed key schema element: %s", k.hash)
	case len(r.keys) == 2 && sort == nil:
		return nil, nil, attr.Invalid("Query condition missed key schema element: %s", k.sort)
	case hash.Operator != "=":
		return nil, nil, attr.Invalid("Query key condition not supported")
	}
	return hash, sort, r.checkKeyValues(k, hash)
}

func (r *reader) checkKeyValues(k keys, hash *expr.KeyCondition) error {
	for _, c := range r.keys {
		for _, v := range c.Values {
			if attr.Type(v) != k.typeOf(c.Attribute) {
				return attr.Invalid(invalidValues + "Condition parameter type does not match schema type")
			}
		}
	}
	if kind := emptyKind(hash.Values[0]); kind != "" {
		return attr.Invalid("One or more parameter values are not valid. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, k.hash)
	}
	return nil
}

func (s *Service) scan(_ *wire.Call, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	if err := refuse(map[string]bool{
		"AttributesToGet":     in.AttributesToGet != nil,
		"ConditionalOperator": in.ConditionalOperator != "",
		"ScanFilter":          in.ScanFilter != nil,
	}); err != nil {
		return nil, err
	}
	inSegment, err := segment(in.Segment, in.TotalSegments)
	if err != nil {
		return nil, err
	}
	r, err := s.open(reading{
		table: in.TableName, index: in.IndexName, consistent: aws.ToBool(in.ConsistentRead),
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		filter: in.FilterExpression, projection: in.ProjectionExpression,
		limit: in.Limit, start: in.ExclusiveStartKey, wanted: in.Select, level: in.ReturnConsumedCapacity,
	})
	if err != nil {
		return nil, err
	}
	if r.from != nil && !inSegment(r.from) {
		return nil, attr.Invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. "+
			"Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
			aws.ToInt32(in.TotalSegments), aws.ToInt32(in.Segment))
	}
	rows := slices.DeleteFunc(slices.Clone(r.rows()), func(row *row) bool { return !inSegment(row) })
	p := r.read(rows, false)
	return &dynamodb.ScanOutput{
		Items: p.items, Count: int32(p.count), ScannedCount: int32(p.scanned), //nolint:gosec // a page is small
		LastEvaluatedKey: p.last, ConsumedCapacity: r.consumed(p),
	}, nil
}

// segment says which rows belong to one part of a parallel scan: a share of
// the partitions.
func segment(part, total *int32) (func(*row) bool, error) {
	switch {
	case part == nil && total == nil:
		return func(*row) bool { return true }, nil
	case total == nil:
		return nil, attr.Invalid("The TotalSegments parameter is required but was not present in the request " +
			"when Segment parameter is present")
	case part == nil:
		return nil, attr.Invalid("The Segment parameter is required but was not present in the request " +
			"when parameter TotalSegments is present")
	case *part < 0 || *part >= *total:
		return nil, attr.Invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: "+
			"Segment: %d is not less than TotalSegments: %d", *part, *total)
	}
	const half = 32                                                                               // the upper half of the spread is even enough
	return func(r *row) bool { return r.spread>>half*uint64(*total)>>half == uint64(*part) }, nil //nolint:gosec // not negative
}
