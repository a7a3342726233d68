package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Roles records the IAM roles and policies that stacks describe. They are
// recorded, not enforced: the local AWS has no IAM service, nobody is denied
// anything. The world's lock must be held.
type Roles struct {
	roles    map[string]*Role   // by name
	policies map[string]*Policy // managed policies by ARN
}

// Role is one recorded role.
type Role struct {
	Name, ARN, ID, Path string
	Trust               json.RawMessage // who may assume it
	Policies            []Policy        // inline ones, and those of AWS::IAM::Policy
	Managed             []string        // ARNs, of recorded policies and of AWS's own
	Boundary            string          // ARN of the permissions boundary
	Tags                map[string]string
	MaxSession          time.Duration
}

// Policy is one recorded policy.
type Policy struct {
	Name, ARN string // ARN only if managed
	Document  json.RawMessage
}

// NewRoles returns an empty record.
func NewRoles() *Roles {
	return &Roles{roles: map[string]*Role{}, policies: map[string]*Policy{}}
}

// Role returns the role of that name.
func (r *Roles) Role(name string) (Role, bool) {
	found, ok := r.roles[name]
	if !ok {
		return Role{}, false
	}
	return found.clone(), true
}

// ByARN returns the role with that ARN.
func (r *Roles) ByARN(arn string) (Role, bool) {
	for _, one := range r.All() {
		if one.ARN == arn {
			return one, true
		}
	}
	return Role{}, false
}

// All returns the roles by name.
func (r *Roles) All() []Role {
	out := make([]Role, 0, len(r.roles))
	for _, name := range keys(r.roles) {
		out = append(out, r.roles[name].clone())
	}
	return out
}

// Policy returns the recorded managed policy with that ARN.
func (r *Roles) Policy(arn string) (Policy, bool) {
	found, ok := r.policies[arn]
	if !ok {
		return Policy{}, false
	}
	return *found, true
}

// Documents returns the policy documents that are in force for the role with
// that ARN, as far as they are recorded. Unknown lists attached managed
// policies whose documents are not: those of AWS.
func (r *Roles) Documents(arn string) (documents []json.RawMessage, unknown []string) {
	role, _ := r.ByARN(arn)
	for _, p := range role.Policies {
		documents = append(documents, p.Document)
	}
	for _, managed := range role.Managed {
		if p, ok := r.policies[managed]; ok {
			documents = append(documents, p.Document)
		} else {
			unknown = append(unknown, managed)
		}
	}
	return documents, unknown
}

func (r *Role) clone() Role {
	c := *r
	c.Policies, c.Managed, c.Tags = slices.Clone(r.Policies), slices.Clone(r.Managed), maps.Clone(r.Tags)
	return c
}

func (r *Roles) add(role Role) error {
	if _, taken := r.roles[role.Name]; taken {
		return fmt.Errorf("role with name %s already exists", role.Name)
	}
	r.roles[role.Name] = &role
	return nil
}

// each calls do for the named roles, all of which must exist.
func (r *Roles) each(names []string, do func(*Role)) error {
	for _, name := range names {
		if _, ok := r.roles[name]; !ok {
			return fmt.Errorf("the role with name %s cannot be found", name)
		}
	}
	for _, name := range names {
		do(r.roles[name])
	}
	return nil
}
