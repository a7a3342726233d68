// Package table keeps the ledger in one DynamoDB table. It keeps the contract
// of package ledgertest. It never scans, needs no index, never deletes what
// was decided, and never writes a decision that rests on an old read.
//
// # Layout
//
//	item                pk                     sk                           attributes
//	incident            incident#ID            incident                     doc write rev generation
//	open incident       open                   ID                           id
//	target's incident   target#APP/GROUP       incident#OPENED#ID           id
//	watch               watch#ID               watch                        doc write rev
//	open watch          open-watches           ID                           id
//	known good          target#APP/GROUP       known-good#REVISION          doc write
//	bake                target#APP/GROUP       bake                         doc write revision
//	sighting            target#APP/GROUP       sighting                     doc write rev
//	hold                target#APP/GROUP       hold                         doc write, released once it is released
//	restore point       target#APP/GROUP       restore-point#ID             doc write rev
//	indexed alarms      target#APP/GROUP       alarms                       doc write rev
//	record              target#APP/GROUP       record#SEQ (12 digits)       doc write
//	end of the chain    target#APP/GROUP       head                         seq hash write
//	alarm's target      alarm#NAME             APP/GROUP                    doc
//	quarantine          quarantine#DIGEST      quarantine                   doc write
//	configuration       config                   hash#HASH                    doc write
//	last configuration  config                   last                         doc write rev
//	its problem         config                   problem#ID                   doc write
//	outcomes            outcomes#ALIAS#SHARD   SLOT#BATCH                   doc ttl
//	override            target#APP/GROUP       override#DIGEST              doc write
//	one-way door        target#APP/GROUP       one-way#REVISION             doc write
//	readiness           target#APP/GROUP       readiness                    doc write
//	slot of the account line                   slot#N                       doc write since
//	line is halted      line                   halt                         doc write since id
//	hook that waits     open-hooks             DEPLOYMENT#FUNCTION#HASH     doc write
//	round of the sweep  sweep                  round                        doc write
//	record to be sent   outbox                 AT#APP/GROUP#SEQ             doc
//	copy of a record    copy#HOME#APP/GROUP    record#SEQ (12 digits)       doc write
//	copy that forks     copy#HOME#APP/GROUP    fork#SEQ#HASH                doc write
//	target of the fleet fleet                  HOME#APP/GROUP               doc write rev
//
// All of it is stored, must not change. doc is the value as JSON; the other
// attributes are what conditions look at. OPENED, SLOT, AT and since are UTC with nine
// digits of nanoseconds, so that keys sort by time. HOME is ACCOUNT/REGION of another
// control plane, of which a hub keeps copies. Items that must agree (an incident
// or a watch and its place among the open ones; a record, the end of its chain and
// its place among those to be sent; a copy and what is known of its target) are written in one transaction.
//
// All of it takes dynamodb:GetItem, BatchGetItem, Query, PutItem and DeleteItem
// on the table, and UpdateItem for Release, which no function calls;
// transactions are allowed by the same actions.
//
// write names the call that wrote the item. The SDK repeats a write whose
// answer was lost, and the repetition then fails the condition that the first
// made untrue; if the item in the way carries this call's name, the write has
// succeeded. A transaction's client token does not do: it is good for ten
// minutes (API reference, "TransactWriteItems").
package table

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// The table's schema: both keys are strings. TimeToLive is the attribute by
// which outcomes expire; nothing else does.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
	TimeToLive   = "ttl"
)

// reader is the part of *dynamodb.Client that looks.
type reader interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// writer is the part of *dynamodb.Client that writes.
type writer interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// api is the part of *dynamodb.Client that this package uses.
type api interface {
	reader
	writer
}

// Table is a ledger in one DynamoDB table.
type Table struct {
	api    api
	name   string
	outbox bool // what is appended waits to be sent
}

// New returns the ledger that is kept in the table called name.
func New(client api, name string) *Table { return &Table{api: client, name: name} }

// The attributes besides the keys. Stored, must not change.
const (
	attrDoc        = "doc"
	attrWrite      = "write"
	attrRev        = "rev"
	attrGeneration = "generation"
	attrID         = "id"
	attrRevision   = "revision"
	attrSince      = "since"
	attrReleased   = "released"
	attrSeq        = "seq"
	attrHash       = "hash"
)

// An item is one row of the table.
type item map[string]ddbtypes.AttributeValue

// key returns an item that has nothing but its key.
func key(pk, sk string) item { return item{PartitionKey: text(pk), SortKey: text(sk)} }

func incidentKey(id deploy.Incident) item    { return key("incident#"+string(id), "incident") }
func openKey(id deploy.Incident) item        { return key(openPartition, string(id)) }
func watchKey(id deploy.Incident) item       { return key("watch#"+string(id), "watch") }
func openWatchKey(id deploy.Incident) item   { return key(openWatches, string(id)) }
func quarantineKey(d deploy.Digest) item     { return key("quarantine#"+string(d), "quarantine") }
func targetPartition(t deploy.Target) string { return "target#" + t.String() }

// The partitions of what is not over.
const (
	openPartition = "open"
	openWatches   = "open-watches"
)

// stamp writes a time so that later is greater.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func text(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: s} }

func number(n int) ddbtypes.AttributeValue {
	return &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

// text returns a string attribute, or "" if the item has none of that name.
func (i item) text(name string) string {
	if s, ok := i[name].(*ddbtypes.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number returns a numeric attribute, or 0 if the item has none of that name.
func (i item) number(name string) (int, error) {
	n, ok := i[name].(*ddbtypes.AttributeValueMemberN)
	if !ok {
		return 0, nil
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil {
		return 0, fmt.Errorf("read attribute %s: %w", name, err)
	}
	return v, nil
}

// with returns the item with value as its document and a new write name.
func (i item) with(value any) (item, error) {
	doc, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write %T: %w", value, err)
	}
	i[attrDoc] = text(string(doc))
	i[attrWrite] = text(rand.Text())
	return i, nil
}

// read returns the value that an item holds.
func read[V any](i item) (V, error) {
	var v V
	if err := json.Unmarshal([]byte(i.text(attrDoc)), &v); err != nil {
		return v, fmt.Errorf("read %T of %s %s: %w", v, i.text(PartitionKey), i.text(SortKey), err)
	}
	return v, nil
}

func readAll[V any](items []item) ([]V, error) {
	var all []V
	for _, i := range items {
		v, err := read[V](i)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// get returns the item at a key as it is now: ledger.ErrNotFound.
func (t *Table) get(ctx context.Context, at item) (item, error) {
	out, err := t.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.name, Key: at, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("get item: %w", err)
	}
	if len(out.Item) == 0 {
		return nil, ledger.ErrNotFound
	}
	return out.Item, nil
}

// query returns the items of a partition whose sort key is between two
// strings, in order, as they are now.
func (t *Table) query(ctx context.Context, pk, from, to string) ([]item, error) {
	condition := "#pk = :pk AND #sk BETWEEN :from AND :to"
	in := &dynamodb.QueryInput{
		TableName:                 &t.name,
		KeyConditionExpression:    &condition,
		ExpressionAttributeNames:  names(condition),
		ExpressionAttributeValues: item{":pk": text(pk), ":from": text(from), ":to": text(to)},
		ConsistentRead:            aws.Bool(true),
	}
	var all []item
	for {
		out, err := t.api.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", pk, err)
		}
		for _, i := range out.Items {
			all = append(all, i)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return all, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// The bounds of a query: all sort keys, and all that begin with a prefix. Keys
// are made of text from the blank up to below the last code point.
const (
	firstKey = " "
	lastKey  = "\U0010FFFF"
)

func beginning(prefix string) (from, to string) { return prefix, prefix + lastKey }
