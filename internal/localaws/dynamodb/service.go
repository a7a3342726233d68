// Package dynamodb is the DynamoDB of the local AWS: tables with hash and
// range keys and global secondary indexes, items, conditions, queries, scans,
// batches and transactions, time to live on the virtual clock.
//
// It is one machine: every read is consistent, indexes are never behind, a
// table is active as soon as it is created, nothing is throttled and two
// transactions never conflict. It has no streams, local secondary indexes,
// PartiQL, backups that could be restored, or global tables, and refuses the
// legacy parameters that expressions replaced. Whatever it does not model it
// refuses by name. MODEL.md lists what it takes for granted.
package dynamodb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is DynamoDB in one account and region.
type Service struct {
	world  *world.World
	caller wire.Caller
	tables map[string]*table
	tokens []token // of transactions, oldest first
}

// New makes a DynamoDB without tables. It calls KMS for tables with a key.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{world: w, caller: c, tables: map[string]*table{}}
}

// Wire describes the service to the mux.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name:     "dynamodb",
		Protocol: wire.JSON10,
		Target:   "DynamoDB_20120810",
		Style:    wire.Pascal,
		Checksum: true,
		Operations: []wire.Operation{
			wire.Op("BatchGetItem", keyed(s, s.batchGetItem, batchGets)),
			wire.Op("BatchWriteItem", keyed(s, s.batchWriteItem, batchPuts)),
			wire.Op("CreateTable", s.createTable),
			wire.Op("DeleteItem", keyed(s, s.deleteItem, func(in *dynamodb.DeleteItemInput) []*string { return []*string{in.TableName} })),
			wire.Op("DeleteTable", s.deleteTable),
			wire.Op("DeleteResourcePolicy", s.deletePolicy),
			wire.Op("DescribeContinuousBackups", s.describeContinuousBackups),
			wire.Op("DescribeTable", s.describeTable),
			wire.Op("DescribeTimeToLive", s.describeTimeToLive),
			wire.Op("GetItem", keyed(s, s.getItem, func(in *dynamodb.GetItemInput) []*string { return []*string{in.TableName} })),
			wire.Op("GetResourcePolicy", s.getPolicy),
			wire.Op("ListTables", s.listTables),
			wire.Op("ListTagsOfResource", s.listTagsOfResource),
			wire.Op("PutResourcePolicy", s.putPolicy),
			wire.Op("PutItem", keyed(s, s.putItem, func(in *dynamodb.PutItemInput) []*string { return []*string{in.TableName} })),
			wire.Op("Query", keyed(s, s.query, func(in *dynamodb.QueryInput) []*string { return []*string{in.TableName} })),
			wire.Op("Scan", keyed(s, s.scan, func(in *dynamodb.ScanInput) []*string { return []*string{in.TableName} })),
			wire.Op("TagResource", s.tagResource),
			wire.Op("TransactGetItems", keyed(s, s.transactGetItems, transactGets)),
			wire.Op("TransactWriteItems", keyed(s, s.transactWriteItems, transactWrites)),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateContinuousBackups", s.updateContinuousBackups),
			wire.Op("UpdateItem", keyed(s, s.updateItem, func(in *dynamodb.UpdateItemInput) []*string { return []*string{in.TableName} })),
			wire.Op("UpdateTable", s.updateTable),
			wire.Op("UpdateTimeToLive", s.updateTimeToLive),
		},
	}
}

// Items returns copies of all items of a table in the order of their keys, or
// nil if there is no such table. The world's lock must be held.
func (s *Service) Items(name string) []map[string]ddbtypes.AttributeValue {
	t, ok := s.tables[name]
	if !ok {
		return nil
	}
	t.sweep(s.now())
	rows := slices.SortedFunc(slices.Values(t.rows), func(a, b *row) int {
		return cmp.Or(strings.Compare(a.pk, b.pk), strings.Compare(a.sk, b.sk))
	})
	all := make([]map[string]ddbtypes.AttributeValue, len(rows))
	for i, r := range rows {
		all[i] = attr.CloneItem(r.item)
	}
	return all
}

func (s *Service) now() time.Time { return s.world.Now() }

// data returns the table that a request for items names, without what has
// expired. The name may be an ARN.
func (s *Service) data(name *string) (*table, error) {
	if name == nil {
		return nil, missing("tableName")
	}
	t, ok := s.tables[plainName(*name)]
	if !ok {
		return nil, &ddbtypes.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
	}
	t.sweep(s.now())
	return t, nil
}

// table is data for requests about the table itself, which are told its name.
func (s *Service) table(name *string) (*table, error) {
	t, err := s.data(name)
	if err != nil && name != nil {
		return nil, &ddbtypes.ResourceNotFoundException{
			Message: aws.String("Requested resource not found: Table: " + plainName(*name) + " not found"),
		}
	}
	return t, err
}

// plainName is the name of a table given by name or ARN.
func plainName(name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return name
	}
	return name[strings.LastIndex(name, "/")+1:]
}

func missing(member string) error {
	return attr.Invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: "+
		"Member must not be null", member)
}

// refuse refuses the first parameter, in alphabetical order, that was given
// although it is not modelled.
func refuse(given map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] {
			return attr.Invalid("%s is not supported by the local AWS", name)
		}
	}
	return nil
}
