package expr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

func TestProjections(t *testing.T) {
	from := item{
		"a": num("1"), "name": str("ada"),
		"l": many(num("0"), doc(item{"x": num("1"), "y": num("2")}), num("3")),
		"m": doc(item{"p": num("1"), "q": doc(item{"r": num("2"), "s": num("3")})}),
	}
	cases := map[string]item{
		"a":                {"a": num("1")},
		"a, #n":            {"a": num("1"), "name": str("ada")},
		"nope":             {},
		"m.q.r, m.p":       {"m": doc(item{"p": num("1"), "q": doc(item{"r": num("2")})})},
		"m.nope":           {},
		"l[2], l[0]":       {"l": many(num("0"), num("3"))},
		"l[1].y, l[7]":     {"l": many(doc(item{"y": num("2")}))},
		"l[0].x":           {},
		"m[0]":             {},
		"m , l[1] . x , a": {"m": from["m"], "l": many(doc(item{"x": num("1")})), "a": num("1")},
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			p, err := expr.ParseProjection(text, env(t, nil))
			require.NoError(t, err)
			assert.Equal(t, want, p.Of(from))
		})
	}
}

func TestAProjectionIsACopy(t *testing.T) {
	from := item{"b": bin("x"), "m": doc(item{"k": strs("a")})}
	before := attr.CanonicalItem(from)
	p, err := expr.ParseProjection("b, m.k", env(t, nil))
	require.NoError(t, err)
	got := p.Of(from)
	got["b"].(*binValue).Value[0] = 'y'
	got["m"].(*mapValue).Value["k"].(*setValue).Value[0] = "z"
	assert.Equal(t, before, attr.CanonicalItem(from))
}

func TestProjectionsThatAreRefused(t *testing.T) {
	cases := map[string]string{
		"":         "The expression can not be empty;",
		"a b":      `Syntax error; token: "b", near: "a b"`,
		"a,":       `Syntax error; token: "<EOF>", near: ","`,
		":v":       `Syntax error; token: ":v", near: ":v"`,
		"size(a)":  "Attribute name is a reserved keyword; reserved keyword: size",
		"status":   "Attribute name is a reserved keyword; reserved keyword: status",
		"a, a.b":   "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
		"a[0],a.b": "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			_, err := expr.ParseProjection(text, env(t, nil))
			assert.Equal(t, "Invalid ProjectionExpression: "+want, words(t, err))
		})
	}
}

func TestKeyConditions(t *testing.T) {
	v := item{":p": str("p"), ":a": num("1"), ":b": num("2"), ":s": str("x")}
	cases := map[string][]expr.KeyCondition{
		"pk = :p":                       {{Attribute: "pk", Operator: "=", Values: []val{str("p")}}},
		":p = pk AND :a < sk":           {{Attribute: "pk", Operator: "=", Values: []val{str("p")}}, {Attribute: "sk", Operator: ">", Values: []val{num("1")}}},
		"(#n = :p) and (sk >= :a)":      {{Attribute: "name", Operator: "=", Values: []val{str("p")}}, {Attribute: "sk", Operator: ">=", Values: []val{num("1")}}},
		":a >= sk":                      {{Attribute: "sk", Operator: "<=", Values: []val{num("1")}}},
		"sk BETWEEN :a AND :b":          {{Attribute: "sk", Operator: "BETWEEN", Values: []val{num("1"), num("2")}}},
		"begins_with(sk, :s)":           {{Attribute: "sk", Operator: "begins_with", Values: []val{str("x")}}},
		"pk = :p AND sk < :b":           {{Attribute: "pk", Operator: "=", Values: []val{str("p")}}, {Attribute: "sk", Operator: "<", Values: []val{num("2")}}},
		"(pk = :p AND (a=:a)) AND b=:b": {{Attribute: "pk", Operator: "=", Values: []val{str("p")}}, {Attribute: "a", Operator: "=", Values: []val{num("1")}}, {Attribute: "b", Operator: "=", Values: []val{num("2")}}},
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			got, err := expr.ParseKeyCondition(text, env(t, v))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestKeyConditionsThatAreRefused(t *testing.T) {
	const invalid = "Invalid KeyConditionExpression: "
	v := item{":p": str("p"), ":a": num("1")}
	cases := map[string]string{
		"pk <> :p":             "Invalid operator used in KeyConditionExpression: <>",
		"pk = :p OR sk = :a":   "Invalid operator used in KeyConditionExpression: OR",
		"NOT pk = :p":          "Invalid operator used in KeyConditionExpression: NOT",
		"pk IN (:p)":           "Invalid operator used in KeyConditionExpression: IN",
		"contains(pk, :p)":     "Invalid operator used in KeyConditionExpression: contains",
		"attribute_exists(pk)": "Invalid operator used in KeyConditionExpression: attribute_exists",
		"pk = :p AND pk = :a":  "KeyConditionExpressions must only contain one condition per key",
		"pk.x = :p":            "KeyConditionExpressions cannot have conditions on nested attributes",
		"pk = sk":              "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":p = :a":              "Invalid condition in KeyConditionExpression: No key attribute specified",
		"pk = size(sk)":        "KeyConditionExpressions cannot contain nested operations",
		":a BETWEEN pk AND :a": "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
		"begins_with(:p, pk)":  "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
		"pk = :p AND":          `Syntax error; token: "<EOF>", near: "AND"`,
		"pk = :p sk = :a":      `Syntax error; token: "sk", near: ":p sk ="`,
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			_, err := expr.ParseKeyCondition(text, env(t, v))
			assert.Equal(t, invalid+want, words(t, err))
		})
	}
}
