package filter_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
)

// The events of the examples in the user guide, "Match terms in unstructured
// log events".
const (
	badRequest   = "[ERROR 400] BAD REQUEST"
	unauthorized = "[ERROR 401] UNAUTHORIZED REQUEST"
	missing      = "[ERROR 419] MISSING ARGUMENTS"
	invalid      = "[ERROR 420] INVALID ARGUMENTS"
)

// trail is the event of the examples in the user guide, "Match terms in JSON
// log events", with some more members.
const trail = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","errors":4,"rate":0.25,"good":true,"bad":false}`

func TestTermsMatchAsDocumented(t *testing.T) {
	all := []string{badRequest, unauthorized, missing, invalid}
	for pattern, want := range map[string][]string{
		"":                      all,
		"  ":                    all,
		"ERROR":                 all,
		"ERROR ARGUMENTS":       {missing, invalid},
		"?ERROR ?ARGUMENTS":     all,
		"?INVALID ?BAD":         {badRequest, invalid},
		"?BAD INVALID":          {invalid}, // with other terms, those with ? do not count
		"ERROR -ARGUMENTS":      {badRequest, unauthorized},
		"-ARGUMENTS":            {badRequest, unauthorized},
		`"INVALID ARGUMENTS"`:   {invalid},
		`-"[ERROR 400]"`:        {unauthorized, missing, invalid},
		"%AUTHORIZED%":          {unauthorized},
		`%ERROR 4[12][0-9]%`:    {missing, invalid},
		`%^.ERROR 4[0-9]0. B%`:  {badRequest},
		`ERROR %MISS|INVALID%`:  {missing, invalid},
		"error":                 nil,
		"ERROR ARGUMENTS BAD":   nil,
		`"a \"quoted\" phrase"`: nil,
	} {
		p, err := filter.Parse(pattern)
		require.NoError(t, err, pattern)
		var got []string
		for _, message := range all {
			if p.Match(message) {
				got = append(got, message)
			}
		}
		assert.Equal(t, want, got, pattern)
	}
}

func TestConditionsMatchAsDocumented(t *testing.T) {
	for pattern, want := range map[string]bool{
		`{ $.eventType = "UpdateTrail" }`:                                   true,
		`{ $.eventType = UpdateTrail }`:                                     true,
		`{$.eventType="UpdateTrail"}`:                                       true,
		`{ $.eventType = "Update*" }`:                                       true,
		`{ $.eventType = "*" }`:                                             true,
		`{ $.eventType = "update*" }`:                                       false,
		`{ $.eventType != "DeleteTrail" }`:                                  true,
		`{ $.nothing != "DeleteTrail" }`:                                    false,
		`{ $.sourceIPAddress != 123.123.* }`:                                true,
		`{ $.sourceIPAddress = 111.111.* }`:                                 true,
		`{ $.arrayKey[0] = "value" }`:                                       true,
		`{ $.arrayKey[2] = "value" }`:                                       false,
		`{ $.arrayKey[*] = "another value" }`:                               true,
		`{ $.objectList[1].id = 2 }`:                                        true,
		`{ $.objectList[*].id = 2 }`:                                        true,
		`{ $.objectList[*].id = 3 }`:                                        false,
		`{ $.SomeObject IS NULL }`:                                          true,
		`{ $.nothing IS NULL }`:                                             false,
		`{ $.nothing NOT EXISTS }`:                                          true,
		`{ $.SomeObject NOT EXISTS }`:                                       false,
		`{ $.good IS TRUE && $.bad IS FALSE }`:                              true,
		`{ $.bad IS TRUE }`:                                                 false,
		`{ $['cluster.name'] = "c" }`:                                       true,
		`{ $.errors > 3 }`:                                                  true,
		`{ $.errors >= 4 && $.errors <= 4 }`:                                true,
		`{ $.errors < 4 }`:                                                  false,
		`{ $.errors = 4e0 }`:                                                true,
		`{ $.rate = 2.5e-1 }`:                                               true,
		`{ $.errors = "4" }`:                                                true,
		`{ $.eventType = %^Update[A-Z]% }`:                                  true,
		`{ $.eventType != %^Update[A-Z]% }`:                                 false,
		`{ ($.errors = 1 || $.errors = 4) && $.eventType = "UpdateTrail" }`: true,
		`{ $.errors = 4 || $.errors = 1 && $.eventType = "no" }`:            true,
		`{ ($.errors = 4 || $.errors = 1) && $.eventType = "no" }`:          false,
		`{ $.eventType = "UpdateTrail" && $.sourceIPAddress = "*111" }`:     true,
		`{ $.eventType.deeper = "UpdateTrail" }`:                            false,
		`{ $.objectList = "*" }`:                                            false,
	} {
		p, err := filter.Parse(pattern)
		require.NoError(t, err, pattern)
		assert.Equal(t, want, p.Match(trail), pattern)
		assert.False(t, p.Match("text"), "%s on what is no JSON", pattern)
	}
}

func TestPatternThatIsNoneIsRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"a:b":              "Invalid character(s) in term 'a:b'",
		"?":                "Invalid character(s) in term ''",
		`"open`:            "Unclosed quote in pattern",
		"%open":            "Unclosed regular expression in pattern",
		"%a(b)%":           "Invalid character '(' in regular expression",
		"%something!%":     "Invalid character '!' in regular expression",
		"%[%":              "Invalid regular expression [",
		"[ip, user]":       "patterns for space-delimited log events are not supported by the local AWS",
		"{ $.a = 1":        "Invalid filter pattern",
		"{ $.a = 1 } b":    "Invalid filter pattern",
		"{ $.a }":          "Invalid filter pattern",
		"{ a = 1 }":        "Invalid selector a = 1 }",
		"{ $.a[x] = 1 }":   "Invalid selector $.a[x] = 1 }",
		"{ $.a > b }":      "Operator > needs a number",
		"{ $.a IS GOOD }":  "Invalid filter pattern",
		`{ ($.a = 1 }`:     "Invalid filter pattern",
		`{ $.a = "1" && }`: "Invalid selector }",
	} {
		_, err := filter.Parse(pattern)
		require.EqualError(t, err, want, pattern)
	}
}

func TestSelectorFindsAValue(t *testing.T) {
	for selector, want := range map[string]string{
		"$.errors": "4", "$.rate": "0.25", "$.eventType": "UpdateTrail", "$.arrayKey[1]": "another value", "$.good": "true",
		"$.objectList[*].id": "", "$.objectList": "", "$.nothing": "", "errors": "", "$.errors more": "",
	} {
		got, ok := filter.Value(trail, selector)
		assert.Equal(t, want, got, selector)
		assert.Equal(t, want != "", ok, selector)
	}
	assert.True(t, filter.IsSelector("$.a[0]"))
	assert.False(t, filter.IsSelector("1"))
}
