package iam

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// chained is how long the session of a role that another role's session
// assumes may last (STS API reference, AssumeRole, DurationSeconds).
const chained = time.Hour

// Assume begins a session of a role for the Security Token Service. That the
// caller may do so was decided before. It returns whom the session's
// credentials belong to, and the role's unique id.
func (s *Service) Assume(by wire.Principal, in *sts.AssumeRoleInput, lifetime time.Duration) (p wire.Principal, roleID string, err error) {
	arn := aws.ToString(in.RoleArn)
	r := s.roles[arn[strings.LastIndex(arn, "/")+1:]]
	if r == nil || r.arn != arn {
		return p, "", &smithy.GenericAPIError{
			Code: "AccessDenied", Message: "User: " + by.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + arn, Fault: smithy.FaultClient,
		}
	}
	if lifetime > time.Duration(r.maxSession)*time.Second {
		return p, "", invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if lifetime > chained && strings.Contains(by.ARN, ":assumed-role/") {
		return p, "", invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	made := &session{source: aws.ToString(in.SourceIdentity), issued: *s.now()}
	for _, t := range in.Tags {
		made.tags = append(made.tags, iamtypes.Tag{Key: t.Key, Value: t.Value})
	}
	if made.policies, err = s.sessionPolicies(in); err != nil {
		return p, "", err
	}
	p = wire.Principal{
		ARN:     "arn:aws:sts::" + s.world.Account + ":assumed-role/" + r.name + "/" + aws.ToString(in.RoleSessionName),
		Session: s.id("session-"),
	}
	s.sessions[p.Session] = made
	return p, r.id, nil
}

// sessionPolicies are the documents that limit a session.
func (s *Service) sessionPolicies(in *sts.AssumeRoleInput) ([]string, error) {
	var all []string
	if in.Policy != nil {
		if _, err := s.read(*in.Policy, policy.Identity); err != nil {
			return nil, &ststypes.MalformedPolicyDocumentException{Message: aws.String(err.Error())}
		}
		all = append(all, *in.Policy)
	}
	for _, d := range in.PolicyArns {
		text, ok := s.managedDocument(aws.ToString(d.Arn))
		if !ok {
			return nil, &ststypes.MalformedPolicyDocumentException{Message: aws.String("Policy " + aws.ToString(d.Arn) + " is not valid.")}
		}
		all = append(all, text)
	}
	return all, nil
}

// UserID is the unique id of a principal.
func (s *Service) UserID(p wire.Principal) string { return s.Subject(p).ID }
