package template_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// scope has a parameter A, a list L, a map M, an import and two conditions.
func scope(tb testing.TB) *template.Scope {
	tb.Helper()
	parsed, err := template.Parse([]byte(`{"Mappings": {"M": {"east": {"size": "large", "zones": ["a", "b"]}}},
		"Conditions": {"Yes": {"Fn::Equals": [1, 1]}, "No": {"Fn::Equals": [1, 2]}}, "Resources": {"R": {"Type": "T"}}}`))
	require.NoError(tb, err)
	s, found := parsed.Scope(map[string]any{"A": "a", "L": []any{"x", "y"}, "AWS::Region": "east"}, map[string]string{"shared": "imported"})
	require.Empty(tb, found)
	return s
}

// lookup knows a resource R with an attribute Arn, and one that is not made.
func lookup(id, attribute string) (any, error) {
	switch {
	case id == "Later":
		return template.Unknown{}, nil
	case id != "R":
		return nil, template.NoSuch(id)
	case attribute == "":
		return "r-1", nil
	case attribute == "Arn" || attribute == "Outputs.Arn":
		return "arn:r-1", nil
	default:
		return nil, errors.New("no such attribute")
	}
}

func TestEval(t *testing.T) {
	t.Parallel()
	later := template.Unknown{}
	for text, want := range map[string]any{
		`"plain"`:                         "plain",
		`1.50`:                            json.Number("1.50"),
		`true`:                            true,
		`{"Ref": "A"}`:                    "a",
		`{"Ref": "R"}`:                    "r-1",
		`{"Ref": "L"}`:                    []any{"x", "y"},
		`{"Fn::GetAtt": ["R", "Arn"]}`:    "arn:r-1",
		`{"Fn::GetAtt": "R.Arn"}`:         "arn:r-1",
		`{"Fn::GetAtt": "R.Outputs.Arn"}`: "arn:r-1",
		`{"Fn::GetAtt": ["R", {"Fn::Sub": "Arn"}]}`:                           "arn:r-1",
		`{"Fn::Join": ["-", ["a", 1, true, {"Ref": "R"}]]}`:                   "a-1-true-r-1",
		`{"Fn::Join": ["-", {"Ref": "L"}]}`:                                   "x-y",
		`{"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}]]}`:                 "a",
		`{"Fn::Sub": "${A} ${R} ${R.Arn} ${AWS::Region} ${!A} $A"}`:           "a r-1 arn:r-1 east ${A} $A",
		`{"Fn::Sub": ["${X}-${A}", {"X": {"Ref": "R"}, "A": "mine"}]}`:        "r-1-mine",
		`{"Fn::If": ["Yes", "y", {"Ref": "Nobody"}]}`:                         "y",
		`{"Fn::If": ["No", "y", {"Ref": "A"}]}`:                               "a",
		`{"Fn::Select": [1, ["a", "b"]]}`:                                     "b",
		`{"Fn::Select": ["0", {"Fn::Split": ["|", "p|q"]}]}`:                  "p",
		`{"Fn::Split": [",", "a,,b"]}`:                                        []any{"a", "", "b"},
		`{"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "size"]}`:            "large",
		`{"Fn::Select": [0, {"Fn::FindInMap": ["M", "east", "zones"]}]}`:      "a",
		`{"Fn::ImportValue": {"Fn::Sub": "shared"}}`:                          "imported",
		`{"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, "c"]}`: map[string]any{"b": []any{"c"}},
		`{"Fn::If": ["No", "y", {"Ref": "AWS::NoValue"}]}`:                    nil,
		`{"Condition": {"Ref": "A"}}`:                                         map[string]any{"Condition": "a"},
		`{"Ref": "A", "Other": {"Ref": "A"}}`:                                 map[string]any{"Ref": "A", "Other": "a"},
		`{"Ref": "Later"}`:                                                    later,
		`{"Fn::Join": ["", ["a", {"Ref": "Later"}]]}`:                         later,
		`{"Fn::Sub": "a ${Later.Arn}"}`:                                       later,
		`{"Fn::Select": [0, {"Fn::Split": ["/", {"Ref": "Later"}]}]}`:         later,
		`["a", {"Ref": "Later"}]`:                                             []any{"a", later},
	} {
		v, err := decode(text)
		require.NoError(t, err, text)
		got, faults := scope(t).Eval(v, lookup)
		assert.Empty(t, faults, text)
		assert.Equal(t, want, got, text)
	}
}

func TestEvalNamesFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]template.Fault{
		`{"a": [{"b": {"Ref": "X"}}]}`:        {Path: "a[0].b", Reason: `Ref: "X" is neither a parameter nor a resource of the template`},
		`{"Ref": "AWS::NotificationARNs"}`:    {Reason: `Ref: pseudo parameter "AWS::NotificationARNs" is not supported`},
		`{"Ref": 1}`:                          {Reason: "Ref: wants a name"},
		`{"Fn::GetAtt": "R"}`:                 {Reason: "Fn::GetAtt: wants a logical id and an attribute"},
		`{"Fn::GetAtt": ["R", "Nope"]}`:       {Reason: "Fn::GetAtt: no such attribute"},
		`{"Fn::GetAtt": ["A", "Arn"]}`:        {Reason: `Fn::GetAtt: "A" is neither a parameter nor a resource of the template`},
		`{"Fn::Join": ["-"]}`:                 {Reason: "Fn::Join: wants a list of two"},
		`{"Fn::Join": ["-", "a"]}`:            {Reason: "Fn::Join: wants a list"},
		`{"Fn::Join": ["-", [["a"]]]}`:        {Reason: "Fn::Join: wants texts"},
		`{"Fn::Sub": ["a"]}`:                  {Reason: "Fn::Sub: wants a text, alone or with an object of names"},
		`{"Fn::Sub": ["a", "b"]}`:             {Reason: "Fn::Sub: wants an object of names"},
		`{"Fn::Sub": "${L}"}`:                 {Reason: "Fn::Sub: ${L} is not a text"},
		`{"Fn::Sub": "${Nobody}"}`:            {Reason: `Fn::Sub: "Nobody" is neither a parameter nor a resource of the template`},
		`{"Fn::If": ["Maybe", 1, 2]}`:         {Reason: `Fn::If: condition "Maybe" does not exist`},
		`{"Fn::If": ["", 1, 2]}`:              {Reason: "Fn::If: wants the name of a condition"},
		`{"Fn::If": [1]}`:                     {Reason: "Fn::If: wants a condition and two values"},
		`{"Fn::Select": [2, ["a"]]}`:          {Reason: "Fn::Select: no element 2 in a list of 1"},
		`{"Fn::Split": ["", "a"]}`:            {Reason: "Fn::Split: the delimiter is empty"},
		`{"Fn::FindInMap": ["M", "x", "y"]}`:  {Reason: "Fn::FindInMap: no M.x.y in Mappings"},
		`{"Fn::FindInMap": ["M"]}`:            {Reason: "Fn::FindInMap: wants a map and two keys"},
		`{"Fn::ImportValue": "none"}`:         {Reason: `Fn::ImportValue: no stack exports "none"`},
		`{"Fn::ForEach::X": ["a", [], {}]}`:   {Reason: "intrinsic function Fn::ForEach::X is not supported"},
		`{"Fn::Sub": "a", "b": 1}`:            {Path: "Fn::Sub", Reason: "Fn::Sub must be the only key of its object"},
		`{"a": null}`:                         {Path: "a", Reason: "null is not allowed in templates"},
		`["{{resolve:ssm:/x}}"]`:              {Path: "[0]", Reason: "dynamic reference {{resolve:ssm:/x}} is not supported here"},
		`{"Fn::Sub": "{{resolve:ssm:${A}}}"}`: {Reason: "dynamic reference {{resolve:ssm:a}} is not supported here"},
	} {
		v, err := decode(text)
		require.NoError(t, err, text)
		_, faults := scope(t).Eval(v, lookup)
		assert.Equal(t, []template.Fault{want}, faults, text)
	}
}

// Whatever a template says, evaluation ends with a value of the known forms,
// without intrinsic functions in it or with a fault, and the same each time.
func FuzzEval(f *testing.F) {
	for _, text := range []string{
		`{"Fn::Join": ["-", ["a", {"Ref": "R"}]]}`, `{"Fn::Sub": ["${X}${!Y}", {"X": 1}]}`, `{"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, 1]}`,
		`{"Fn::Select": [-1, {"Fn::Split": ["", ""]}]}`, `{"Fn::GetAtt": [["R"], null]}`, `{"Fn::FindInMap": [{"Ref": "L"}, 1, true]}`, `[[{}]]`,
	} {
		f.Add(text)
	}
	s := scope(f)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := decode(text)
		if err != nil {
			t.Skip()
		}
		got, faults := s.Eval(v, lookup)
		again, more := s.Eval(v, lookup)
		if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(faults, more) {
			t.Fatalf("%s gives %v, then %v", text, got, again)
		}
		if got != nil && len(faults) == 0 {
			check(t, text, got)
		}
	})
}

func check(t *testing.T, text string, v any) {
	t.Helper()
	switch v := v.(type) {
	case string, bool, json.Number, template.Unknown:
	case []any:
		for _, one := range v {
			check(t, text, one)
		}
	case map[string]any:
		for name, one := range v {
			if len(name) > 4 && name[:4] == "Fn::" {
				t.Fatalf("%s leaves %s", text, name)
			}
			check(t, text, one)
		}
	default:
		t.Fatalf("%s gives a %T", text, v)
	}
}
