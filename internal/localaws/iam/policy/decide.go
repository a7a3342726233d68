package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Request is what is to be decided.
type Request struct {
	Action   string // "s3:GetObject"
	Resource string // an ARN, or "*" for an action that has no resource
	Caller   Caller
	// Keys returns the values of a condition key, whose name is in lower case.
	// It reports false if the request does not have the key. It may be nil.
	Keys func(name string) ([]string, bool)
}

// values returns a condition key's values. The names of keys do not depend on
// case, except the part that names a tag; services compare that, too, without.
func (r *Request) values(key string) ([]string, bool) {
	if r.Keys == nil {
		return nil, false
	}
	return r.Keys(strings.ToLower(key))
}

// Named is a policy with the name that people know it by.
type Named struct {
	Name     string
	Document *Document
}

// Policies are all that speak about a request.
type Policies struct {
	Identity []Named // of the user or role, inline and attached
	Boundary []Named // the permissions boundary; empty if there is none
	Session  []Named // of the session; empty if there is none
	Resource []Named // of the resource
	// TrustOnly says that the resource must allow whatever the identity may
	// do, as a role's trust policy must.
	TrustOnly bool
	// MustAllow says that the resource must allow, too, as the policy of a KMS
	// key must (KMS developer guide, "Key policies in AWS KMS").
	MustAllow bool
}

// Reason points to the statement that decided, or that nearly allowed.
type Reason struct {
	Policy    string
	Statement string // "statement \"Sid\"" or "statement 2"
	Kind      string // "identity-based policy", "permissions boundary" …
	// Misses says why a statement with the right action does not apply.
	Misses string
}

// Decision is the answer to a request.
type Decision struct {
	Allowed  bool
	Explicit bool    // denied by a statement, not for want of one
	By       *Reason // the statement that decided, if one did
	Lacks    string  // the kind of policy that does not allow it
	Near     *Reason // a statement that would have allowed it, but for its resource or condition
}

// What the kinds of policies are called in AWS's error messages
// ("Troubleshoot access denied error messages").
const (
	kindIdentity = "identity-based policy"
	kindResource = "resource-based policy"
	kindBoundary = "permissions boundary"
	kindSession  = "session policy"
	kindTrust    = "role trust policy"
)

// Decide follows "Policy evaluation logic" for requests within one account: an
// explicit deny in any policy decides; then a resource-based policy may allow;
// then boundary, session policy and identity-based policies must.
func (p Policies) Decide(r *Request) Decision {
	resource := kindResource
	if p.TrustOnly {
		resource = kindTrust
	}
	id, boundary := look(p.Identity, kindIdentity, r), look(p.Boundary, kindBoundary, r)
	session, res := look(p.Session, kindSession, r), look(p.Resource, resource, r)
	if deny := cmp.Or(id.deny, res.deny, boundary.deny, session.deny); deny != nil {
		return Decision{Explicit: true, By: deny}
	}
	if (p.TrustOnly || p.MustAllow) && res.meant == notMeant {
		return lacking(res, resource)
	}
	// "IAM user or role session ARN as the principal: … not limited by an
	// implicit deny in a permissions boundary or session policy".
	if res.meant == asItself {
		return Decision{Allowed: true, By: res.allow}
	}
	if len(p.Boundary) > 0 && boundary.allow == nil {
		return lacking(boundary, kindBoundary)
	}
	if len(p.Session) > 0 && session.allow == nil {
		return lacking(session, kindSession)
	}
	return either(res, id)
}

// either is for what is not limited: a resource-based policy or an
// identity-based one is enough.
func either(res, id verdict) Decision {
	switch {
	case res.meant == asRole || res.meant == asAnybody:
		return Decision{Allowed: true, By: res.allow}
	case id.allow == nil:
		return lacking(id, kindIdentity)
	default:
		return Decision{Allowed: true, By: id.allow}
	}
}

// DecideAcross follows "Cross-account policy evaluation logic", for a caller of
// another account than the resource's: the resource-based policy must allow it,
// and so must all that limits the caller, with an identity-based policy too.
func (p Policies) DecideAcross(r *Request) Decision {
	resource := kindResource
	if p.TrustOnly {
		resource = kindTrust
	}
	res := look(p.Resource, resource, r)
	needed := []struct {
		verdict
		kind string
		some bool
	}{
		{res, resource, true},
		{look(p.Boundary, kindBoundary, r), kindBoundary, len(p.Boundary) > 0},
		{look(p.Session, kindSession, r), kindSession, len(p.Session) > 0},
		{look(p.Identity, kindIdentity, r), kindIdentity, true},
	}
	for _, n := range needed {
		if n.deny != nil {
			return Decision{Explicit: true, By: n.deny}
		}
	}
	for _, n := range needed {
		if n.some && n.allow == nil {
			return lacking(n.verdict, n.kind)
		}
	}
	return Decision{Allowed: true, By: res.allow}
}

// DecideService is for an AWS service that acts by itself, which only a
// resource-based policy can allow anything.
func (p Policies) DecideService(r *Request) Decision {
	v := look(p.Resource, kindResource, r)
	switch {
	case v.deny != nil:
		return Decision{Explicit: true, By: v.deny}
	case v.meant == asItself || v.meant == asAnybody:
		return Decision{Allowed: true, By: v.allow}
	default:
		return lacking(v, kindResource)
	}
}

func lacking(v verdict, kind string) Decision { return Decision{Lacks: kind, Near: v.near} }

// verdict is what the policies of one kind say.
type verdict struct {
	deny, allow, near *Reason
	meant             meant // how the best allowing statement means the caller
}

func look(policies []Named, kind string, r *Request) verdict {
	var v verdict
	for _, p := range policies {
		for i := range p.Document.Statements {
			s := &p.Document.Statements[i]
			m, misses := s.applies(r, p.Document.Version == version2012)
			if m == notMeant && misses == "" {
				continue
			}
			why := &Reason{Policy: p.Name, Statement: p.Document.Label(i), Kind: kind, Misses: misses}
			v.add(s, m, why)
		}
	}
	return v
}

func (v *verdict) add(s *Statement, m meant, why *Reason) {
	switch {
	case m == notMeant:
		if !s.Deny && (v.near == nil || nearer(why.Misses, v.near.Misses)) {
			v.near = why
		}
	case s.Deny:
		if v.deny == nil {
			v.deny = why
		}
	case v.allow == nil || rank(m) > rank(v.meant):
		v.allow, v.meant = why, m
	}
}

// nearer says whether a statement that misses by one thing is closer to allowing
// than one that misses by another: one with the right principal and resource is the
// one that was meant.
func nearer(misses, other string) bool {
	order := func(misses string) int {
		return slices.IndexFunc([]string{"its principal ", "its resource ", "its condition "}, func(p string) bool { return strings.HasPrefix(misses, p) })
	}
	return order(misses) > order(other)
}

// rank orders the ways to be meant by how much they are worth.
func rank(m meant) int {
	return slices.Index([]meant{notMeant, asAccount, asAnybody, asRole, asItself}, m)
}

// applies reports how a statement means the caller if it is about the request;
// misses says what keeps a statement about the action from it.
func (s *Statement) applies(r *Request, variables bool) (m meant, misses string) {
	if !s.actions.match(r.Action, func(p, v string) bool { return matches(wildcards(p), v, true) }) {
		return notMeant, ""
	}
	m = asItself
	if s.principals != nil {
		if m = s.principals.match(r.Caller); m == notMeant {
			return notMeant, "its principal is another"
		}
	}
	if len(s.resources.list) > 0 && !s.resources.match(r.Resource, func(p, v string) bool {
		g, ok := glyphs(p, variables, r)
		return ok && matchesARN(g, v)
	}) {
		return notMeant, "its resource is another"
	}
	for i := range s.conditions {
		if c := &s.conditions[i]; !c.holds(r, variables) {
			return notMeant, "its condition " + c.name + " on " + c.key + " is not met"
		}
	}
	return m, ""
}

func wildcards(p string) []glyph {
	g, _ := glyphs(p, false, nil) // without variables nothing can be missing
	return g
}

func (p patterns) match(v string, fits func(pattern, v string) bool) bool {
	for _, one := range p.list {
		if fits(one, v) {
			return !p.not
		}
	}
	return p.not
}
