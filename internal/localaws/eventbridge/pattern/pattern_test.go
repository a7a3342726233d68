package pattern_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
)

// The event of the EventBridge user guide, "Amazon EventBridge event patterns",
// with the fields of aws/event-ruler's README.
const sample = `{
  "version": "0", "id": "ddddd4-aaaa-7777-4444-345dd43cc333",
  "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "account": "012345679012",
  "time": "2017-10-02T16:24:49Z", "region": "us-east-1",
  "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000", "arn:aws:ec2:us-east-1:123456789012:instance/i-2"],
  "detail": {
    "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33", "ipv6": "2001:db8::7", "state": "running",
    "enabled": true, "nothing": null, "empty": "", "file": "dir/lib/a.PNG", "none": [],
    "children": [{"name": "a", "age": 1}, {"name": "b", "age": 2}], "matrix": [[1, 2], [3]]
  }
}`

func TestMatch(t *testing.T) {
	for name, c := range map[string]struct {
		pattern string
		want    bool
	}{
		"exact values and any of a list": {`{"source":["aws.ec2"],"detail":{"state":["initializing","running"]}}`, true},
		"another value":                  {`{"source":["aws.ecs"]}`, false},
		"all fields must match":          {`{"source":["aws.ec2"],"region":["eu-west-1"]}`, false},
		"case matters":                   {`{"source":["AWS.EC2"]}`, false},
		"key that is not there":          {`{"detail":{"colour":["red"]}}`, false},
		"array of the event: any":        {`{"resources":["x","arn:aws:ec2:us-east-1:123456789012:instance/i-2"]}`, true},
		"array of the event: none":       {`{"resources":["x"]}`, false},
		"arrays in arrays":               {`{"detail":{"matrix":[3]}}`, true},
		"number":                         {`{"detail":{"c-count":[5]}}`, true},
		"number written otherwise":       {`{"detail":{"c-count":[5.0],"x-limit":[3.018e2]}}`, true},
		"number is no string":            {`{"detail":{"c-count":["5"]}}`, false},
		"boolean":                        {`{"detail":{"enabled":[true]}}`, true},
		"other boolean":                  {`{"detail":{"enabled":[false]}}`, false},
		"null":                           {`{"detail":{"nothing":[null]}}`, true},
		"null is not absent":             {`{"detail":{"colour":[null]}}`, false},
		"null is not empty":              {`{"detail":{"empty":[null]}}`, false},
		"empty string":                   {`{"detail":{"empty":[""]}}`, true},

		"prefix":                    {`{"time":[{"prefix":"2017-10-02"}]}`, true},
		"prefix of something else":  {`{"time":[{"prefix":"2018"}]}`, false},
		"prefix ignoring case":      {`{"source":[{"prefix":{"equals-ignore-case":"AWS."}}]}`, true},
		"suffix":                    {`{"source":[{"suffix":"ec2"}]}`, true},
		"suffix in other case":      {`{"detail":{"file":[{"suffix":".png"}]}}`, false},
		"suffix ignoring case":      {`{"detail":{"file":[{"suffix":{"equals-ignore-case":".png"}}]}}`, true},
		"equals ignoring case":      {`{"detail":{"state":[{"equals-ignore-case":"RUNNING"}]}}`, true},
		"not equal ignoring case":   {`{"detail":{"state":[{"equals-ignore-case":"RUN"}]}}`, false},
		"wildcard":                  {`{"detail":{"file":[{"wildcard":"dir/*.PNG"}]}}`, true},
		"wildcard twice":            {`{"detail":{"file":[{"wildcard":"*/lib/*"}]}}`, true},
		"wildcard and no match":     {`{"detail":{"file":[{"wildcard":"*/bin/*"}]}}`, false},
		"wildcard may be empty":     {`{"detail":{"state":[{"wildcard":"run*ning*"}]}}`, true},
		"wildcard does not overlap": {`{"detail":{"state":[{"wildcard":"runn*nning"}]}}`, false},
		"escaped wildcard":          {`{"detail":{"state":[{"wildcard":"run\\*"}]}}`, false},

		"anything but a string":         {`{"detail":{"state":[{"anything-but":"initializing"}]}}`, true},
		"anything but this string":      {`{"detail":{"state":[{"anything-but":"running"}]}}`, false},
		"anything but strings":          {`{"detail":{"state":[{"anything-but":["stopped","running"]}]}}`, false},
		"anything but a number":         {`{"detail":{"c-count":[{"anything-but":123}]}}`, true},
		"anything but numbers":          {`{"detail":{"x-limit":[{"anything-but":[100,301.8]}]}}`, false},
		"anything but, and null":        {`{"detail":{"nothing":[{"anything-but":"x"}]}}`, true},
		"anything but, and absent":      {`{"detail":{"colour":[{"anything-but":"x"}]}}`, false},
		"anything but a prefix":         {`{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}`, true},
		"anything but prefixes":         {`{"detail":{"state":[{"anything-but":{"prefix":["init","run"]}}]}}`, false},
		"anything but a suffix":         {`{"detail":{"state":[{"anything-but":{"suffix":"ning"}}]}}`, false},
		"anything but ignoring case":    {`{"detail":{"state":[{"anything-but":{"equals-ignore-case":["X","Running"]}}]}}`, false},
		"anything but a wildcard":       {`{"detail":{"file":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, false},
		"anything but prefix, a number": {`{"detail":{"c-count":[{"anything-but":{"prefix":"5"}}]}}`, true},

		"numeric equals":           {`{"detail":{"x-limit":[{"numeric":["=",3.018e2]}]}}`, true},
		"numeric range":            {`{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}]}}`, true},
		"numeric range, outside":   {`{"detail":{"c-count":[{"numeric":[">",0,"<",5]}]}}`, false},
		"numeric and a string":     {`{"detail":{"state":[{"numeric":[">",0]}]}}`, false},
		"cidr":                     {`{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
		"cidr, outside":            {`{"detail":{"source-ip":[{"cidr":"10.0.1.0/24"}]}}`, false},
		"cidr of IPv6":             {`{"detail":{"ipv6":[{"cidr":"2001:db8::/32"}]}}`, true},
		"cidr and no address":      {`{"detail":{"state":[{"cidr":"10.0.0.0/8"}]}}`, false},
		"exists":                   {`{"detail":{"state":[{"exists":true}]}}`, true},
		"exists, but null":         {`{"detail":{"nothing":[{"exists":true}]}}`, true},
		"exists and does not":      {`{"detail":{"colour":[{"exists":true}]}}`, false},
		"does not exist":           {`{"detail":{"colour":[{"exists":false}]}}`, true},
		"parent does not exist":    {`{"other":{"colour":[{"exists":false}]}}`, true},
		"an object is no leaf":     {`{"detail":[{"exists":false}]}`, true},
		"an empty array is absent": {`{"detail":{"none":[{"exists":false}]}}`, true},
		"does not exist or equals": {`{"detail":{"colour":[{"exists":false},"red"]}}`, true},

		"or":                     {`{"$or":[{"source":["x"]},{"detail":{"state":["running"]}}]}`, true},
		"or without a match":     {`{"$or":[{"source":["x"]},{"region":["x"]}]}`, false},
		"or and other fields":    {`{"source":["x"],"$or":[{"region":["x"]},{"region":["us-east-1"]}]}`, false},
		"nested or":              {`{"detail":{"$or":[{"c-count":[{"numeric":[">",9]}]},{"d-count":[{"numeric":["<",9]}]}]}}`, true},
		"same element":           {`{"detail":{"children":{"name":["b"],"age":[2]}}}`, true},
		"not in one and another": {`{"detail":{"children":{"name":["a"],"age":[2]}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := pattern.Parse(c.pattern)
			require.NoError(t, err)
			e, err := pattern.Decode([]byte(sample))
			require.NoError(t, err)
			assert.Equal(t, c.want, p.Match(e))
		})
	}
}

func TestParseNamesThePlaceOfAMistake(t *testing.T) {
	for source, want := range map[string]string{
		`[1]`:                                              "Filter is not an object (1:1)",
		`{}`:                                               "Empty objects are not allowed (1:1)",
		"{\n  \"source\": \"x\"\n}":                        `"source" must be an object or an array (2:13)`,
		`{"int": 42}`:                                      `"int" must be an object or an array (1:9)`,
		`{"resources": []}`:                                "Empty arrays are not allowed (1:15)",
		`{"a":[["x"]]}`:                                    "Match value must be String, number, true, false, or null (1:7)",
		`{"a":[{}]}`:                                       "Match expression name not found (1:7)",
		`{"a":[{"NUMERIC":["=",5]}]}`:                      "Unrecognized match type NUMERIC (1:18)",
		`{"a":[{"prefix":"x","suffix":"y"}]}`:              "Only one key allowed in match expression (1:30)",
		`{"a":[{"prefix":5}]}`:                             "prefix match pattern must be a string (1:17)",
		`{"a":[{"prefix":{"suffix":"x"}}]}`:                "Unsupported prefix pattern: suffix (1:27)",
		`{"a":[{"equals-ignore-case":["x"]}]}`:             "equals-ignore-case match pattern must be a string (1:29)",
		`{"a":[{"wildcard":"a**b"}]}`:                      "Consecutive wildcard characters at pos 1 (1:19)",
		`{"a":[{"wildcard":"a\\b"}]}`:                      "Invalid escape character at pos 1 (1:19)",
		`{"a":[{"exists":"yes"}]}`:                         "exists match pattern must be either true or false. (1:17)",
		`{"a":[{"anything-but":[1,"x"]}]}`:                 "Inside anything but list, either all values are number or string, mixed type is not supported (1:26)",
		`{"a":[{"anything-but":[null]}]}`:                  "Inside anything but list, start|null|boolean is not supported. (1:24)",
		`{"a":[{"anything-but":{"prefix":""}}]}`:           "Null prefix/suffix not allowed (1:33)",
		`{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}`:   "Unsupported anything-but pattern: cidr (1:31)",
		`{"a":[{"numeric":5}]}`:                            "Value of numeric must be an array. (1:18)",
		`{"a":[{"numeric":["!",5]}]}`:                      "Unrecognized numeric range operator: ! (1:19)",
		`{"a":[{"numeric":[">",0,">",0]}]}`:                "Bad numeric range operator: > (1:25)",
		`{"a":[{"numeric":["<",0,"<",5]}]}`:                "Too many elements in numeric expression (1:25)",
		`{"a":[{"numeric":[">"]}]}`:                        "Value of > must be numeric (1:19)",
		`{"a":[{"numeric":["=",5e9,"<",6]}]}`:              "Too many elements in numeric expression (1:27)",
		`{"a":[{"numeric":["=",5000000001]}]}`:             "Value must be between -5000000000 and 5000000000, inclusive (1:23)",
		`{"a":[{"cidr":"10.0.0.0"}]}`:                      `Malformed CIDR, "10.0.0.0" (1:15)`,
		`{"$or":[{"a":["x"]},{"b":"y"}]}`:                  `"b" must be an object or an array (1:26)`,
		`{"a":["x"]} {}`:                                   "Something follows the pattern (1:14)",
		`{"$or":[{"prefix":"abc"},{"numeric":["=",123]}]}`: "",
	} {
		t.Run(source, func(t *testing.T) {
			_, err := pattern.Parse(source)
			if want == "" {
				require.NoError(t, err)
				return
			}
			var e *pattern.Error
			require.ErrorAs(t, err, &e)
			place, marshalErr := json.Marshal([]int{e.Line, e.Column})
			require.NoError(t, marshalErr)
			assert.Equal(t, want, e.Reason+" ("+strings.Replace(string(place[1:len(place)-1]), ",", ":", 1)+")")
		})
	}
}

func TestErrorIsWordedAsEventBridgeWordsIt(t *testing.T) {
	_, err := pattern.Parse(`{"resources": []}`)
	require.EqualError(t, err, "Event pattern is not valid. Reason: Empty arrays are not allowed\n"+
		` at [Source: (String)"{"resources": []}"; line: 1, column: 15]`)
}

func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		`{"detail":{"state":["running",1,null,{"prefix":"a"}]}}`, `{"$or":[{"a":["x"]},{"b":[{"numeric":[">",1,"<",2]}]}]}`,
		`{"a":[{"anything-but":{"wildcard":"*x*"}}]}`, `{"a":[{"cidr":"::/0"}]}`, `{"a":`, `{"a":[{"wildcard":"\\*"}]}`,
	} {
		f.Add(seed, sample)
	}
	f.Fuzz(func(t *testing.T, source, event string) {
		p, err := pattern.Parse(source)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		assert.True(t, json.Valid([]byte(source)), "accepted what is no JSON: %q", source)
		e, err := pattern.Decode([]byte(event))
		if err != nil {
			return
		}
		again, err := pattern.Parse(source)
		require.NoError(t, err)
		assert.Equal(t, p.Match(e), again.Match(e))
	})
}
