package dynamodb

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// table is a table with its items.
type table struct {
	name       string
	arn        string
	id         string
	created    time.Time
	keys       keys
	attributes []ddbtypes.AttributeDefinition
	indexes    []*index
	billing    ddbtypes.BillingMode
	throughput *ddbtypes.ProvisionedThroughput
	sse        *ddbtypes.SSESpecification
	class      ddbtypes.TableClass
	protected  bool
	tags       map[string]string
	ttl        ttl
	access     access
	backups    backups

	rows []*row // in order
}

// index is a global secondary index.
type index struct {
	name       string
	keys       keys
	projection ddbtypes.Projection
	throughput *ddbtypes.ProvisionedThroughput
}

// keys are the key attributes of a table or index.
type keys struct {
	hash, sort         string // sort is empty without a range key
	hashType, sortType ddbtypes.ScalarAttributeType
}

// names are the key attributes, hash key first.
func (k keys) names() []string {
	if k.sort == "" {
		return []string{k.hash}
	}
	return []string{k.hash, k.sort}
}

// typeOf is the type of a key attribute.
func (k keys) typeOf(name string) string {
	if name == k.hash {
		return string(k.hashType)
	}
	return string(k.sortType)
}

func (k keys) schema() []ddbtypes.KeySchemaElement {
	all := []ddbtypes.KeySchemaElement{{AttributeName: aws.String(k.hash), KeyType: ddbtypes.KeyTypeHash}}
	if k.sort != "" {
		all = append(all, ddbtypes.KeySchemaElement{AttributeName: aws.String(k.sort), KeyType: ddbtypes.KeyTypeRange})
	}
	return all
}

// row is an item at its place. Rows are ordered by a hash of the hash key, as
// the partitions of DynamoDB are, then by the sort key; rows of an index with
// equal keys by their place in the table.
type row struct {
	spread uint64
	pk, sk string
	base   *row // rows of an index only
	item   attr.Item
}

func (r *row) compare(o *row) int {
	order := cmp.Or(cmp.Compare(r.spread, o.spread), strings.Compare(r.pk, o.pk), strings.Compare(r.sk, o.sk))
	if order != 0 || r.base == nil {
		return order
	}
	return r.base.compare(o.base)
}

// place makes the row that has the keys of item. It reports false if a key is
// missing, as in an item that an index leaves out.
func (k keys) place(item attr.Item) (*row, bool) {
	pk, ok := attr.SortText(item[k.hash])
	if !ok {
		return nil, false
	}
	r := &row{spread: spread(pk), pk: pk, item: item}
	if k.sort != "" {
		r.sk, ok = attr.SortText(item[k.sort])
	}
	return r, ok
}

// spread is the place of a partition key.
func spread(pk string) uint64 {
	sum := sha256.Sum256([]byte(pk))
	return binary.BigEndian.Uint64(sum[:])
}

// get returns the item at the place of r, or nil. It is not a copy.
func (t *table) get(r *row) attr.Item {
	if i, ok := slices.BinarySearchFunc(t.rows, r, (*row).compare); ok {
		return t.rows[i].item
	}
	return nil
}

// set puts an item, which it keeps, at the place of r; nil deletes.
func (t *table) set(r *row, item attr.Item) {
	i, found := slices.BinarySearchFunc(t.rows, r, (*row).compare)
	switch {
	case item == nil && found:
		t.rows = slices.Delete(t.rows, i, i+1)
	case item == nil:
	case found:
		t.rows[i].item = item
	default:
		t.rows = slices.Insert(t.rows, i, &row{spread: r.spread, pk: r.pk, sk: r.sk, item: item})
	}
}

// index returns the named index.
func (t *table) index(name string) (*index, error) {
	for _, x := range t.indexes {
		if x.name == name {
			return x, nil
		}
	}
	return nil, attr.Invalid("The table does not have the specified index: %s", name)
}

// rowsOf returns the rows of an index in order. They are worked out anew each
// time, so that an index cannot differ from its table.
func (t *table) rowsOf(x *index) []*row {
	var all []*row
	for _, base := range t.rows {
		if r, ok := x.keys.place(base.item); ok {
			r.base, r.item = base, t.projected(x, base.item)
			all = append(all, r)
		}
	}
	slices.SortFunc(all, (*row).compare)
	return all
}

// projected is what an index has of an item. Its values are not copies.
func (t *table) projected(x *index, item attr.Item) attr.Item {
	if x.projection.ProjectionType == ddbtypes.ProjectionTypeAll {
		return item
	}
	part := attr.Item{}
	for _, name := range t.attributesOf(x) {
		if v, ok := item[name]; ok {
			part[name] = v
		}
	}
	return part
}

// attributesOf are the attributes that a partial index has.
func (t *table) attributesOf(x *index) []string {
	return slices.Concat(t.keys.names(), x.keys.names(), x.projection.NonKeyAttributes)
}
