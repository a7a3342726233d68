package iam

import (
	"context"
	"strings"
	"time"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Subject is what IAM knows of who makes a call.
type Subject struct {
	Caller   policy.Caller
	Root     bool   // the account itself, which may do everything
	Known    bool   // there is such a user or role
	Name     string // of the user or role
	ID       string // unique, aws:userid
	Kind     string // aws:PrincipalType
	Tags     map[string]string
	Policies policy.Policies // without those of a resource
	Issued   time.Time       // when the session began; zero if there is none
}

// session is what was agreed when a role was assumed.
type session struct {
	policies []string // documents
	tags     []iamtypes.Tag
	source   string // source identity
	issued   time.Time
}

// everything is what the root may do.
const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]. Nothing here waits for a time; the endpoint
// keeps the access keys.
func (*Service) Resume(context.Context) error { return nil }

// Subject says what is known of a principal. The world's lock must be held.
func (s *Service) Subject(p wire.Principal) Subject {
	account := s.world.Account
	sub := Subject{Caller: policy.Caller{Account: account, ARN: p.ARN, Service: p.Service}, Tags: map[string]string{}}
	parts := strings.SplitN(p.ARN, ":", 6)
	if len(parts) != 6 || parts[4] != account {
		if p.ARN == "" && p.Service == "" {
			sub.Kind, sub.Caller.Account = "Anonymous", ""
		}
		return sub
	}
	s.identify(&sub, p, parts[5])
	return sub
}

// identify finds the user or role of a principal by the last part of its ARN.
func (s *Service) identify(sub *Subject, p wire.Principal, resource string) {
	kind, rest, _ := strings.Cut(resource, "/")
	last := rest[strings.LastIndex(rest, "/")+1:]
	switch kind {
	case "root":
		sub.Root, sub.Known, sub.ID, sub.Kind = true, true, s.world.Account, "Account"
		sub.Policies.Identity = s.named("the account's root", everything)
	case "user":
		sub.Kind = "User"
		if u := s.users[last]; u != nil && u.arn == p.ARN {
			s.fill(sub, &u.holder)
			sub.ID = u.id
		}
	case "role": // a service that acts with it
		acts, _, _ := strings.Cut(p.Service, ".")
		s.assumed(sub, last, acts, "")
		sub.Known = sub.Known && sub.Caller.Role == p.ARN
	case "assumed-role":
		name, as, _ := strings.Cut(rest, "/")
		s.assumed(sub, name, as, p.Session)
	}
}

// assumed fills in the session of a role.
func (s *Service) assumed(sub *Subject, name, as, id string) {
	sub.Kind = "AssumedRole"
	sub.Caller.ARN = "arn:aws:sts::" + s.world.Account + ":assumed-role/" + name + "/" + as
	r := s.roles[name]
	if r == nil {
		return
	}
	sub.Caller.Role = r.arn
	s.fill(sub, &r.holder)
	sub.ID = r.id + ":" + as
	made := s.sessions[id]
	if made == nil {
		return
	}
	sub.Issued = made.issued
	for _, t := range made.tags {
		sub.Tags[strings.ToLower(*t.Key)] = *t.Value
	}
	for _, text := range made.policies {
		sub.Policies.Session = append(sub.Policies.Session, s.named("the session's policy", text)...)
	}
}

// fill fills in what a user or role has.
func (s *Service) fill(sub *Subject, h *holder) {
	sub.Known, sub.Name = true, h.name
	for _, t := range h.tags {
		sub.Tags[strings.ToLower(*t.Key)] = *t.Value
	}
	for _, p := range h.inline {
		sub.Policies.Identity = append(sub.Policies.Identity, s.named(p.name, p.document)...)
	}
	for _, arn := range h.attached {
		if text, ok := s.managedDocument(arn); ok {
			sub.Policies.Identity = append(sub.Policies.Identity, s.named(arn, text)...)
		}
	}
	if text, ok := s.managedDocument(h.boundary); ok {
		sub.Policies.Boundary = s.named(h.boundary, text)
	}
}

// named is a document with its name. Documents were checked when they came.
func (s *Service) named(name, text string) []policy.Named {
	d, err := s.read(text, policy.Identity)
	if err != nil {
		return nil
	}
	return []policy.Named{{Name: name, Document: d}}
}

// Trust returns the trust policy of a role, by its ARN.
func (s *Service) Trust(roleARN string) (policy.Named, bool) {
	r := s.roles[roleARN[strings.LastIndex(roleARN, "/")+1:]]
	if r == nil || r.arn != roleARN {
		return policy.Named{}, false
	}
	d, err := s.read(r.trust, policy.Trust)
	return policy.Named{Name: "trust policy of " + r.name, Document: d}, err == nil
}

// Parse reads a policy of a resource, which a service keeps as text.
func (s *Service) Parse(text string) (*policy.Document, error) { return s.read(text, policy.Resource) }
