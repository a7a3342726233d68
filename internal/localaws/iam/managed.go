package iam

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// managedText holds AWS's managed policies by ARN, as the "AWS managed policy
// reference" shows them. Of ReadOnlyAccess it has what is about services that
// are here.
//
//go:embed managed.json
var managedText []byte

// awsManaged is a managed policy of AWS.
type awsManaged struct {
	Version  string          `json:"version"`
	Created  time.Time       `json:"created"`
	Document json.RawMessage `json:"document"`
}

func readManaged() map[string]awsManaged {
	all := map[string]awsManaged{}
	if err := json.Unmarshal(managedText, &all); err != nil {
		panic(fmt.Sprintf("read managed.json: %v", err)) // our own constant
	}
	return all
}

// custom is a managed policy of the account.
type custom struct {
	name, path, id string
	description    *string
	versions       []version // oldest first
	latest         int       // the number of the newest there ever was
	active         string
	created        time.Time
	updated        time.Time
	tags           []iamtypes.Tag
}

// version is one of a policy's documents.
type version struct {
	id, document string
	created      time.Time
}

func (s *Service) policyOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreatePolicy", s.createPolicy),
		wire.Op("GetPolicy", s.getPolicy),
		wire.Op("ListPolicies", s.listPolicies),
		wire.Op("DeletePolicy", s.deletePolicy),
		wire.Op("CreatePolicyVersion", s.createPolicyVersion),
		wire.Op("GetPolicyVersion", s.getPolicyVersion),
		wire.Op("ListPolicyVersions", s.listPolicyVersions),
		wire.Op("SetDefaultPolicyVersion", s.setDefaultPolicyVersion),
		wire.Op("DeletePolicyVersion", s.deletePolicyVersion),
	}
}

// managedDocument returns the document of a managed policy that is in force.
func (s *Service) managedDocument(arn string) (string, bool) {
	if p, ok := s.policies[arn]; ok {
		return p.version(p.active).document, true
	}
	p, ok := s.managed[arn]
	return string(p.Document), ok
}

func (p *custom) version(id string) *version {
	for i := range p.versions {
		if p.versions[i].id == id {
			return &p.versions[i]
		}
	}
	return nil
}

// own finds a policy that may be changed.
func (s *Service) own(arn *string) (*custom, error) {
	if p, ok := s.policies[aws.ToString(arn)]; ok {
		return p, nil
	}
	return nil, noSuch("Policy %s was not found.", aws.ToString(arn))
}

func (s *Service) createPolicy(_ *wire.Call, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	n, err := name("policyName", in.PolicyName, longestPolicy)
	if err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	for _, p := range s.policies {
		if strings.EqualFold(p.name, n) {
			return nil, exists("A policy called %s already exists. Duplicate names are not allowed.", n)
		}
	}
	p := &custom{name: n, path: path, description: in.Description, created: *s.now(), tags: in.Tags}
	if err := s.add(p, in.PolicyDocument); err != nil {
		return nil, err
	}
	p.active, p.id = "v1", s.id("ANPA")
	arn := s.arn("policy", path, n)
	s.policies[arn] = p
	return &iam.CreatePolicyOutput{Policy: s.shown(arn)}, nil
}

// add gives a policy another version.
func (s *Service) add(p *custom, document *string) error {
	if err := s.check(document, policy.Identity); err != nil {
		return err
	}
	if weight(*document) > managedBytes {
		return limit("Cannot exceed quota for PolicySize: %d", managedBytes)
	}
	if len(p.versions) >= policyVersions {
		return limit("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", policyVersions)
	}
	p.latest++
	p.updated = *s.now()
	p.versions = append(p.versions, version{"v" + strconv.Itoa(p.latest), *document, p.updated})
	return nil
}

// shown is a managed policy as answers show it; nil if there is none.
func (s *Service) shown(arn string) *iamtypes.Policy {
	at := strings.LastIndex(arn, "/")
	_, path, _ := strings.Cut(arn[:at+1], ":policy")
	out := &iamtypes.Policy{
		Arn: aws.String(arn), PolicyName: aws.String(arn[at+1:]), Path: aws.String(path), IsAttachable: true,
		AttachmentCount: aws.Int32(0), PermissionsBoundaryUsageCount: aws.Int32(0),
	}
	if p, ok := s.policies[arn]; ok {
		out.DefaultVersionId, out.PolicyId, out.Description = aws.String(p.active), aws.String(p.id), p.description
		out.CreateDate, out.UpdateDate, out.Tags = aws.Time(p.created), aws.Time(p.updated), slices.Clone(p.tags)
	} else if p, ok := s.managed[arn]; ok {
		out.DefaultVersionId, out.CreateDate = aws.String(p.Version), aws.Time(p.Created)
	} else {
		return nil
	}
	for _, h := range s.holders() {
		if slices.Contains(h.attached, arn) {
			*out.AttachmentCount++
		}
		if h.boundary == arn {
			*out.PermissionsBoundaryUsageCount++
		}
	}
	return out
}

// holders are all roles and users.
func (s *Service) holders() []*holder {
	var all []*holder
	for _, n := range slices.Sorted(maps.Keys(s.roles)) {
		all = append(all, &s.roles[n].holder)
	}
	for _, n := range slices.Sorted(maps.Keys(s.users)) {
		all = append(all, &s.users[n].holder)
	}
	return all
}

func (s *Service) getPolicy(_ *wire.Call, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	if !strings.Contains(aws.ToString(in.PolicyArn), "/") {
		return nil, invalid("ARN %s is not valid.", aws.ToString(in.PolicyArn))
	}
	p := s.shown(*in.PolicyArn)
	if p == nil {
		return nil, noSuch("Policy %s was not found.", *in.PolicyArn)
	}
	return &iam.GetPolicyOutput{Policy: p}, nil
}

func (s *Service) listPolicies(_ *wire.Call, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	if err := wire.Only(in, "Scope", "OnlyAttached", "PathPrefix", "Marker", "MaxItems"); err != nil {
		return nil, err
	}
	var arns []string
	if in.Scope != iamtypes.PolicyScopeTypeAws {
		arns = slices.AppendSeq(arns, maps.Keys(s.policies))
	}
	if in.Scope != iamtypes.PolicyScopeTypeLocal {
		arns = slices.AppendSeq(arns, maps.Keys(s.managed))
	}
	slices.Sort(arns)
	var all []iamtypes.Policy
	for _, arn := range arns {
		p := s.shown(arn)
		p.Description, p.Tags = nil, nil // IAM API reference, Policy: not in a list
		if strings.HasPrefix(*p.Path, aws.ToString(in.PathPrefix)) && (!in.OnlyAttached || *p.AttachmentCount > 0) {
			all = append(all, *p)
		}
	}
	part, truncated, next, err := page(all, in.Marker, in.MaxItems, func(p iamtypes.Policy) string { return *p.Arn })
	if err != nil {
		return nil, err
	}
	return &iam.ListPoliciesOutput{Policies: append([]iamtypes.Policy{}, part...), IsTruncated: truncated, Marker: next}, nil
}

func (s *Service) deletePolicy(_ *wire.Call, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	p, err := s.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	shown := s.shown(*in.PolicyArn)
	switch {
	case *shown.AttachmentCount+*shown.PermissionsBoundaryUsageCount > 0:
		return nil, &iamtypes.DeleteConflictException{Message: aws.String("Cannot delete a policy attached to entities.")}
	case len(p.versions) > 1:
		return nil, &iamtypes.DeleteConflictException{Message: aws.String("This policy has more than one version. Before you delete a policy, " +
			"you must delete the policy's versions. The default version is deleted with the policy.")}
	}
	delete(s.policies, *in.PolicyArn)
	return &iam.DeletePolicyOutput{}, nil
}
