package dynamodb

import (
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// The largest keys in bytes ("Service, account, and table quotas in Amazon
// DynamoDB", partition keys and sort keys).
const (
	maxHashKey = 2048
	maxSortKey = 1024
)

// maxItem is the largest item (same page, item size: 400 KB).
const maxItem = 400 << 10

// locate makes the row of a key, which must have the key attributes and
// nothing else.
func (t *table) locate(key attr.Item) (*row, error) {
	if len(key) != len(t.keys.names()) {
		return nil, attr.Invalid("The provided key element does not match the schema")
	}
	for _, name := range t.keys.names() {
		if attr.Type(key[name]) != t.keys.typeOf(name) {
			return nil, attr.Invalid("The provided key element does not match the schema")
		}
	}
	return t.keys.checked(key)
}

// accept checks a whole item and makes its row.
func (t *table) accept(item attr.Item) (*row, error) {
	for _, name := range t.keys.names() {
		v, ok := item[name]
		if !ok {
			return nil, attr.Invalid("One or more parameter values were invalid: Missing the key %s in the item", name)
		}
		if wanted := t.keys.typeOf(name); attr.Type(v) != wanted {
			return nil, attr.Invalid("One or more parameter values were invalid: "+
				"Type mismatch for key %s expected: %s actual: %s", name, wanted, attr.Type(v))
		}
	}
	r, err := t.keys.checked(item)
	if err != nil {
		return nil, err
	}
	return r, t.checkIndexKeys(item)
}

// checked makes the row of a key with the right types.
func (k keys) checked(item attr.Item) (*row, error) {
	for _, name := range k.names() {
		if kind := emptyKind(item[name]); kind != "" {
			return nil, attr.Invalid("One or more parameter values are not valid. "+
				"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, name)
		}
	}
	r, _ := k.place(item)
	if len(r.pk) > maxHashKey {
		return nil, attr.Invalid("One or more parameter values were invalid: "+
			"Size of hashkey has exceeded the maximum size limit of%d bytes", maxHashKey)
	}
	if len(r.sk) > maxSortKey {
		return nil, attr.Invalid("One or more parameter values were invalid: "+
			"Aggregated size of all range keys has exceeded the size limit of %d bytes", maxSortKey)
	}
	return r, nil
}

// emptyKind names the kind of an empty string or binary value.
func emptyKind(v attr.Value) string {
	text, ok := attr.SortText(v)
	switch {
	case !ok || text != "":
		return ""
	case attr.Type(v) == "B":
		return "binary"
	default:
		return "string"
	}
}

// checkIndexKeys refuses values that an index could not have as its key. An
// item without them is merely not in the index.
func (t *table) checkIndexKeys(item attr.Item) error {
	for _, x := range t.indexes {
		for _, name := range x.keys.names() {
			v, ok := item[name]
			if !ok {
				continue
			}
			if wanted := x.keys.typeOf(name); attr.Type(v) != wanted {
				return attr.Invalid("One or more parameter values were invalid: "+
					"Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", name, wanted, attr.Type(v), x.name)
			}
			if kind := emptyKind(v); kind != "" {
				return attr.Invalid("One or more parameter values are not valid. "+
					"A value specified for a secondary index key is not supported. "+
					"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
					kind, x.name, name)
			}
		}
	}
	return nil
}

// keyOf returns a copy of the attributes by which a reader finds the row
// again: the key of the table and that of the index, if there is one.
func (t *table) keyOf(item attr.Item, x *index) attr.Item {
	names := t.keys.names()
	if x != nil {
		names = append(names, x.keys.names()...)
	}
	key := attr.Item{}
	for _, name := range names {
		key[name] = attr.Clone(item[name])
	}
	return key
}
