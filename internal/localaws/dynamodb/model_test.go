package dynamodb_test

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	localdynamodb "github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// place is a key of the naive model.
type place struct{ pk, sk int }

// model is a table as a map from key to the counter n, side by side with the
// real thing.
type model struct {
	mux    *wire.Mux
	counts map[place]int
}

func do[O any](t *rapid.T, m *model, operation string, in any) (*O, error) {
	return wire.Do[O](t.Context(), m.mux, wire.Principal{}, "dynamodb", operation, in)
}

func (m *model) draw(t *rapid.T) (place, item) {
	p := place{rapid.IntRange(0, 2).Draw(t, "pk"), rapid.IntRange(-3, 12).Draw(t, "sk")}
	return p, p.key()
}

func (p place) key() item { return key(strconv.Itoa(p.pk), strconv.Itoa(p.sk)) }

// want is the item that the model has at p.
func (m *model) want(p place) item {
	n, ok := m.counts[p]
	if !ok {
		return nil
	}
	return with(p.key(), "n", count(n), "at", count(n%3))
}

func (m *model) claim(t *rapid.T) {
	p, k := m.draw(t)
	_, err := do[dynamodb.PutItemOutput](t, m, "PutItem", &dynamodb.PutItemInput{
		TableName: aws.String("ledger"), Item: with(k, "n", count(0), "at", count(0)),
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	if _, taken := m.counts[p]; taken {
		var failed *ddbtypes.ConditionalCheckFailedException
		require.ErrorAs(t, err, &failed)
		return
	}
	require.NoError(t, err)
	m.counts[p] = 0
}

func (m *model) remove(t *rapid.T) {
	p, k := m.draw(t)
	got, err := do[dynamodb.DeleteItemOutput](t, m, "DeleteItem", &dynamodb.DeleteItemInput{
		TableName: aws.String("ledger"), Key: k, ReturnValues: ddbtypes.ReturnValueAllOld,
	})
	require.NoError(t, err)
	assert.Equal(t, m.want(p), got.Attributes)
	delete(m.counts, p)
}

// transfer counts two items up in one transaction, which both must exist.
func (m *model) transfer(t *rapid.T) {
	a, keyA := m.draw(t)
	b, keyB := m.draw(t)
	var items []ddbtypes.TransactWriteItem
	for p, k := range map[place]item{a: keyA, b: keyB} {
		items = append(items, ddbtypes.TransactWriteItem{Update: &ddbtypes.Update{
			TableName: aws.String("ledger"), Key: k, UpdateExpression: aws.String("SET n = n + :one, #at = :at"),
			ConditionExpression:       aws.String("attribute_exists(pk)"),
			ExpressionAttributeNames:  map[string]string{"#at": "at"},
			ExpressionAttributeValues: item{":one": count(1), ":at": count((m.counts[p] + 1) % 3)},
		}})
	}
	_, err := do[dynamodb.TransactWriteItemsOutput](t, m, "TransactWriteItems", &dynamodb.TransactWriteItemsInput{TransactItems: items})
	_, okA := m.counts[a]
	_, okB := m.counts[b]
	if !okA || !okB {
		var cancelled *ddbtypes.TransactionCanceledException
		require.ErrorAs(t, err, &cancelled)
		return
	}
	require.NoError(t, err)
	m.counts[a]++
	if a != b {
		m.counts[b]++
	}
}

// look queries a part of a partition page by page.
func (m *model) look(t *rapid.T) {
	pk := rapid.IntRange(0, 2).Draw(t, "pk")
	low, high := rapid.IntRange(-4, 5).Draw(t, "low"), rapid.IntRange(5, 13).Draw(t, "high")
	forward := rapid.Bool().Draw(t, "forward")
	want := []item{}
	for _, p := range slices.SortedFunc(maps.Keys(m.counts), func(a, b place) int { return cmp.Compare(a.sk, b.sk) }) {
		if p.pk == pk && low <= p.sk && p.sk <= high {
			want = append(want, m.want(p))
		}
	}
	if !forward {
		slices.Reverse(want)
	}
	in := query("pk = :p AND sk BETWEEN :l AND :h", item{":p": str(strconv.Itoa(pk)), ":l": count(low), ":h": count(high)})
	in.Limit, in.ScanIndexForward = aws.Int32(rapid.Int32Range(1, 4).Draw(t, "limit")), aws.Bool(forward)
	assert.Equal(t, want, m.pages(t, in))
}

// lookIndex queries the index of at, in which each key has many items.
func (m *model) lookIndex(t *rapid.T) {
	at := rapid.IntRange(0, 2).Draw(t, "at")
	want := []item{}
	for p, n := range m.counts {
		if n%3 == at {
			want = append(want, with(p.key(), "at", count(at)))
		}
	}
	in := query("#at = :at", item{":at": count(at)})
	in.IndexName, in.ExpressionAttributeNames = aws.String("by-at"), map[string]string{"#at": "at"}
	in.Limit = aws.Int32(rapid.Int32Range(1, 4).Draw(t, "limit"))
	assert.ElementsMatch(t, want, m.pages(t, in))
}

func (m *model) pages(t *rapid.T, in *dynamodb.QueryInput) []item {
	all := []item{}
	for {
		got, err := do[dynamodb.QueryOutput](t, m, "Query", in)
		require.NoError(t, err)
		all = append(all, got.Items...)
		if in.ExclusiveStartKey = got.LastEvaluatedKey; got.LastEvaluatedKey == nil {
			return all
		}
	}
}

func TestTablesBehaveLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world.New(world.Options{})
		m := &model{mux: wire.NewMux(w), counts: map[place]int{}}
		local := localdynamodb.New(w, m.mux)
		m.mux.Handle(local.Wire())
		w.Lock()
		defer w.Unlock()
		_, err := do[dynamodb.CreateTableOutput](t, m, "CreateTable", tableInput())
		require.NoError(t, err)
		t.Repeat(map[string]func(*rapid.T){
			"claim": m.claim, "remove": m.remove, "transfer": m.transfer, "look": m.look, "lookIndex": m.lookIndex,
			"": func(t *rapid.T) {
				want := []item{}
				for p := range m.counts {
					want = append(want, m.want(p))
				}
				assert.ElementsMatch(t, want, local.Items("ledger"))
			},
		})
	})
}
