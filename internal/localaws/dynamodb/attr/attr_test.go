package attr_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

func num(s string) attr.Value { return &ddbtypes.AttributeValueMemberN{Value: s} }

func str(s string) attr.Value { return &ddbtypes.AttributeValueMemberS{Value: s} }

// decimals draws valid numbers in many spellings.
func decimals() *rapid.Generator[string] {
	return rapid.StringMatching(`[-+]?(0{0,2}[0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})([eE][-+]?[0-9]{1,2})?`)
}

func rat(t require.TestingT, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	require.True(t, ok, s)
	return r
}

func TestNumbersKeepTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := decimals().Draw(t, "number")
		n, err := attr.ParseNumber(s)
		require.NoError(t, err)
		assert.Zero(t, rat(t, s).Cmp(rat(t, n.String())), "%s became %s", s, n)
		again, err := attr.ParseNumber(n.String())
		require.NoError(t, err)
		assert.Equal(t, n, again)
		assert.NotContains(t, n.String(), "e")
	})
}

func TestNumbersAddAndCompareAsRationalsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		x, err := attr.ParseNumber(a)
		require.NoError(t, err)
		y, err := attr.ParseNumber(b)
		require.NoError(t, err)
		assert.Equal(t, rat(t, a).Cmp(rat(t, b)), x.Compare(y))

		first, _ := attr.SortText(num(a))
		second, _ := attr.SortText(num(b))
		assert.Equal(t, x.Compare(y), strings.Compare(first, second), "sort texts of %s and %s", a, b)

		sum, err := x.Add(y.Negate())
		if err != nil {
			assert.ErrorContains(t, err, "more than 38 significant digits")
			return
		}
		assert.Zero(t, new(big.Rat).Sub(rat(t, a), rat(t, b)).Cmp(rat(t, sum.String())))
	})
}

func TestNumbersAtTheEdges(t *testing.T) {
	cases := map[string]string{
		"0": "0", "-0": "0", "+007.50": "7.5", ".5": "0.5", "5.": "5", "1e3": "1000", "1E-3": "0.001",
		"-12.30e1": "-123", strings.Repeat("9", 38): strings.Repeat("9", 38),
		"1e125": "1" + strings.Repeat("0", 125), "1e-130": "0." + strings.Repeat("0", 129) + "1",
	}
	for s, want := range cases {
		n, err := attr.ParseNumber(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, n.String())
	}
	for _, s := range []string{"", " 1", "1 ", "one", "1e", "e1", "--1", "1.2.3", "0x10", "1_0", "NaN", "Infinity", "-", "."} {
		_, err := attr.ParseNumber(s)
		assert.ErrorContains(t, err, "cannot be converted to a numeric value", "%q", s)
	}
}

func TestEqualityKnowsTypesAndIgnoresTheOrderOfSets(t *testing.T) {
	same := [][2]attr.Value{
		{num("1"), num("1.0")},
		{&ddbtypes.AttributeValueMemberSS{Value: []string{"a", "b"}}, &ddbtypes.AttributeValueMemberSS{Value: []string{"b", "a"}}},
		{&ddbtypes.AttributeValueMemberNS{Value: []string{"1", "2"}}, &ddbtypes.AttributeValueMemberNS{Value: []string{"2.0", "1"}}},
		{&ddbtypes.AttributeValueMemberB{}, &ddbtypes.AttributeValueMemberB{Value: []byte{}}},
	}
	for _, p := range same {
		assert.True(t, attr.Equal(p[0], p[1]), "%v %v", p[0], p[1])
	}
	different := []attr.Value{
		num("1"), str("1"), &ddbtypes.AttributeValueMemberB{Value: []byte("1")}, &ddbtypes.AttributeValueMemberSS{Value: []string{"1"}},
		&ddbtypes.AttributeValueMemberNS{Value: []string{"1"}}, &ddbtypes.AttributeValueMemberBS{Value: [][]byte{[]byte("1")}},
		&ddbtypes.AttributeValueMemberL{Value: []attr.Value{num("1")}}, &ddbtypes.AttributeValueMemberL{Value: []attr.Value{str("1")}},
		&ddbtypes.AttributeValueMemberM{Value: attr.Item{"1": num("1")}}, &ddbtypes.AttributeValueMemberBOOL{Value: true},
		&ddbtypes.AttributeValueMemberBOOL{}, &ddbtypes.AttributeValueMemberNULL{Value: true},
		&ddbtypes.AttributeValueMemberL{}, &ddbtypes.AttributeValueMemberM{}, nil,
	}
	for i, a := range different {
		for j, b := range different {
			assert.Equal(t, i == j && a != nil, attr.Equal(a, b), "%v %v", a, b)
		}
	}
}

func TestSizesFollowTheDeveloperGuide(t *testing.T) {
	cases := map[string]struct {
		item attr.Item
		want int
	}{
		"string in UTF-8": {attr.Item{"a": str("ü")}, 1 + 2},
		"number":          {attr.Item{"a": num("-12345")}, 1 + 1 + 3 + 1},
		"trailing zeros":  {attr.Item{"a": num("1200000")}, 1 + 1 + 1},
		"null":            {attr.Item{"null": &ddbtypes.AttributeValueMemberNULL{Value: true}}, 4 + 1},
		"list":            {attr.Item{"a": &ddbtypes.AttributeValueMemberL{Value: []attr.Value{str("xy"), str("")}}}, 1 + 3 + 3 + 1},
		"map":             {attr.Item{"a": &ddbtypes.AttributeValueMemberM{Value: attr.Item{"kk": str("v")}}}, 1 + 3 + 1 + 2 + 1},
		"set":             {attr.Item{"a": &ddbtypes.AttributeValueMemberSS{Value: []string{"xy", "z"}}}, 1 + 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, attr.Size(c.item)) })
	}
}

// setsOf draws sets of one-letter strings.
func setsOf(t *rapid.T, label string) []string {
	all := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f]`), 1, 5, rapid.ID).Draw(t, label)
	slices.Sort(all)
	return all
}

func TestSetsUniteAndDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := setsOf(t, "a"), setsOf(t, "b")
		x, y := &ddbtypes.AttributeValueMemberSS{Value: a}, &ddbtypes.AttributeValueMemberSS{Value: b}
		union, err := attr.Union(x, y)
		require.NoError(t, err)
		assert.Equal(t, slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b)))), attr.Elements(union))
		var rest []string
		for _, e := range a {
			if !slices.Contains(b, e) {
				rest = append(rest, e)
			}
		}
		assert.Equal(t, rest, attr.Elements(attr.Difference(x, y)))
	})
}
