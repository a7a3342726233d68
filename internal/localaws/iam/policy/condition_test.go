package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

// TestConditions takes its cases from "IAM JSON policy elements: Condition
// operators", "Set operators for multivalued context keys" and "Conditions with multiple
// context keys or values".
func TestConditions(t *testing.T) {
	have := keys(map[string][]string{
		"aws:username": {"ana"}, "aws:securetransport": {"true"}, "aws:multi": {"a", "b"}, "aws:none": {}, "aws:count": {"10"},
		"aws:currenttime": {"2026-01-05T09:00:00Z"}, "aws:epochtime": {"1767603600"}, "aws:sourceip": {"203.0.113.7"}, "aws:six": {"2001:db8:1234:5678::1"},
		"aws:principalarn": {role}, "aws:sourcearn": {"arn:aws:events:us-east-1:123456789012:rule/r"}, "aws:principaltag/team": {"ana"},
		"aws:resourcetag/team": {"ana"}, "aws:tagkeys": {"team", "cost"}, "aws:blob": {"AQID"},
	})
	for name, c := range map[string]struct {
		condition string
		want      bool
	}{
		"StringEquals":                              {`"StringEquals":{"aws:username":"ana"}`, true},
		"StringEquals, case":                        {`"StringEquals":{"aws:username":"Ana"}`, false},
		"StringEquals knows no star":                {`"StringEquals":{"aws:username":"a*"}`, false},
		"keys do not depend on case":                {`"StringEquals":{"AWS:UserName":"ana"}`, true},
		"one of the values":                         {`"StringEquals":{"aws:username":["bob","ana"]}`, true},
		"all keys":                                  {`"StringEquals":{"aws:username":"ana","aws:securetransport":"false"}`, false},
		"all operators":                             {`"StringEquals":{"aws:username":"ana"},"Bool":{"aws:SecureTransport":"false"}`, false},
		"a missing key":                             {`"StringEquals":{"aws:missing":"ana"}`, false},
		"a missing key if it exists":                {`"StringEqualsIfExists":{"aws:missing":"ana"}`, true},
		"a key that is there, if it exists":         {`"StringEqualsIfExists":{"aws:username":"bob"}`, false},
		"StringNotEquals":                           {`"StringNotEquals":{"aws:username":"bob"}`, true},
		"StringNotEquals, equal":                    {`"StringNotEquals":{"aws:username":"ana"}`, false},
		"StringNotEquals, none of the values":       {`"StringNotEquals":{"aws:username":["bob","ana"]}`, false},
		"StringNotEquals of a missing key":          {`"StringNotEquals":{"aws:missing":"ana"}`, true},
		"StringEqualsIgnoreCase":                    {`"StringEqualsIgnoreCase":{"aws:username":"ANA"}`, true},
		"StringNotEqualsIgnoreCase":                 {`"StringNotEqualsIgnoreCase":{"aws:username":"ANA"}`, false},
		"StringLike":                                {`"StringLike":{"aws:username":"a?*"}`, true},
		"StringLike, case":                          {`"StringLike":{"aws:username":"A*"}`, false},
		"StringNotLike":                             {`"StringNotLike":{"aws:username":"a*"}`, false},
		"a variable":                                {`"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}`, true},
		"a variable without value":                  {`"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/other}"}`, false},
		"NumericEquals":                             {`"NumericEquals":{"aws:count":"10.0"}`, true},
		"a number without quotes":                   {`"NumericEquals":{"aws:count":10}`, true},
		"NumericNotEquals":                          {`"NumericNotEquals":{"aws:count":"10"}`, false},
		"NumericNotEquals, different":               {`"NumericNotEquals":{"aws:count":"11"}`, true},
		"NumericLessThan":                           {`"NumericLessThan":{"aws:count":"10"}`, false},
		"NumericLessThanEquals":                     {`"NumericLessThanEquals":{"aws:count":"10"}`, true},
		"NumericGreaterThan, by value not by text":  {`"NumericGreaterThan":{"aws:count":"9"}`, true},
		"NumericGreaterThanEquals":                  {`"NumericGreaterThanEquals":{"aws:count":"11"}`, false},
		"a number that is none":                     {`"NumericLessThan":{"aws:username":"10"}`, false},
		"DateEquals":                                {`"DateEquals":{"aws:CurrentTime":"2026-01-05T10:00:00+01:00"}`, true},
		"DateNotEquals":                             {`"DateNotEquals":{"aws:CurrentTime":"2026-01-05T09:00:00Z"}`, false},
		"DateLessThan":                              {`"DateLessThan":{"aws:CurrentTime":"2026-02-01T00:00:00Z"}`, true},
		"DateLessThanEquals":                        {`"DateLessThanEquals":{"aws:CurrentTime":"2026-01-05"}`, false},
		"DateGreaterThan":                           {`"DateGreaterThan":{"aws:CurrentTime":"2026-01"}`, true},
		"DateGreaterThanEquals, seconds":            {`"DateGreaterThanEquals":{"aws:EpochTime":"1767603600"}`, true},
		"a year":                                    {`"DateGreaterThan":{"aws:CurrentTime":"2026"}`, true},
		"Bool":                                      {`"Bool":{"aws:SecureTransport":"true"}`, true},
		"Bool without quotes":                       {`"Bool":{"aws:SecureTransport":true}`, true},
		"Bool, false":                               {`"Bool":{"aws:SecureTransport":"false"}`, false},
		"Bool of a missing key":                     {`"Bool":{"aws:MultiFactorAuthPresent":"false"}`, false},
		"BoolIfExists of a missing key":             {`"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, true},
		"BinaryEquals":                              {`"BinaryEquals":{"aws:blob":"AQID"}`, true},
		"BinaryEquals, different":                   {`"BinaryEquals":{"aws:blob":"AQIE"}`, false},
		"IpAddress":                                 {`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, true},
		"IpAddress, one":                            {`"IpAddress":{"aws:SourceIp":"203.0.113.7"}`, true},
		"IpAddress, another":                        {`"IpAddress":{"aws:SourceIp":["192.0.2.0/24"]}`, false},
		"IpAddress, version 6":                      {`"IpAddress":{"aws:six":"2001:db8:1234:5678::/64"}`, true},
		"IpAddress, across versions":                {`"IpAddress":{"aws:six":"0.0.0.0/0"}`, false},
		"NotIpAddress":                              {`"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}`, true},
		"ArnEquals":                                 {`"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:123456789012:rule/r"}`, true},
		"ArnEquals with a star":                     {`"ArnEquals":{"aws:SourceArn":"arn:aws:events:*:*:rule/*"}`, true},
		"ArnLike":                                   {`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/d?ployer"}`, true},
		"ArnLike does not go over a colon":          {`"ArnLike":{"aws:SourceArn":"arn:aws:*:rule/r"}`, false},
		"ArnNotEquals":                              {`"ArnNotEquals":{"aws:SourceArn":"arn:aws:events:*:*:rule/*"}`, false},
		"ArnNotLike":                                {`"ArnNotLike":{"aws:SourceArn":"arn:aws:events:*:*:rule/x*"}`, true},
		"Null, and the key is missing":              {`"Null":{"aws:missing":"true"}`, true},
		"Null, and the key is there":                {`"Null":{"aws:username":"true"}`, false},
		"not Null, and the key is there":            {`"Null":{"aws:username":"false"}`, true},
		"not Null, and the key is missing":          {`"Null":{"aws:missing":"false"}`, false},
		"ForAllValues, all":                         {`"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost","more"]}`, true},
		"ForAllValues, not all":                     {`"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}`, false},
		"ForAllValues of a missing key":             {`"ForAllValues:StringEquals":{"aws:missing":["team"]}`, true},
		"ForAllValues of a key without values":      {`"ForAllValues:StringEquals":{"aws:none":["team"]}`, true},
		"ForAnyValue, one":                          {`"ForAnyValue:StringEquals":{"aws:TagKeys":["cost","x"]}`, true},
		"ForAnyValue, none":                         {`"ForAnyValue:StringEquals":{"aws:TagKeys":["x"]}`, false},
		"ForAnyValue of a missing key":              {`"ForAnyValue:StringEquals":{"aws:missing":["x"]}`, false},
		"ForAnyValue of a missing key if it exists": {`"ForAnyValue:StringEqualsIfExists":{"aws:missing":["x"]}`, true},
		"ForAllValues, negated":                     {`"ForAllValues:StringNotEquals":{"aws:TagKeys":["team"]}`, false},
		"ForAllValues, negated, none":               {`"ForAllValues:StringNotEquals":{"aws:TagKeys":["x"]}`, true},
		"ForAnyValue, negated":                      {`"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team"]}`, true},
		"ForAnyValue, negated, all":                 {`"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team","cost"]}`, false},
		"several values without a set":              {`"StringEquals":{"aws:multi":"b"}`, true},
		"several values without a set, negated":     {`"StringNotEquals":{"aws:multi":"b"}`, false},
		"no values at all":                          {`"StringEquals":{"aws:username":[]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy.Policies{Identity: read(t, policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+c.condition+`}}`)}
			got := p.Decide(&policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Caller: policy.Caller{Account: account, ARN: user}, Keys: have})
			assert.Equal(t, c.want, got.Allowed)
		})
	}
}

func TestWithoutKeysEveryKeyIsMissing(t *testing.T) {
	p := policy.Policies{Identity: read(t, policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:username":"true"}}}`)}
	assert.True(t, p.Decide(&policy.Request{Action: "s3:GetObject", Resource: "*"}).Allowed)
}
