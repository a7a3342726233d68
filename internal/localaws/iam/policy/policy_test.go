package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

const (
	account = "123456789012"
	session = "arn:aws:sts::123456789012:assumed-role/deployer/ci"
	role    = "arn:aws:iam::123456789012:role/deployer"
	user    = "arn:aws:iam::123456789012:user/ana"
)

// read parses the statements of a policy.
func read(t *testing.T, kind policy.Kind, statements ...string) []policy.Named {
	t.Helper()
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`, kind)
	require.NoError(t, err)
	return []policy.Named{{Name: "p", Document: d}}
}

// keys makes a request's condition keys; the names are in lower case.
func keys(all map[string][]string) func(string) ([]string, bool) {
	return func(name string) ([]string, bool) { v, ok := all[name]; return v, ok }
}

func TestDocumentsThatIAMDoesNotAccept(t *testing.T) {
	for name, c := range map[string]struct {
		kind policy.Kind
		text string
		want string
	}{
		"nothing":             {policy.Identity, ``, "The policy is empty"},
		"no JSON":             {policy.Identity, `{"Version":`, "This policy contains invalid Json"},
		"a list":              {policy.Identity, `[]`, "This policy contains invalid Json"},
		"text after it":       {policy.Identity, `{"Version":"2012-10-17","Statement":[]} x`, "text after the policy"},
		"no statement":        {policy.Identity, `{"Version":"2012-10-17"}`, "no Statement"},
		"no version":          {policy.Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "Policy document must be version 2012-10-17 or greater."},
		"an unknown version":  {policy.Identity, `{"Version":"2013-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "must contain a valid version string"},
		"an unknown element":  {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Actions":"*"`), "unknown element Actions"},
		"an element twice":    {policy.Identity, one(`"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"`), "Effect is given twice"},
		"both of a pair":      {policy.Identity, one(`"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"`), "Action together with NotAction"},
		"no effect":           {policy.Identity, one(`"Action":"*","Resource":"*"`), "no Effect"},
		"another effect":      {policy.Identity, one(`"Effect":"allow","Action":"*","Resource":"*"`), `Effect "allow"`},
		"no action":           {policy.Identity, one(`"Effect":"Allow","Resource":"*"`), "Policy statement must contain actions."},
		"an empty action":     {policy.Identity, one(`"Effect":"Allow","Action":[],"Resource":"*"`), "Action is empty"},
		"no vendor":           {policy.Identity, one(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), "must be prefaced by a vendor"},
		"a vendor of stars":   {policy.Identity, one(`"Effect":"Allow","Action":"s*:Get","Resource":"*"`), "Vendor s* is not valid"},
		"no resource":         {policy.Identity, one(`"Effect":"Allow","Action":"s3:*"`), "Policy statement must contain resources."},
		"a name as resource":  {policy.Identity, one(`"Effect":"Allow","Action":"s3:*","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		"a number":            {policy.Identity, one(`"Effect":"Allow","Action":7,"Resource":"*"`), "Action must be a string"},
		"a principal":         {policy.Identity, one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"`), "should not specify a principal"},
		"no principal":        {policy.Resource, one(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), "Missing required field Principal"},
		"a strange principal": {policy.Resource, one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"AWS":"ana"}`), `Invalid principal in policy: "AWS":"ana"`},
		"a strange service":   {policy.Trust, one(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda"}`), `Invalid principal in policy: "SERVICE":"lambda"`},
		"a strange kind":      {policy.Trust, one(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Person":"ana"}`), "a principal cannot be Person"},
		"trust in a resource": {policy.Trust, one(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"`), "Has prohibited field Resource"},
		"an unknown operator": {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"aws:a":"b"}}`), "Invalid Condition type : StringIs"},
		"an unknown set":      {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Some:StringEquals":{"aws:a":"b"}}`), "Invalid Condition type : Some:StringEquals"},
		"Null if it exists":   {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NullIfExists":{"aws:a":"true"}}`), "Invalid Condition type : NullIfExists"},
		"a key of nobody":     {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"secure":"true"}}`), "must be prefaced by a vendor"},
		"a Null of maybe":     {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:a":"maybe"}}`), `Null wants true or false, not "maybe"`},
		"a word as a number":  {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"aws:a":"ten"}}`), `"ten" is no value for NumericLessThan`},
		"a word as a date":    {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:a":"soon"}}`), `"soon" is no value for DateLessThan`},
		"a word as a network": {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:a":"home"}}`), `"home" is no value for IpAddress`},
		"values in an object": {policy.Identity, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:a":{}}}`), "the values of aws:a must be strings"},
		"a Sid twice": {
			policy.Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}`,
			"Statement IDs (SID) in a single policy must be unique.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse(c.text, c.kind)
			require.ErrorContains(t, err, c.want)
			require.ErrorAs(t, err, new(*policy.SyntaxError))
		})
	}
}

// one is a document with one statement.
func one(elements string) string {
	return `{"Version":"2012-10-17","Statement":{` + elements + `}}`
}

// TestActionsAndResources takes its cases from "IAM JSON policy elements":
// Action, NotAction, Resource, NotResource, and from "Policy variables".
func TestActionsAndResources(t *testing.T) {
	const object = "arn:aws:s3:::amzn-s3-demo-bucket/home/ana/notes.txt"
	for name, c := range map[string]struct {
		elements, action, resource string
		want                       bool
	}{
		"an action":                           {`"Action":"s3:GetObject","Resource":"*"`, "s3:GetObject", object, true},
		"another action":                      {`"Action":"s3:PutObject","Resource":"*"`, "s3:GetObject", object, false},
		"actions do not depend on case":       {`"Action":"S3:getobject","Resource":"*"`, "s3:GetObject", object, true},
		"a star in an action":                 {`"Action":"iam:*AccessKey*","Resource":"*"`, "iam:CreateAccessKey", "*", true},
		"a star in an action, elsewhere":      {`"Action":"iam:*AccessKey*","Resource":"*"`, "iam:CreateUser", "*", false},
		"a question mark":                     {`"Action":"s3:GetObjec?","Resource":"*"`, "s3:GetObject", object, true},
		"one of many":                         {`"Action":["s3:PutObject","s3:GetObject"],"Resource":"*"`, "s3:GetObject", object, true},
		"everything but":                      {`"NotAction":"iam:*","Resource":"*"`, "s3:GetObject", object, true},
		"everything but this":                 {`"NotAction":["iam:*","s3:Get*"],"Resource":"*"`, "s3:GetObject", object, false},
		"a resource":                          {`"Action":"s3:*","Resource":"` + object + `"`, "s3:GetObject", object, true},
		"resources depend on case":            {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/home/Ana/*"`, "s3:GetObject", object, false},
		"a star goes over slashes":            {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*.txt"`, "s3:GetObject", object, true},
		"a star does not go over colons":      {`"Action":"sqs:*","Resource":"arn:aws:sqs:*:queue"`, "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:queue", false},
		"but in the last part it does":        {`"Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:*"`, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:live", true},
		"a qualifier is part of the resource": {`"Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f"`, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:live", false},
		"an ARN that is cut short":            {`"Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1"`, "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:queue", true},
		"no resource wants a star":            {`"Action":"cloudwatch:*","Resource":"arn:aws:cloudwatch:*:*:*"`, "cloudwatch:GetMetricData", "*", false},
		"every resource but":                  {`"Action":"s3:*","NotResource":"arn:aws:s3:::other/*"`, "s3:GetObject", object, true},
		"every resource but this":             {`"Action":"s3:*","NotResource":"arn:aws:s3:::amzn-s3-demo-bucket/*"`, "s3:GetObject", object, false},
		"a variable":                          {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/home/${aws:username}/*"`, "s3:GetObject", object, true},
		"a variable without value":            {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/${aws:PrincipalTag/team}*"`, "s3:GetObject", object, false},
		"a variable with a default":           {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/${aws:PrincipalTag/team, 'home'}/*"`, "s3:GetObject", object, true},
		"a star of a variable is a letter":    {`"Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/${aws:wild}"`, "s3:GetObject", object, false},
		"a star that is none":                 {`"Action":"s3:*","Resource":"arn:aws:s3:::b/${*}x"`, "s3:GetObject", "arn:aws:s3:::b/*x", true},
		"a star that is none, elsewhere":      {`"Action":"s3:*","Resource":"arn:aws:s3:::b/${*}x"`, "s3:GetObject", "arn:aws:s3:::b/yx", false},
		"a dollar":                            {`"Action":"s3:*","Resource":"arn:aws:s3:::b/${$}x"`, "s3:GetObject", "arn:aws:s3:::b/$x", true},
		"a brace that stays open":             {`"Action":"s3:*","Resource":"arn:aws:s3:::b/${x*"`, "s3:GetObject", "arn:aws:s3:::b/${xyz", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy.Policies{Identity: read(t, policy.Identity, `{"Effect":"Allow",`+c.elements+`}`)}
			got := p.Decide(&policy.Request{
				Action: c.action, Resource: c.resource, Caller: policy.Caller{Account: account, ARN: user},
				Keys: keys(map[string][]string{"aws:username": {"ana"}, "aws:wild": {"*"}}),
			})
			assert.Equal(t, c.want, got.Allowed)
		})
	}
}

func TestInTheOldVersionAVariableIsText(t *testing.T) {
	d, err := policy.Parse(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}"}}`, policy.Resource)
	require.NoError(t, err)
	p := policy.Policies{Resource: []policy.Named{{Name: "b", Document: d}}}
	for resource, want := range map[string]bool{"arn:aws:s3:::b/${aws:username}": true, "arn:aws:s3:::b/ana": false} {
		got := p.Decide(&policy.Request{
			Action: "s3:GetObject", Resource: resource, Caller: policy.Caller{Account: account, ARN: user},
			Keys: keys(map[string][]string{"aws:username": {"ana"}}),
		})
		assert.Equal(t, want, got.Allowed, resource)
	}
}

func TestPrincipals(t *testing.T) {
	ana := policy.Caller{Account: account, ARN: user}
	ci := policy.Caller{Account: account, ARN: session, Role: role}
	events := policy.Caller{Service: "events.amazonaws.com"}
	for name, c := range map[string]struct {
		principal string
		caller    policy.Caller
		want      bool
	}{
		"everybody":                        {`"Principal":"*"`, ana, true},
		"everybody, otherwise":             {`"Principal":{"AWS":"*"}`, ana, true},
		"nobody who signed":                {`"Principal":"*"`, policy.Caller{}, true},
		"the user":                         {`"Principal":{"AWS":"` + user + `"}`, ana, true},
		"another user":                     {`"Principal":{"AWS":"arn:aws:iam::123456789012:user/bob"}`, ana, false},
		"one of many":                      {`"Principal":{"AWS":["arn:aws:iam::123456789012:user/bob","` + user + `"]}`, ana, true},
		"the role of a session":            {`"Principal":{"AWS":"` + role + `"}`, ci, true},
		"the session":                      {`"Principal":{"AWS":"` + session + `"}`, ci, true},
		"another session":                  {`"Principal":{"AWS":"` + session + `2"}`, ci, false},
		"the account leaves it to its IAM": {`"Principal":{"AWS":"123456789012"}`, ana, false},
		"a service":                        {`"Principal":{"Service":"events.amazonaws.com"}`, events, true},
		"another service":                  {`"Principal":{"Service":"sns.amazonaws.com"}`, events, false},
		"a service is no user":             {`"Principal":{"Service":"events.amazonaws.com"}`, ana, false},
		"a federated user":                 {`"Principal":{"Federated":"accounts.google.com"}`, ana, false},
		"everybody but":                    {`"NotPrincipal":{"AWS":"arn:aws:iam::123456789012:user/bob"}`, ana, true},
		"everybody but the user":           {`"NotPrincipal":{"AWS":"` + user + `"}`, ana, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy.Policies{Resource: read(t, policy.Resource, `{"Effect":"Allow",`+c.principal+`,"Action":"sqs:*","Resource":"*"}`)}
			r := &policy.Request{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:123456789012:q", Caller: c.caller}
			got := p.Decide(r)
			if c.caller.Service != "" {
				got = p.DecideService(r)
			}
			assert.Equal(t, c.want, got.Allowed)
		})
	}
}

func TestADecisionNamesItsStatement(t *testing.T) {
	r := &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Caller: policy.Caller{Account: account, ARN: session, Role: role}}
	allow := `{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"}`
	for name, c := range map[string]struct {
		policies policy.Policies
		want     policy.Decision
	}{
		"by its Sid": {
			policy.Policies{Identity: read(t, policy.Identity, allow)},
			policy.Decision{Allowed: true, By: &policy.Reason{Policy: "p", Statement: `statement "Read"`, Kind: "identity-based policy"}},
		},
		"by its number": {
			policy.Policies{Identity: read(t, policy.Identity, allow, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`)},
			policy.Decision{Explicit: true, By: &policy.Reason{Policy: "p", Statement: "statement 2", Kind: "identity-based policy"}},
		},
		"none": {policy.Policies{}, policy.Decision{Lacks: "identity-based policy"}},
		"one about something else": {
			policy.Policies{Identity: read(t, policy.Identity, `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::c/*"}`)},
			policy.Decision{Lacks: "identity-based policy", Near: &policy.Reason{
				Policy: "p", Statement: "statement 1", Kind: "identity-based policy", Misses: "its resource is another",
			}},
		},
		"one with a condition": {
			policy.Policies{Identity: read(t, policy.Identity,
				`{"Sid":"Tagged","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/on":"true"}}}`)},
			policy.Decision{Lacks: "identity-based policy", Near: &policy.Reason{
				Policy: "p", Statement: `statement "Tagged"`, Kind: "identity-based policy",
				Misses: "its condition StringEquals on aws:ResourceTag/on is not met",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.policies.Decide(r)) })
	}
}
