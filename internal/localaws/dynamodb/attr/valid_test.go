package attr_test

import (
	"testing"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

func whole() attr.Item {
	return attr.Item{
		"S": str("s"), "N": num("1.50"), "B": &ddbtypes.AttributeValueMemberB{Value: []byte("b")},
		"BOOL": &ddbtypes.AttributeValueMemberBOOL{Value: true}, "NULL": &ddbtypes.AttributeValueMemberNULL{Value: true},
		"SS": &ddbtypes.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"NS": &ddbtypes.AttributeValueMemberNS{Value: []string{"10", "9.0"}},
		"BS": &ddbtypes.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}},
		"L":  &ddbtypes.AttributeValueMemberL{Value: []attr.Value{num("+1"), &ddbtypes.AttributeValueMemberB{Value: []byte("b")}}},
		"M":  &ddbtypes.AttributeValueMemberM{Value: attr.Item{"k": num("1e2")}},
	}
}

// spoil overwrites everything in an item that a shallow copy would share.
func spoil(item attr.Item) {
	item["B"].(*ddbtypes.AttributeValueMemberB).Value[0] = 'x'
	item["SS"].(*ddbtypes.AttributeValueMemberSS).Value[0] = "x"
	item["NS"].(*ddbtypes.AttributeValueMemberNS).Value[0] = "7"
	item["BS"].(*ddbtypes.AttributeValueMemberBS).Value[0][0] = 'x'
	item["L"].(*ddbtypes.AttributeValueMemberL).Value[1].(*ddbtypes.AttributeValueMemberB).Value[0] = 'x'
	item["M"].(*ddbtypes.AttributeValueMemberM).Value["k"] = str("x")
	item["S"].(*ddbtypes.AttributeValueMemberS).Value = "x"
	delete(item, "N")
}

func TestACloneSharesNothing(t *testing.T) {
	from := whole()
	clone := attr.CloneItem(from)
	require.Equal(t, from, clone)
	spoil(clone)
	assert.Equal(t, whole(), from)
	assert.Nil(t, attr.CloneItem(nil))
}

func TestNormalFormSharesNothing(t *testing.T) {
	from := whole()
	got, err := attr.NormalItem(from)
	require.NoError(t, err)
	assert.Equal(t, whole(), from)
	want := whole()
	want["N"] = num("1.5")
	want["SS"] = &ddbtypes.AttributeValueMemberSS{Value: []string{"a", "b"}}
	want["NS"] = &ddbtypes.AttributeValueMemberNS{Value: []string{"9", "10"}}
	want["BS"] = &ddbtypes.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}
	want["L"].(*ddbtypes.AttributeValueMemberL).Value[0] = num("1")
	want["M"].(*ddbtypes.AttributeValueMemberM).Value["k"] = num("100")
	assert.Equal(t, want, got)
	assert.Equal(t, attr.CanonicalItem(from), attr.CanonicalItem(got))
	spoil(got)
	assert.Equal(t, whole(), from)
}

func TestTypesAreNamedAsOnTheWire(t *testing.T) {
	for name, v := range whole() {
		assert.Equal(t, name, attr.Type(v))
	}
	assert.Empty(t, attr.Type(nil))
}

func TestOrderIsByBytesOrValue(t *testing.T) {
	rising := [][]attr.Value{
		{str(""), str("B"), str("a"), str("aa"), str("é"), str("\U0001F600")},
		{num("-10"), num("-9.5"), num("0"), num("1e-3"), num("9"), num("10")},
		{&ddbtypes.AttributeValueMemberB{}, &ddbtypes.AttributeValueMemberB{Value: []byte{0x7f}}, &ddbtypes.AttributeValueMemberB{Value: []byte{0x80}}},
	}
	for _, all := range rising {
		for i := range all[1:] {
			order, ok := attr.Compare(all[i], all[i+1])
			assert.True(t, ok)
			assert.Negative(t, order, "%v %v", all[i], all[i+1])
			low, _ := attr.SortText(all[i])
			high, _ := attr.SortText(all[i+1])
			assert.Less(t, low, high)
		}
	}
	_, ok := attr.Compare(str("1"), num("1"))
	assert.False(t, ok)
	_, ok = attr.SortText(&ddbtypes.AttributeValueMemberBOOL{})
	assert.False(t, ok)
}

func TestNestingEndsAtThirtyTwo(t *testing.T) {
	deep := str("x")
	for range 32 {
		deep = &ddbtypes.AttributeValueMemberM{Value: attr.Item{"k": deep}}
	}
	_, err := attr.Normal(deep)
	require.NoError(t, err)
	_, err = attr.Normal(&ddbtypes.AttributeValueMemberL{Value: []attr.Value{deep}})
	assert.ErrorContains(t, err, "Nesting Levels have exceeded supported limits")
}
