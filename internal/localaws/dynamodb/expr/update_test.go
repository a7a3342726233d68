package expr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

func values() item {
	return item{
		":one": num("1"), ":half": num("0.5"), ":s": str("x"), ":l": many(num("8")), ":t": yes(),
		":ss": strs("b", "c"), ":ns": nums("2"), ":bs": bins("y"), ":a": strs("a"), ":huge": num("1e125"),
		":m": doc(item{}), ":empty": many(),
	}
}

func TestUpdates(t *testing.T) {
	before := func() item {
		return item{
			"n": num("10"), "s": str("old"), "l": many(num("0"), num("1"), num("2"), num("3")),
			"m":  doc(item{"k": num("5"), "l": many(doc(item{"x": str("y")}))}),
			"ss": strs("a", "b"), "ns": nums("1"), "bs": bins("x"), "one": strs("a"),
		}
	}
	cases := map[string]func(i item){
		"SET n = :one":                                      func(i item) { i["n"] = num("1") },
		"set n = n + :one":                                  func(i item) { i["n"] = num("11") },
		"SET n = n - :half":                                 func(i item) { i["n"] = num("9.5") },
		"SET n = :one - n":                                  func(i item) { i["n"] = num("-9") },
		"SET n = (n + :one)":                                func(i item) { i["n"] = num("11") },
		"SET c = if_not_exists(c, :one)":                    func(i item) { i["c"] = num("1") },
		"SET n = if_not_exists(n, :one)":                    func(item) {},
		"SET c = if_not_exists(c, n) + :one":                func(i item) { i["c"] = num("11") },
		"SET c = if_not_exists(c, nope)":                    nil,
		"SET l = list_append(l, :l)":                        func(i item) { i["l"] = many(num("0"), num("1"), num("2"), num("3"), num("8")) },
		"SET l = list_append(:l, l)":                        func(i item) { i["l"] = many(num("8"), num("0"), num("1"), num("2"), num("3")) },
		"SET q = list_append(if_not_exists(q, :empty), :l)": func(i item) { i["q"] = many(num("8")) },
		"SET s = n, n = s":                                  func(i item) { i["s"], i["n"] = num("10"), str("old") },
		"SET m.k = :s":                                      func(i item) { i["m"].(*mapValue).Value["k"] = str("x") },
		"SET m.#n = :s":                                     func(i item) { i["m"].(*mapValue).Value["name"] = str("x") },
		"SET m.l[0].x = n":                                  func(i item) { i["m"].(*mapValue).Value["l"] = many(doc(item{"x": num("10")})) },
		"SET l[1] = :s":                                     func(i item) { i["l"] = many(num("0"), str("x"), num("2"), num("3")) },
		"SET l[9] = :s, l[7] = :one":                        func(i item) { i["l"] = many(num("0"), num("1"), num("2"), num("3"), num("1"), str("x")) },
		"SET l[9] = :s REMOVE l[0], l[2]":                   func(i item) { i["l"] = many(num("1"), num("3"), str("x")) },
		"REMOVE l[1], l[2]":                                 func(i item) { i["l"] = many(num("0"), num("3")) },
		"REMOVE l[0], l[9]":                                 func(i item) { i["l"] = many(num("1"), num("2"), num("3")) },
		"REMOVE n, m.k, nope":                               func(i item) { delete(i, "n"); delete(i["m"].(*mapValue).Value, "k") },
		"REMOVE m.l[0].x":                                   func(i item) { i["m"].(*mapValue).Value["l"] = many(doc(item{})) },
		"ADD n :one":                                        func(i item) { i["n"] = num("11") },
		"ADD fresh :half":                                   func(i item) { i["fresh"] = num("0.5") },
		"ADD m.k :one":                                      func(i item) { i["m"].(*mapValue).Value["k"] = num("6") },
		"ADD ss :ss":                                        func(i item) { i["ss"] = strs("a", "b", "c") },
		"ADD ns :ns, bs :bs":                                func(i item) { i["ns"], i["bs"] = nums("1", "2"), bins("x", "y") },
		"ADD fresh :ss":                                     func(i item) { i["fresh"] = strs("b", "c") },
		"DELETE ss :ss":                                     func(i item) { i["ss"] = strs("a") },
		"DELETE one :a":                                     func(i item) { delete(i, "one") },
		"DELETE nope :a":                                    func(item) {},
		"DELETE ns :ns":                                     func(item) {},
		"SET #d = :s REMOVE n ADD fresh :one DELETE ss :ss": func(i item) {
			i["a.b"], i["fresh"], i["ss"] = str("x"), num("1"), strs("a")
			delete(i, "n")
		},
	}
	for text, change := range cases {
		t.Run(text, func(t *testing.T) {
			u, err := expr.ParseUpdate(text, env(t, values()))
			require.NoError(t, err)
			was := before()
			after, err := u.Apply(was)
			assert.Equal(t, before(), was, "the item itself must not change")
			if change == nil {
				assert.Equal(t, "The provided expression refers to an attribute that does not exist in the item", words(t, err))
				return
			}
			require.NoError(t, err)
			want := before()
			change(want)
			assert.Equal(t, want, after)
		})
	}
}

func TestUpdatesThatTheItemRefuses(t *testing.T) {
	const (
		wrongType = "An operand in the update expression has an incorrect data type"
		wrongPath = "The document path provided in the update expression is invalid for update"
		missing   = "The provided expression refers to an attribute that does not exist in the item"
	)
	before := item{"n": num("1"), "s": str("x"), "l": many(), "m": doc(item{}), "ss": strs("a"), "top": num("9e125")}
	cases := map[string]string{
		"SET a = b":                  missing,
		"SET a = b + :one":           missing,
		"SET a = list_append(b, :l)": missing,
		"SET a = s + :one":           wrongType,
		"SET a = :one - ss":          wrongType,
		"SET a = list_append(s, :l)": wrongType,
		"SET a.b = :one":             wrongPath,
		"SET s.b = :one":             wrongPath,
		"SET m[0] = :one":            wrongPath,
		"SET l.x = :one":             wrongPath,
		"SET m.x.y = :one":           wrongPath,
		"REMOVE a.b":                 wrongPath,
		"REMOVE s[0]":                wrongPath,
		"REMOVE m[0]":                wrongPath,
		"DELETE a.b :ss":             wrongPath,
		"ADD a.b :one":               wrongPath,
		"ADD s :one":                 wrongType,
		"ADD n :ss":                  wrongType,
		"ADD ss :ns":                 wrongType,
		"DELETE n :ss":               wrongType,
		"ADD top :huge":              "Number overflow. Attempting to store a number with magnitude larger than supported range",
		"SET n = top + :one":         "Attempting to store more than 38 significant digits in a Number",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			u, err := expr.ParseUpdate(text, env(t, values()))
			require.NoError(t, err)
			_, err = u.Apply(before)
			assert.Equal(t, want, words(t, err))
		})
	}
}

func TestUpdatesThatAreRefused(t *testing.T) {
	cases := map[string]string{
		"":                              "The expression can not be empty;",
		"a = :one":                      `Syntax error; token: "a", near: "a ="`,
		"SET":                           `Syntax error; token: "<EOF>", near: "SET"`,
		"SET a":                         `Syntax error; token: "<EOF>", near: "a"`,
		"SET a = :one,":                 `Syntax error; token: "<EOF>", near: ","`,
		"SET a = :one b = :s":           `Syntax error; token: "b", near: ":one b ="`,
		"SET a = b + c + :one":          `Syntax error; token: "+", near: "c + :one"`,
		"SET a = (b + c) + :one":        `Syntax error; token: "+", near: ") + :one"`,
		"SET a = b * c":                 `Syntax error; token: "*", near: "b * c"`,
		"ADD a b":                       `Syntax error; token: "b", near: "a b"`,
		"REMOVE a = :one":               `Syntax error; token: "=", near: "a = :one"`,
		"SET name = :one":               "Attribute name is a reserved keyword; reserved keyword: name",
		"SET #x = :one":                 "An expression attribute name used in the document path is not defined; attribute name: #x",
		"SET a = :x":                    "An expression attribute value used in expression is not defined; attribute value: :x",
		"SET a = :one SET b = :s":       `The "SET" section can only be used once in an update expression;`,
		"REMOVE a set b = :s remove c":  `The "REMOVE" section can only be used once in an update expression;`,
		"SET a = f(b)":                  "Invalid function name; function: f",
		"SET a = if_not_exists(b)":      "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET a = if_not_exists(:s, :s)": "Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = list_append(b, :s)":    "Incorrect operand type for operator or function; operator or function: list_append, operand type: S",
		"SET a = b + :s":                "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET a = b - :t":                "Incorrect operand type for operator or function; operator or function: -, operand type: BOOL",
		"ADD a :s":                      "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
		"ADD a :l":                      "Incorrect operand type for operator or function; operator: ADD, operand type: LIST",
		"DELETE a :one":                 "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER",
		"DELETE a :m":                   "Incorrect operand type for operator or function; operator: DELETE, operand type: MAP",
		"SET a = :one, a = :s":          "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"SET a.b[1] = :one REMOVE a":    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b, [1]], path two: [a]",
		"SET a.b = :one, a[0] = :s":     "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			_, err := expr.ParseUpdate(text, env(t, values()))
			assert.Equal(t, "Invalid UpdateExpression: "+want, words(t, err))
		})
	}
}
