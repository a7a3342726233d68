package dynamodb

import (
	"maps"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// cost is what units cost: one unit of so many bytes, so many times
// ("DynamoDB read and write operations", developer guide).
type cost struct {
	unit        int
	times       float64
	write       bool
	transaction bool
}

func readCost(consistent bool) cost {
	if consistent {
		return cost{unit: 4 << 10, times: 1}
	}
	return cost{unit: 4 << 10, times: 0.5}
}

func writeCost() cost { return cost{unit: 1 << 10, times: 1, write: true} }

// inTransaction is twice the cost of a consistent read or a write.
func inTransaction(c cost) cost {
	c.times, c.transaction = 2, true
	return c
}

func (c cost) of(size int) float64 {
	return math.Max(1, math.Ceil(float64(size)/float64(c.unit))) * c.times
}

// meter adds up capacity by table, if the request wants to know. Writes are
// counted for the table only, not for its indexes.
type meter struct {
	level ddbtypes.ReturnConsumedCapacity
	cost  cost
	used  map[string]float64
	index string // read instead of the table
}

func newMeter(level ddbtypes.ReturnConsumedCapacity, c cost) *meter {
	return &meter{level: level, cost: c, used: map[string]float64{}}
}

func (m *meter) charge(t *table, size int) { m.used[t.name] += m.cost.of(size) }

// one is all for the only table; nil if the request did not ask.
func (m *meter) one() *ddbtypes.ConsumedCapacity {
	if all := m.all(); len(all) > 0 {
		return &all[0]
	}
	return nil
}

func (m *meter) all() []ddbtypes.ConsumedCapacity {
	if m.level != ddbtypes.ReturnConsumedCapacityTotal && m.level != ddbtypes.ReturnConsumedCapacityIndexes {
		return nil
	}
	var all []ddbtypes.ConsumedCapacity
	for _, name := range slices.Sorted(maps.Keys(m.used)) {
		units := m.used[name]
		c := ddbtypes.ConsumedCapacity{TableName: aws.String(name), CapacityUnits: aws.Float64(units)}
		if m.level == ddbtypes.ReturnConsumedCapacityIndexes {
			c.Table = &ddbtypes.Capacity{CapacityUnits: aws.Float64(units)}
			if m.index != "" {
				c.Table.CapacityUnits = aws.Float64(0)
				c.GlobalSecondaryIndexes = map[string]ddbtypes.Capacity{m.index: {CapacityUnits: aws.Float64(units)}}
			}
		}
		if m.cost.transaction {
			c.ReadCapacityUnits, c.WriteCapacityUnits = m.split(units)
		}
		all = append(all, c)
	}
	return all
}

// split says of which kind the units of a transaction are.
func (m *meter) split(units float64) (read, write *float64) {
	if m.cost.write {
		return nil, aws.Float64(units)
	}
	return aws.Float64(units), nil
}

// consumed is the capacity of a single write: that of the larger of the item
// before and after.
func (w *write) consumed(level ddbtypes.ReturnConsumedCapacity) *ddbtypes.ConsumedCapacity {
	m := newMeter(level, writeCost())
	m.charge(w.target, w.size())
	return m.one()
}

func (w *write) size() int { return max(attr.Size(w.before), attr.Size(w.after)) }
