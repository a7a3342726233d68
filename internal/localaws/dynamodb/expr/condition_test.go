package expr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

func subject() item {
	return item{
		"s":    str("héllo"),
		"n":    num("10"),
		"b":    bin("bytes"),
		"t":    yes(),
		"z":    null(),
		"l":    many(str("a"), num("2"), doc(item{"x": str("deep")})),
		"m":    doc(item{"k": doc(item{"name": num("7")})}),
		"ss":   strs("b", "a"),
		"ns":   nums("1", "2.50"),
		"bs":   bins("x"),
		"name": str("ada"),
		"a.b":  str("dotted"),
		"low":  num("5"),
	}
}

func TestConditions(t *testing.T) {
	values := item{
		":s": str("héllo"), ":he": str("hé"), ":n": num("1e1"), ":nine": num("9.0"), ":b": bin("by"), ":a": str("a"),
		":two": num("2.0"), ":five": num("5"), ":t": yes(), ":z": null(), ":deep": str("deep"), ":three": num("3"),
		":ss": strs("a", "b"), ":ns": nums("2.5", "1"), ":S": str("S"), ":NS": str("NS"), ":q": num("2.5"), ":x": bin("x"),
		":l": many(str("a"), num("2"), doc(item{"x": str("deep")})), ":obj": doc(item{"x": str("deep")}), ":seven": num("7"),
		":NULL": str("NULL"), ":empty": str(""),
	}
	cases := map[string]bool{
		"s = :s":                                true,
		":s = s":                                true,
		"s = :n":                                false,
		"s <> :n":                               true,
		"n = :n":                                true,
		"n > :nine":                             true,
		"n < :nine":                             false,
		"n >= :n and n <= :n":                   true,
		"n > low":                               true,
		"absent = :n":                           false,
		"absent <> :n":                          true,
		"absent < :n":                           false,
		"absent >= :n":                          false,
		"NOT absent < :n":                       true,
		"n < :s":                                false,
		"n > :s":                                false,
		"s > :he":                               true,
		"b > :b":                                true,
		"t = :t":                                true,
		"z = :z":                                true,
		"ss = :ss":                              true,
		"ns = :ns":                              true,
		"l = :l":                                true,
		"l[2] = :obj":                           true,
		"attribute_exists(s)":                   true,
		"attribute_exists(z)":                   true,
		"attribute_exists(absent)":              false,
		"attribute_exists(m.k.#n)":              true,
		"attribute_exists(m.s.#n)":              false,
		"attribute_exists(l[0])":                true,
		"attribute_exists(l[3])":                false,
		"attribute_exists(l.x)":                 false,
		"attribute_exists(m[0])":                false,
		"attribute_not_exists(absent)":          true,
		"attribute_not_exists(s)":               false,
		"attribute_not_exists(l[2].x)":          false,
		"attribute_type(s, :S)":                 true,
		"attribute_type(ns, :NS)":               true,
		"attribute_type(z, :NULL)":              true,
		"attribute_type(n, :S)":                 false,
		"attribute_type(absent, :S)":            false,
		"begins_with(s, :he)":                   true,
		"begins_with(s, :empty)":                true,
		"begins_with(b, :b)":                    true,
		"begins_with(b, :he)":                   false,
		"begins_with(n, :he)":                   false,
		"begins_with(absent, :he)":              false,
		"contains(s, :he)":                      true,
		"contains(b, :b)":                       true,
		"contains(ss, :a)":                      true,
		"contains(ss, :s)":                      false,
		"contains(ns, :q)":                      true,
		"contains(bs, :x)":                      true,
		"contains(ns, :a)":                      false,
		"contains(l, :two)":                     true,
		"contains(l, :obj)":                     true,
		"contains(l, :three)":                   false,
		"contains(n, :n)":                       false,
		"contains(absent, :a)":                  false,
		"size(s) = :five":                       true,
		"size(b) = :five":                       true,
		"size(ss) = :two":                       true,
		"size(bs) < :two":                       true,
		"size(l) = :three":                      true,
		"size(m) < :two":                        true,
		"size(n) = :two":                        false,
		"size(absent) < :two":                   false,
		"n IN (:s, :n)":                         true,
		"n in (:s,:nine)":                       false,
		"absent IN (:s, :n)":                    false,
		"l IN (:l)":                             true,
		"n BETWEEN :nine AND :n":                true,
		"n BETWEEN low AND :n AND t = :t":       true,
		"low between :nine and :n":              false,
		"absent BETWEEN :nine AND :n":           false,
		"size(l) BETWEEN :two AND :five":        true,
		"s = :n OR n = :n":                      true,
		"s = :n OR n = :n AND t = :z":           false,
		"(s = :n OR n = :n) AND t = :t":         true,
		"NOT s = :n AND NOT (t = :z OR n = :s)": true,
		"NOT NOT t = :t":                        true,
		"(s) = (:s)":                            true,
		"#n = :s":                               false,
		"attribute_exists(#d)":                  true,
		"m.k.#n = :seven":                       true,
		"l[ 2 ] . x=:deep":                      true,
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			c, err := expr.ParseCondition("ConditionExpression", text, env(t, values))
			require.NoError(t, err)
			assert.Equal(t, want, c.Holds(subject()))
		})
	}
}

func TestAMissingItemHasNoAttributes(t *testing.T) {
	c, err := expr.ParseCondition("ConditionExpression", "attribute_not_exists(pk) AND pk <> :v", env(t, item{":v": num("1")}))
	require.NoError(t, err)
	assert.True(t, c.Holds(nil))
	assert.Equal(t, []expr.Path{{{Name: "pk"}}, {{Name: "pk"}}}, c.Paths())
}

func TestConditionsThatAreRefused(t *testing.T) {
	values := item{
		":v": num("1"), ":zero": num("0"), ":s": str("x"), ":t": yes(), ":l": many(), ":bad": str("STRING"),
	}
	cases := map[string]string{
		"":                              "The expression can not be empty;",
		"a =":                           `Syntax error; token: "<EOF>", near: "="`,
		"a = = :v":                      `Syntax error; token: "=", near: "= = :v"`,
		"a":                             `Syntax error; token: "<EOF>", near: "a"`,
		"a = :v b":                      `Syntax error; token: "b", near: ":v b"`,
		"a = :v AND":                    `Syntax error; token: "<EOF>", near: "AND"`,
		"a = :v AND b":                  `Syntax error; token: "<EOF>", near: "b"`,
		"(a = :v":                       `Syntax error; token: "<EOF>", near: ":v"`,
		"a[x] = :v":                     `Syntax error; token: "x", near: "[x]"`,
		"a[99999999999] = :v":           "List index is not within the allowable range; index: [99999999999]",
		"a = 5":                         `Syntax error; token: "5", near: "= 5"`,
		"a = \"x\"":                     `Syntax error; token: """, near: "= "x"`,
		"a BETWEEN :v OR :v":            `Syntax error; token: "OR", near: ":v OR :v"`,
		"a IN :v":                       `Syntax error; token: ":v", near: "IN :v"`,
		"a = # ":                        `Syntax error; token: "#", near: "= #"`,
		"name = :v":                     "Attribute name is a reserved keyword; reserved keyword: name",
		"m.Status = :v":                 "Attribute name is a reserved keyword; reserved keyword: Status",
		"#x = :v":                       "An expression attribute name used in the document path is not defined; attribute name: #x",
		"a = :x":                        "An expression attribute value used in expression is not defined; attribute value: :x",
		"exists(a)":                     "Invalid function name; function: exists",
		"Attribute_Exists(a)":           "Invalid function name; function: Attribute_Exists",
		"attribute_exists(a, b)":        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"begins_with(a)":                "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
		"attribute_exists(:v)":          "Operator or function requires a document path; operator or function: attribute_exists",
		"begins_with(a, :v)":            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"begins_with(a, size(b))":       "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"a < :t":                        "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		"size(:t) = :v":                 "Incorrect operand type for operator or function; operator or function: size, operand type: BOOL",
		"attribute_type(a, :v)":         "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
		"attribute_type(a, b)":          "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
		"attribute_type(a, :bad)":       "Invalid attribute type name found; type: STRING, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"size(a)":                       "The function is not allowed to be used this way in an expression; function: size",
		"attribute_exists(a) = :v":      "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"a = attribute_exists(b)":       "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"contains(begins_with(a,b), b)": "The function is not allowed to be used this way in an expression; function: begins_with",
		"a = a":                         "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
		"contains(a.b[1], a.b[1])":      "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, b, [1]]",
		"a BETWEEN :v AND :s": "The BETWEEN operator requires same data type for lower and upper bounds; " +
			"lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}",
		"a BETWEEN :v AND :zero": "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " +
			"lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {N:0}",
		"((a = :v))":   "The expression has redundant parentheses;",
		"((a)) = (:v)": "The expression has redundant parentheses;",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			_, err := expr.ParseCondition("FilterExpression", text, env(t, values))
			assert.Equal(t, "Invalid FilterExpression: "+want, words(t, err))
		})
	}
}

func TestPlaceholdersMustBeUsed(t *testing.T) {
	e, err := expr.NewEnv(map[string]string{"#b": "b", "#a": "a"}, item{":y": num("1"), ":x": num("2"), ":z": num("3")})
	require.NoError(t, err)
	_, err = expr.ParseCondition("ConditionExpression", "#a = :z", e)
	require.NoError(t, err)
	assert.Equal(t, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}", words(t, e.Unused()))
	_, err = expr.ParseProjection("#b", e)
	require.NoError(t, err)
	assert.Equal(t, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x, :y}", words(t, e.Unused()))
	_, err = expr.ParseCondition("FilterExpression", "a IN (:x, :y)", e)
	require.NoError(t, err)
	assert.NoError(t, e.Unused())
}

func TestPlaceholdersThatAreRefused(t *testing.T) {
	cases := map[string]struct {
		names  map[string]string
		values item
		want   string
	}{
		"no names":    {names: map[string]string{}, want: "ExpressionAttributeNames must not be empty"},
		"no values":   {values: item{}, want: "ExpressionAttributeValues must not be empty"},
		"plain name":  {names: map[string]string{"n": "a"}, want: `ExpressionAttributeNames contains invalid key: Syntax error; key: "n"`},
		"odd value":   {values: item{":a-b": num("1")}, want: `ExpressionAttributeValues contains invalid key: Syntax error; key: ":a-b"`},
		"bad number":  {values: item{":a": num("x")}, want: "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a"},
		"empty value": {values: item{":a": nil}, want: "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :a"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := expr.NewEnv(c.names, c.values)
			assert.Equal(t, c.want, words(t, err))
		})
	}
}
