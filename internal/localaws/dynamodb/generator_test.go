package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// generator makes random operations on a small table, so that they meet: items
// that are there and not, attributes of the wrong type, conditions that hold and
// do not.
type generator struct {
	r       *rand.Rand
	values  map[string]ddbtypes.AttributeValue // of the expression that is made
	filters bool                               // the operation has a filter, not a condition
}

func newGenerator(seed uint64) *generator { return &generator{r: rand.New(rand.NewPCG(seed, 1))} }

func describe(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%T %s", v, b)
}

func pick[T any](g *generator, from ...T) T { return from[g.r.IntN(len(from))] }

func (g *generator) operation() any {
	g.values = map[string]ddbtypes.AttributeValue{}
	n := g.r.IntN(20)
	g.filters = n >= 13 && n <= 16
	switch n {
	case 0, 1, 2, 3:
		return g.put()
	case 4, 5:
		return &dynamodb.GetItemInput{TableName: aws.String("fuzz"), Key: g.key(), ProjectionExpression: g.projection()}
	case 6, 7, 8, 9, 10:
		return g.update()
	case 11, 12:
		return g.remove()
	case 13, 14, 15:
		return g.query()
	case 16:
		return &dynamodb.ScanInput{
			TableName: aws.String("fuzz"), FilterExpression: g.maybe(g.condition), ProjectionExpression: nil,
			ExpressionAttributeValues: g.used(),
		}
	default:
		return g.several()
	}
}

func (g *generator) several() any {
	switch g.r.IntN(4) {
	case 0:
		return &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{"fuzz": {Keys: g.keys()}}}
	case 1:
		var all []ddbtypes.WriteRequest
		for _, k := range g.keys() {
			w := ddbtypes.WriteRequest{DeleteRequest: &ddbtypes.DeleteRequest{Key: k}}
			if g.r.IntN(2) == 0 {
				item := g.item()
				item["pk"], item["sk"] = k["pk"], k["sk"]
				w = ddbtypes.WriteRequest{PutRequest: &ddbtypes.PutRequest{Item: item}}
			}
			all = append(all, w)
		}
		return &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddbtypes.WriteRequest{"fuzz": all}}
	case 2:
		var all []ddbtypes.TransactGetItem
		for _, k := range g.keys() {
			all = append(all, ddbtypes.TransactGetItem{Get: &ddbtypes.Get{TableName: aws.String("fuzz"), Key: k}})
		}
		return &dynamodb.TransactGetItemsInput{TransactItems: all}
	default:
		return g.transaction()
	}
}

func (g *generator) transaction() any {
	var all []ddbtypes.TransactWriteItem
	for _, k := range g.keys() {
		g.values = map[string]ddbtypes.AttributeValue{}
		var w ddbtypes.TransactWriteItem
		switch g.r.IntN(4) {
		case 0:
			item := g.item()
			item["pk"], item["sk"] = k["pk"], k["sk"]
			w.Put = &ddbtypes.Put{TableName: aws.String("fuzz"), Item: item, ConditionExpression: g.maybe(g.condition), ExpressionAttributeValues: g.used()}
		case 1:
			w.Delete = &ddbtypes.Delete{TableName: aws.String("fuzz"), Key: k, ConditionExpression: g.maybe(g.condition), ExpressionAttributeValues: g.used()}
		case 2:
			w.ConditionCheck = &ddbtypes.ConditionCheck{
				TableName: aws.String("fuzz"), Key: k, ConditionExpression: aws.String(g.condition()), ExpressionAttributeValues: g.used(),
			}
		default:
			w.Update = &ddbtypes.Update{
				TableName: aws.String("fuzz"), Key: k, UpdateExpression: aws.String("SET a = " + g.value(g.any())),
				ConditionExpression: g.maybe(g.condition), ExpressionAttributeValues: g.used(),
			}
		}
		all = append(all, w)
	}
	return &dynamodb.TransactWriteItemsInput{TransactItems: all}
}

// keys are one to four different keys.
func (g *generator) keys() []map[string]ddbtypes.AttributeValue {
	seen := map[string]bool{}
	var all []map[string]ddbtypes.AttributeValue
	for range 1 + g.r.IntN(4) {
		if k := g.key(); !seen[describe(k)] {
			seen[describe(k)] = true
			all = append(all, k)
		}
	}
	return all
}

func (g *generator) key() map[string]ddbtypes.AttributeValue {
	return map[string]ddbtypes.AttributeValue{"pk": str(pick(g, "p1", "p2", "p3")), "sk": num(strconv.Itoa(g.r.IntN(5)))}
}

func (g *generator) item() map[string]ddbtypes.AttributeValue {
	item := g.key()
	if g.r.IntN(2) == 0 {
		item["g"] = str(pick(g, "g1", "g2"))
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if g.r.IntN(2) == 0 {
			item[name] = g.any()
		}
	}
	return item
}

// any is a value of any type.
func (g *generator) any() ddbtypes.AttributeValue {
	switch g.r.IntN(10) {
	case 0, 1:
		return str(pick(g, "x", "xy", "yx", "z"))
	case 2, 3, 4:
		return num(pick(g, "0", "1", "2", "-3", "1.5", "10"))
	case 5: // not by itself: moto, being Python, compares true with 1
		return &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberBOOL{Value: g.r.IntN(2) == 0}}}
	case 6:
		return &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{num("1"), str("x")}}
	case 7:
		return &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{"k": num("1"), "l": str("x")}}
	case 8:
		return &ddbtypes.AttributeValueMemberSS{Value: []string{"x", pick(g, "y", "z")}}
	default:
		return &ddbtypes.AttributeValueMemberNS{Value: []string{"1", pick(g, "2", "3")}}
	}
}

// value names a value in an expression.
func (g *generator) value(v ddbtypes.AttributeValue) string {
	name := fmt.Sprintf(":v%d", len(g.values))
	g.values[name] = v
	return name
}

func (g *generator) used() map[string]ddbtypes.AttributeValue {
	if len(g.values) == 0 {
		return nil
	}
	return g.values
}

func (g *generator) maybe(expression func() string) *string {
	if g.r.IntN(2) == 0 {
		return nil
	}
	return aws.String(expression())
}

func (g *generator) path() string { return pick(g, "a", "b", "c", "d") }

// pathOrKey may be a key where a filter may not.
func (g *generator) pathOrKey() string {
	if g.filters {
		return g.path()
	}
	return pick(g, g.path(), "pk")
}

func (g *generator) condition() string {
	one := g.simple()
	switch g.r.IntN(6) {
	case 0:
		return one + " AND " + g.simple()
	case 1:
		return one + " OR " + g.simple()
	case 2:
		return "NOT (" + one + ")"
	default:
		return one
	}
}

func (g *generator) simple() string {
	switch g.r.IntN(9) {
	case 0:
		return "attribute_exists(" + g.pathOrKey() + ")"
	case 1:
		return "attribute_not_exists(" + g.pathOrKey() + ")"
	case 2:
		return "attribute_type(" + g.path() + ", " + g.value(str(pick(g, "S", "N", "L", "M", "SS"))) + ")"
	case 3:
		return "begins_with(" + g.path() + ", " + g.value(str("x")) + ")"
	case 4:
		return "contains(" + g.path() + ", " + g.value(str("x")) + ")"
	case 5, 6: // no BETWEEN, for moto, being Python, takes 0 for no attribute; and no size, which it cannot tell of what is not there
		return g.path() + " IN (" + g.value(num("1")) + ", " + g.value(str("x")) + ")"
	default:
		return g.path() + " " + pick(g, "=", "<>", "<", "<=", ">", ">=") + " " + g.value(pick(g, num("1"), str("x")))
	}
}

func (g *generator) projection() *string {
	if g.r.IntN(3) > 0 {
		return nil
	}
	return aws.String(pick(g, "a", "pk, b", "c.k, d", "a, b, c"))
}

func (g *generator) put() any {
	in := &dynamodb.PutItemInput{TableName: aws.String("fuzz"), Item: g.item(), ConditionExpression: g.maybe(g.condition)}
	in.ExpressionAttributeValues = g.used()
	in.ReturnValues = pick(g, ddbtypes.ReturnValueNone, ddbtypes.ReturnValueAllOld)
	in.ReturnValuesOnConditionCheckFailure = pick(g, ddbtypes.ReturnValuesOnConditionCheckFailureNone, ddbtypes.ReturnValuesOnConditionCheckFailureAllOld)
	return in
}

func (g *generator) remove() any {
	in := &dynamodb.DeleteItemInput{TableName: aws.String("fuzz"), Key: g.key(), ConditionExpression: g.maybe(g.condition)}
	in.ExpressionAttributeValues = g.used()
	in.ReturnValues = pick(g, ddbtypes.ReturnValueNone, ddbtypes.ReturnValueAllOld)
	return in
}

func (g *generator) update() any {
	paths := []string{"a", "b", "c", "d"}
	g.r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	var parts []string
	for i := range 1 + g.r.IntN(2) {
		parts = append(parts, g.action(paths[i], paths[3-i]))
	}
	in := &dynamodb.UpdateItemInput{TableName: aws.String("fuzz"), Key: g.key(), UpdateExpression: aws.String(merged(parts))}
	in.ConditionExpression = g.maybe(g.condition)
	in.ExpressionAttributeValues = g.used()
	in.ReturnValues = pick(g, ddbtypes.ReturnValueNone, ddbtypes.ReturnValueAllOld, ddbtypes.ReturnValueAllNew)
	return in
}

// merged puts the actions of one clause together.
func merged(parts []string) string {
	clauses := map[string][]string{}
	for _, p := range parts {
		clause, action, _ := strings.Cut(p, " ")
		clauses[clause] = append(clauses[clause], action)
	}
	var all []string
	for _, clause := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if len(clauses[clause]) > 0 {
			all = append(all, clause+" "+strings.Join(clauses[clause], ", "))
		}
	}
	return strings.Join(all, " ")
}

func (g *generator) action(path, other string) string {
	switch g.r.IntN(9) {
	case 0:
		return "REMOVE " + path
	case 1:
		return "ADD " + path + " " + g.value(num("2"))
	case 2:
		return "ADD " + path + " " + g.value(&ddbtypes.AttributeValueMemberSS{Value: []string{"x", "w"}})
	case 3:
		return "DELETE " + path + " " + g.value(&ddbtypes.AttributeValueMemberSS{Value: []string{"x"}})
	case 4:
		return "SET " + path + " = " + path + " " + pick(g, "+", "-") + " " + g.value(num("1"))
	case 5:
		return "SET " + path + " = if_not_exists(" + path + ", " + g.value(g.any()) + ")"
	case 6:
		return "SET " + path + " = list_append(" + path + ", " + g.value(&ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{num("9")}}) + ")"
	case 7:
		return "SET " + path + " = " + other
	default:
		return "SET " + path + " = " + g.value(g.any())
	}
}

func (g *generator) query() any {
	hash, index := "pk = "+g.value(str(pick(g, "p1", "p2", "p3"))), (*string)(nil)
	if g.r.IntN(4) == 0 {
		g.values = map[string]ddbtypes.AttributeValue{}
		hash, index = "g = "+g.value(str(pick(g, "g1", "g2"))), aws.String("by-g")
	}
	switch g.r.IntN(4) {
	case 0:
		hash += " AND sk " + pick(g, "=", "<", "<=", ">", ">=") + " " + g.value(num("2"))
	case 1:
		hash += " AND sk BETWEEN " + g.value(num("1")) + " AND " + g.value(num("3"))
	}
	in := &dynamodb.QueryInput{TableName: aws.String("fuzz"), IndexName: index, KeyConditionExpression: aws.String(hash), FilterExpression: g.maybe(g.condition)}
	in.ExpressionAttributeValues = g.used()
	if index == nil {
		in.ScanIndexForward = aws.Bool(g.r.IntN(2) == 0)
		if g.r.IntN(3) == 0 {
			in.Limit = aws.Int32(int32(1 + g.r.IntN(3)))
		}
		in.ProjectionExpression = g.projection()
	}
	return in
}
