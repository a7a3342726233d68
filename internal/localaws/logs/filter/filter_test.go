package filter_test

import (
	"fmt"
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
	p, err := filter.Parse("{ $.errors = 4 }")
	require.NoError(t, err)
	for selector, want := range map[string]string{
		"$.errors": "4", "$.rate": "0.25", "$.eventType": "UpdateTrail", "$.arrayKey[1]": "another value", "$.good": "true",
		"$.objectList[*].id": "", "$.objectList": "", "$.nothing": "", "errors": "", "$.errors more": "",
	} {
		got, ok := p.Value(trail, selector)
		assert.Equal(t, want, got, selector)
		assert.Equal(t, want != "", ok, selector)
	}
	assert.True(t, p.Selects("$.a[0]"))
	assert.False(t, p.Selects("1"))
	terms, err := filter.Parse("ERROR")
	require.NoError(t, err)
	assert.False(t, terms.Selects("$.a"))
}

// access is the event of the examples in the user guide, "Match terms in
// space-delimited log events".
const access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`

func TestFieldsMatchAsDocumented(t *testing.T) {
	for pattern, want := range map[string]bool{
		`[ip, user, username, timestamp, request, status_code, bytes]`:                                 true,
		`[ip, user, username, timestamp, request, status_code]`:                                        false,
		`[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`:                   true,
		`[ip, user, username, timestamp, request =*.png*, status_code = 4*, bytes]`:                    false,
		`[ip, user, username, timestamp, request = *html*, status_code = 404 || status_code = 410, b]`: true,
		`[..., status_code = 4*, bytes]`:                                                               true,
		`[..., status_code = 5*, bytes]`:                                                               false,
		`[ip = 127.*, ...]`:                                                                            true,
		`[ip, ..., bytes > 1000 && bytes < 2000]`:                                                      true,
		`[ip, ..., bytes > 1000 && bytes < 1500]`:                                                      false,
		`[ip = %127\.0\.0\.[1-9]%, ...]`:                                                               true,
		`[ip != "127.0.0.1", ...]`:                                                                     false,
		`[w1 = "127.0.0.1", w2, ...]`:                                                                  true,
		`[bytes > 1, ...]`:                                                                             false,
	} {
		p, err := filter.Parse(pattern)
		require.NoError(t, err, pattern)
		assert.Equal(t, want, p.Match(access), pattern)
	}
	for _, pattern := range []string{"[a", "[a, ..., b, ...]", "[a > x]", "[a = 1 && b = 2]", "[]", "[a,]", "[a] b", "[a = %(%]"} {
		_, err := filter.Parse(pattern)
		require.EqualError(t, err, "Invalid filter pattern", pattern)
	}
	p, err := filter.Parse("[ip, ..., status, bytes]")
	require.NoError(t, err)
	got, ok := p.Value(access, "$bytes")
	assert.Equal(t, "1534 true", fmt.Sprint(got, " ", ok))
	assert.True(t, p.Selects("$status"))
	assert.False(t, p.Selects("$user"))
}
