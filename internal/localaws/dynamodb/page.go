package dynamodb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

// maxPage is after how many bytes, before filtering, a page ends (developer
// guide, "Paginating table query results": 1 MB).
const maxPage = 1 << 20

// reading is what Query and Scan have in common.
type reading struct {
	table      *string
	index      *string
	consistent bool
	names      map[string]string
	values     attr.Item
	filter     *string
	projection *string
	keys       *string // Query only
	limit      *int32
	start      attr.Item
	wanted     ddbtypes.Select
	level      ddbtypes.ReturnConsumedCapacity
}

// reader is a reading that was understood.
type reader struct {
	reading
	target *table
	index  *index // nil to read the table itself
	keys   []expr.KeyCondition
	only   *expr.Condition
	part   *expr.Projection
	from   *row // nil to start at the beginning
}

// page is one answer.
type page struct {
	items   []attr.Item
	count   int
	scanned int
	size    int
	last    attr.Item
}

// open parses a reading and finds its table and index.
func (s *Service) open(g reading) (*reader, error) {
	r := &reader{reading: g}
	if err := g.check(); err != nil {
		return nil, err
	}
	if err := r.parse(); err != nil {
		return nil, err
	}
	var err error
	if r.target, err = s.data(g.table); err != nil {
		return nil, err
	}
	if g.index != nil {
		if r.index, err = r.target.index(*g.index); err != nil {
			return nil, err
		}
		if g.consistent {
			return nil, attr.Invalid("Consistent reads are not supported on global secondary indexes")
		}
	}
	if err := r.checkSelection(); err != nil {
		return nil, err
	}
	return r, r.resume()
}

// check refuses combinations of parameters that make no sense.
func (g reading) check() error {
	if g.limit != nil && *g.limit < 1 {
		return attr.Invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1", *g.limit)
	}
	if err := checkEnum("select", g.wanted); err != nil {
		return err
	}
	const both = "Cannot specify the ProjectionExpression when choosing to get "
	switch projected := g.projection != nil; {
	case g.wanted == ddbtypes.SelectCount && projected:
		return attr.Invalid(both + "only the Count")
	case g.wanted == ddbtypes.SelectSpecificAttributes:
		if !projected {
			return attr.Invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	case g.wanted != "" && projected:
		return attr.Invalid(both+"%s", g.wanted)
	case g.wanted == ddbtypes.SelectAllProjectedAttributes && g.index == nil:
		return attr.Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// checkPlaceholders refuses placeholders without an expression to use them.
func (g reading) checkPlaceholders() error {
	conditions := g.filter != nil || g.keys != nil
	if g.names != nil && !conditions && g.projection == nil {
		return attr.Invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if g.values != nil && !conditions {
		return attr.Invalid("ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null")
	}
	return nil
}

func (r *reader) parse() error {
	g := r.reading
	if err := g.checkPlaceholders(); err != nil {
		return err
	}
	env, err := expr.NewEnv(g.names, g.values)
	if err != nil {
		return err
	}
	if g.keys != nil {
		if r.keys, err = expr.ParseKeyCondition(*g.keys, env); err != nil {
			return err
		}
	}
	if g.filter != nil {
		if r.only, err = expr.ParseCondition("FilterExpression", *g.filter, env); err != nil {
			return err
		}
	}
	if g.projection != nil {
		if r.part, err = expr.ParseProjection(*g.projection, env); err != nil {
			return err
		}
	}
	return env.Unused()
}

// checkSelection refuses attributes that an index does not have.
func (r *reader) checkSelection() error {
	if r.part != nil {
		if err := r.target.checkNested(r.part.Paths); err != nil {
			return err
		}
	}
	if r.only != nil {
		if err := r.target.checkNested(r.only.Paths()); err != nil {
			return err
		}
	}
	if r.index == nil || r.index.projection.ProjectionType == ddbtypes.ProjectionTypeAll {
		return nil
	}
	if r.wanted == ddbtypes.SelectAllAttributes {
		return attr.Invalid(invalidValues+"Select type ALL_ATTRIBUTES is not supported for global secondary index %s "+
			"because its projection type is not ALL", r.index.name)
	}
	if r.part == nil {
		return nil
	}
	for _, p := range r.part.Paths {
		if !slices.Contains(r.target.attributesOf(r.index), p[0].Name) {
			return attr.Invalid(invalidValues+"Global secondary index %s does not project [%s]", r.index.name, p[0].Name)
		}
	}
	return nil
}

// keySchema is the one that orders the rows.
func (r *reader) keySchema() keys {
	if r.index != nil {
		return r.index.keys
	}
	return r.target.keys
}

// resume finds the place after which to go on.
func (r *reader) resume() error {
	if r.start == nil {
		return nil
	}
	start, err := attr.NormalItem(r.start)
	if err != nil {
		return err
	}
	wanted := r.target.keyOf(start, r.index)
	own := attr.Item{}
	for _, name := range r.target.keys.names() {
		own[name] = start[name]
	}
	base, err := r.target.locate(own)
	if err != nil || len(wanted) != len(start) {
		return attr.Invalid("The provided starting key is invalid: The provided key element does not match the schema")
	}
	r.from = base
	if r.index == nil {
		return nil
	}
	from, ok := r.index.keys.place(start)
	for _, name := range r.index.keys.names() {
		ok = ok && attr.Type(start[name]) == r.index.keys.typeOf(name)
	}
	if !ok {
		return attr.Invalid("The provided starting key is invalid")
	}
	from.base = base
	r.from = from
	return nil
}

// rows are all rows of the table or index in order.
func (r *reader) rows() []*row {
	if r.index != nil {
		return r.target.rowsOf(r.index)
	}
	return r.target.rows
}

// read makes a page of the rows from the start on. The page ends at the limit
// even if there is nothing after it, as DynamoDB's does.
func (r *reader) read(rows []*row, backward bool) page {
	direction := 1
	if backward {
		direction = -1
		rows = slices.Clone(rows)
		slices.Reverse(rows)
	}
	p := page{items: []attr.Item{}}
	for _, row := range rows {
		if r.from != nil && row.compare(r.from)*direction <= 0 {
			continue
		}
		p.scanned++
		p.size += attr.Size(row.item)
		if r.only == nil || r.only.Holds(row.item) {
			p.count++
			p.items = append(p.items, r.selected(row.item))
		}
		if p.size >= maxPage || (r.limit != nil && p.scanned >= int(*r.limit)) {
			p.last = r.target.keyOf(row.item, r.index)
			break
		}
	}
	if r.wanted == ddbtypes.SelectCount {
		p.items = nil
	}
	return p
}

func (r *reader) selected(item attr.Item) attr.Item {
	if r.part != nil {
		return r.part.Of(item)
	}
	return attr.CloneItem(item)
}

func (r *reader) consumed(p page) *ddbtypes.ConsumedCapacity {
	m := newMeter(r.level, readCost(r.consistent))
	m.index = aws.ToString(r.reading.index)
	m.charge(r.target, p.size)
	return m.one()
}
