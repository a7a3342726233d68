package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

// TestTheOrderOfPolicies follows the flow chart and the tables of "Policy
// evaluation logic" and "Evaluating identity-based policies with resource-based
// policies" for one account.
func TestTheOrderOfPolicies(t *testing.T) {
	const (
		allow = `{"Effect":"Allow","Action":"*","Resource":"*"}`
		deny  = `{"Effect":"Deny","Action":"*","Resource":"*"}`
		other = `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`
	)
	of := func(who string) string {
		return `{"Effect":"Allow","Principal":` + who + `,"Action":"*","Resource":"*"}`
	}
	asUser, asRole, asSession, everybody, root := of(`{"AWS":"`+user+`"}`), of(`{"AWS":"`+role+`"}`), of(`{"AWS":"`+session+`"}`),
		of(`"*"`), of(`{"AWS":"arn:aws:iam::123456789012:root"}`)
	for name, c := range map[string]struct {
		identity, boundary, session, resource string
		trust                                 bool
		lacks                                 string // "" is allowed, "deny" is denied explicitly
	}{
		"nothing":                                   {lacks: "identity-based policy"},
		"identity":                                  {identity: allow},
		"identity, denied by the resource":          {identity: allow, resource: `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, lacks: "deny"},
		"resource for the role":                     {resource: asRole},
		"resource for the session":                  {resource: asSession},
		"resource for everybody":                    {resource: everybody},
		"resource for another":                      {resource: asUser, lacks: "identity-based policy"},
		"resource for the account":                  {resource: root, lacks: "identity-based policy"},
		"resource for the account, and identity":    {resource: root, identity: allow},
		"boundary allows nothing by itself":         {boundary: allow, lacks: "identity-based policy"},
		"boundary and identity":                     {boundary: allow, identity: allow},
		"boundary of another kind":                  {boundary: other, identity: allow, lacks: "permissions boundary"},
		"boundary denies":                           {boundary: deny, identity: allow, resource: asSession, lacks: "deny"},
		"boundary limits a resource for the role":   {boundary: other, resource: asRole, lacks: "permissions boundary"},
		"boundary does not limit one for a session": {boundary: other, resource: asSession},
		"session limits identity":                   {session: other, identity: allow, lacks: "session policy"},
		"session limits a resource for the role":    {session: other, resource: asRole, lacks: "session policy"},
		"session does not limit one for itself":     {session: other, resource: asSession},
		"session and identity":                      {session: allow, identity: allow},
		"trust is needed":                           {trust: true, identity: allow, lacks: "role trust policy"},
		"trust for the role is enough":              {trust: true, resource: strings.ReplaceAll(asRole, `,"Resource":"*"`, ``)},
		"trust for the account is not":              {trust: true, resource: strings.ReplaceAll(root, `,"Resource":"*"`, ``), lacks: "identity-based policy"},
		"trust for the account and identity":        {trust: true, resource: strings.ReplaceAll(root, `,"Resource":"*"`, ``), identity: allow},
	} {
		t.Run(name, func(t *testing.T) {
			list := func(kind policy.Kind, s string) []policy.Named {
				if s == "" {
					return nil
				}
				return read(t, kind, s)
			}
			kind := policy.Resource
			if c.trust {
				kind = policy.Trust
			}
			p := policy.Policies{
				Identity: list(policy.Identity, c.identity), Boundary: list(policy.Identity, c.boundary),
				Session: list(policy.Identity, c.session), Resource: list(kind, c.resource), TrustOnly: c.trust,
			}
			got := p.Decide(&policy.Request{
				Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Caller: policy.Caller{Account: account, ARN: session, Role: role},
			})
			switch c.lacks {
			case "":
				assert.True(t, got.Allowed)
			case "deny":
				assert.True(t, got.Explicit)
			default:
				assert.Equal(t, c.lacks, got.Lacks)
			}
		})
	}
}

// statements draws statements of a policy: a few actions, resources, keys and
// effects, so that they often meet.
func statements(kind policy.Kind) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := fmt.Sprintf(`{"Effect":%q,%q:%q,%q:%q`, rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"),
			rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "which"), rapid.SampledFrom([]string{"*", "s3:*", "s3:Get*", "sqs:*"}).Draw(t, "action"),
			rapid.SampledFrom([]string{"Resource", "NotResource"}).Draw(t, "on"), rapid.SampledFrom([]string{"*", "arn:aws:s3:::b/*", "arn:aws:s3:::c"}).Draw(t, "resource"))
		if kind == policy.Resource {
			s += `,"Principal":` + rapid.SampledFrom([]string{`"*"`, `{"AWS":"` + role + `"}`, `{"AWS":"` + session + `"}`, `{"AWS":"` + account + `"}`}).Draw(t, "principal")
		}
		return s + rapid.SampledFrom([]string{``, `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`, `,"Condition":{"StringNotLike":{"aws:username":"a*"}}`}).Draw(t, "condition") + "}"
	})
}

// world draws policies of all kinds, and a request.
func world(t *rapid.T) (policy.Policies, *policy.Request) {
	list := func(kind policy.Kind, label string) []policy.Named {
		all := rapid.SliceOfN(statements(kind), 0, 4).Draw(t, label)
		if len(all) == 0 {
			return nil
		}
		return parsed(t, kind, all...)
	}
	p := policy.Policies{
		Identity: list(policy.Identity, "identity"), Boundary: list(policy.Identity, "boundary"),
		Session: list(policy.Identity, "session"), Resource: list(policy.Resource, "resource"),
	}
	secure := rapid.SampledFrom([]string{"true", "false"}).Draw(t, "secure")
	return p, &policy.Request{
		Action: rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject"}).Draw(t, "do"), Resource: "arn:aws:s3:::b/k",
		Caller: policy.Caller{Account: account, ARN: session, Role: role}, Keys: keys(map[string][]string{"aws:securetransport": {secure}}),
	}
}

func parsed(t *rapid.T, kind policy.Kind, statements ...string) []policy.Named {
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`, kind)
	if err != nil {
		t.Fatal(err)
	}
	return []policy.Named{{Name: "p", Document: d}}
}

func TestADenyAlwaysWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := world(t)
		deny := parsed(t, policy.Identity, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`)
		switch rapid.IntRange(0, 2).Draw(t, "where") {
		case 0:
			p.Identity = append(p.Identity, deny...)
		case 1:
			p.Boundary = append(p.Boundary, deny...)
		default:
			p.Session = append(p.Session, deny...)
		}
		if got := p.Decide(r); got.Allowed || !got.Explicit || got.By == nil {
			t.Fatalf("%+v", got)
		}
	})
}

func TestAnotherAllowNeverTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := world(t)
		before := p.Decide(r)
		more := parsed(t, policy.Identity, strings.Replace(statements(policy.Identity).Draw(t, "more"), `"Deny"`, `"Allow"`, 1))
		p.Identity = append(p.Identity, more...)
		if after := p.Decide(r); before.Allowed && !after.Allowed {
			t.Fatalf("was %+v, is %+v", before, after)
		}
	})
}

func TestALimitNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := world(t)
		limited := p.Decide(r)
		p.Boundary, p.Session = nil, nil
		if free := p.Decide(r); limited.Allowed && !free.Allowed {
			t.Fatalf("allowed with limits %+v, without %+v", limited, free)
		}
	})
}

func TestTheOrderOfStatementsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := world(t)
		all := rapid.SliceOfN(statements(policy.Identity), 1, 5).Draw(t, "statements")
		p.Identity = parsed(t, policy.Identity, all...)
		one := p.Decide(r)
		p.Identity = parsed(t, policy.Identity, rapid.Permutation(all).Draw(t, "permuted")...)
		other := p.Decide(r)
		if one.Allowed != other.Allowed || one.Explicit != other.Explicit {
			t.Fatalf("%+v and %+v", one, other)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}*"`))
	f.Add(one(`"Effect":"Deny","NotAction":["a:b"],"NotResource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":[1,true,"x"]}}`))
	f.Fuzz(func(_ *testing.T, text string) {
		d, err := policy.Parse(text, policy.Identity)
		if err != nil {
			return
		}
		p := policy.Policies{Identity: []policy.Named{{Name: "p", Document: d}}}
		p.Decide(&policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}) // must not panic
	})
}
