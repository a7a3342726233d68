package template_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// parse reads a template with one resource besides what the test is about.
func parse(t *testing.T, sections string) *template.Template {
	t.Helper()
	parsed, err := template.Parse([]byte(`{` + sections + `"Resources": {"R": {"Type": "T"}}}`))
	require.NoError(t, err)
	return parsed
}

func lines(found template.ValidationError) []string {
	var out []string
	for _, p := range found {
		out = append(out, p.String())
	}
	return out
}

func TestParseReportsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	_, err := template.Parse([]byte(`{"Transform": "AWS::Serverless-2016-10-31", "Description": 1, "Outputs": [],
		"Parameters": {"P": {"Type": "String", "Colour": "red"}},
		"Resources": {"A": {"Type": "T", "DependsOn": 1}, "B": {"Type": 2}, "C": {"Type": "T", "DependsOn": ["A", "B"]}}}`))
	var found template.ValidationError
	require.ErrorAs(t, err, &found)
	assert.Equal(t, []string{
		"Description: is not a text",
		"Output: the section is not an object",
		`P (Parameter): unknown field "Colour"`,
		"A (Resource): is neither a name nor a list of names",
		"B (Resource): cannot unmarshal number into Go struct field Resource.Type of type string",
		`transform "AWS::Serverless-2016-10-31" is not supported`,
	}, lines(found))

	_, err = template.Parse([]byte(`{"Resources": }`))
	require.ErrorContains(t, err, "read template: invalid character")
	_, err = template.Parse([]byte("{}"))
	require.EqualError(t, err, "template has 1 problem(s)\n  the template has no resources")
}

func TestValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parameter string
		given     map[string]string
		want      any
		problem   string
	}{
		"text":            {`{"Type": "String"}`, map[string]string{"P": "a"}, "a", ""},
		"default":         {`{"Type": "Number", "Default": 7}`, nil, "7", ""},
		"list":            {`{"Type": "CommaDelimitedList", "Default": "a, b,c"}`, nil, []any{"a", "b", "c"}, ""},
		"ssm":             {`{"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/known"}`, nil, "value of /known", ""},
		"missing":         {`{"Type": "String"}`, nil, nil, "has no value and no default"},
		"no number":       {`{"Type": "Number"}`, map[string]string{"P": "x"}, nil, `value "x" is not a number`},
		"too small":       {`{"Type": "Number", "MinValue": 2}`, map[string]string{"P": "1"}, nil, "value 1 is below the minimum 2"},
		"too large":       {`{"Type": "Number", "MaxValue": "2"}`, map[string]string{"P": "3"}, nil, "value 3 is above the maximum 2"},
		"too short":       {`{"Type": "String", "MinLength": 2}`, map[string]string{"P": "é"}, nil, "length 1 is below the minimum 2"},
		"too long":        {`{"Type": "String", "MaxLength": "2"}`, map[string]string{"P": "abc"}, nil, "length 3 is above the maximum 2"},
		"bad bound":       {`{"Type": "String", "MaxLength": "two"}`, map[string]string{"P": "abc"}, nil, `bound "two" is not a number`},
		"not allowed":     {`{"Type": "String", "AllowedValues": ["a", 1]}`, map[string]string{"P": "b"}, nil, `value "b" is not one of AllowedValues`},
		"allowed":         {`{"Type": "String", "AllowedValues": ["a", 1]}`, map[string]string{"P": "1"}, "1", ""},
		"no match":        {`{"Type": "String", "AllowedPattern": "a|b"}`, map[string]string{"P": "ab"}, nil, `value "ab" does not match AllowedPattern a|b`},
		"bad pattern":     {`{"Type": "String", "AllowedPattern": "("}`, map[string]string{"P": ""}, nil, "AllowedPattern: error parsing regexp: missing closing ): `\\A(?:()\\z`"},
		"element refused": {`{"Type": "CommaDelimitedList", "AllowedValues": ["a"]}`, map[string]string{"P": "a,b"}, nil, `value "b" is not one of AllowedValues`},
		"unknown ssm":     {`{"Type": "AWS::SSM::Parameter::Value<String>"}`, map[string]string{"P": "/x"}, nil, "read parameter /x: nobody knows it"},
		"unknown type":    {`{"Type": "List<Number>"}`, map[string]string{"P": "1"}, nil, `type "List<Number>" is not supported`},
		"unknown name":    {`{"Type": "String", "Default": ""}`, map[string]string{"Q": "1"}, "", "is given, but the template does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, found := parse(t, `"Parameters": {"P": `+c.parameter+`}, `).Values(c.given, func(_, name string) (string, error) {
				if name != "/known" {
					return "", errors.New("nobody knows it")
				}
				return "value of " + name, nil
			})
			assert.Equal(t, c.want, values["P"])
			var reasons []string
			for _, p := range found {
				reasons = append(reasons, p.Reason)
			}
			assert.Equal(t, c.problem, strings.Join(reasons, "; "))
		})
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"Fn::Equals": ["a", {"Ref": "A"}]}`:                           true,
		`{"Fn::Equals": ["1", 1]}`:                                      true,
		`{"Fn::Equals": ["a", "b"]}`:                                    false,
		`{"Fn::Equals": [["a"], ["a"]]}`:                                true,
		`{"Fn::Not": [{"Condition": "Yes"}]}`:                           false,
		`{"Fn::And": [{"Condition": "Yes"}, {"Condition": "Yes"}]}`:     true,
		`{"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}`:      false,
		`{"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}`:       true,
		`{"Fn::Or": [{"Condition": "No"}, {"Condition": "No"}]}`:        false,
		`{"Fn::Equals": [{"Fn::FindInMap": ["M", "a", "b"]}, "found"]}`: true,
		`{"Condition": "Yes"}`:                                          true,
	} {
		s, found := parse(t, `"Mappings": {"M": {"a": {"b": "found"}}}, "Conditions": {"Yes": {"Fn::Equals": [1, 1]},
			"No": {"Fn::Equals": [1, 2]}, "X": `+text+`}, `).Scope(map[string]any{"A": "a"}, nil)
		require.Empty(t, found, text)
		got, err := s.Holds("X")
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}

func TestConditionsThatCannotBeEvaluated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"Condition": "X"}`:                       `condition "X" depends on itself`,
		`{"Fn::Not": [{"Condition": "None"}]}`:     `condition "None" does not exist`,
		`{"Fn::And": [{"Condition": "X"}]}`:        "Fn::And wants a list of 2 to 10, not of 1",
		`{"Fn::Equals": ["a", {"Ref": "R"}]}`:      `Ref: "R" is not a parameter, and resources cannot be used here`,
		`"yes"`:                                    "is not a condition",
		`{"Condition": ["X"]}`:                     "Condition: wants a name",
		`{"Fn::Equals": ["a", {"Fn::Sub": "${"}]}`: "Fn::Sub: ${ without }",
	} {
		_, found := parse(t, `"Conditions": {"X": `+text+`}, `).Scope(nil, nil)
		assert.Equal(t, []string{"X (Condition): " + want}, lines(found), text)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	const never = `{"Fn::Contains": [["a"], "b"]}`
	for text, want := range map[string][]string{
		`{"Assertions": [{"Assert": ` + never + `, "AssertDescription": "must be a"}, {"Assert": ` + never + `}]}`: {
			"X (Rule): must be a", "X (Rule): the assertion does not hold",
		},
		`{"RuleCondition": ` + never + `, "Assertions": [{"Assert": ` + never + `}]}`: nil,
		`{"Assertions": [{"Assert": {"Fn::Contains": [["a", "b"], "b"]}}]}`:           nil,
		`{"Assertions": [{"Assert": {"Fn::EachMemberIn": [["a"], ["b"]]}}]}`: {
			"X (Rule): Assert: Fn::EachMemberIn is not supported in a condition",
		},
	} {
		_, found := parse(t, `"Rules": {"X": `+text+`}, `).Scope(nil, nil)
		assert.Equal(t, want, lines(found), text)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	order, cycle := template.Order(map[string][]string{"a": {"c"}, "b": nil, "c": {"b", "elsewhere"}, "d": {"a", "a"}})
	assert.Equal(t, []string{"b", "c", "a", "d"}, order)
	assert.Nil(t, cycle)

	order, cycle = template.Order(map[string][]string{"a": {"z"}, "y": {"x"}, "x": {"z"}, "z": {"y"}, "free": nil})
	assert.Nil(t, order)
	assert.Equal(t, []string{"x", "z", "y", "x"}, cycle)

	_, cycle = template.Order(map[string][]string{"a": {"a"}})
	assert.Equal(t, "circular dependency between resources: a -> a", template.Circular(cycle))
}

// decode reads JSON as templates are read.
func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
