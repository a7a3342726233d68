package eventbridge

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxPolicy is how long the policy of a bus may be (EventBridge user guide,
// "Amazon EventBridge quotas").
const maxPolicy = 10240

// policy is the resource policy of a bus. Statements that PutPermission did not
// make are kept as they came.
type policy struct {
	Version    string            `json:"Version"`
	Statements []json.RawMessage `json:"Statement"`
}

// statement is what PutPermission makes of an account or organization.
type statement struct {
	Sid       string `json:"Sid"`
	Effect    string `json:"Effect"`
	Principal any    `json:"Principal"`
	Action    string `json:"Action"`
	Resource  string `json:"Resource"`
	Condition any    `json:"Condition,omitempty"`
}

func sid(raw json.RawMessage) string {
	var s struct {
		Sid string `json:"Sid"`
	}
	_ = json.Unmarshal(raw, &s) // one without has none
	return s.Sid
}

// putPermission adds a statement to the policy of a bus, or replaces the whole
// policy (EventBridge API reference, PutPermission).
func (s *Service) putPermission(_ *wire.Call, in *eventbridge.PutPermissionInput) (*eventbridge.PutPermissionOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	p := policy{Version: "2012-10-17", Statements: slices.Clone(b.policy.Statements)}
	if in.Policy != nil {
		if in.Action != nil || in.Principal != nil || in.StatementId != nil || in.Condition != nil {
			return nil, invalid("Parameter Policy can't be used together with Action, Principal, StatementId or Condition.")
		}
		p = policy{}
		if json.Unmarshal([]byte(*in.Policy), &p) != nil || p.Version == "" || len(p.Statements) == 0 {
			return nil, invalid("Parameter Policy is not valid. Reason: it is not a policy document.")
		}
	} else {
		fresh, err := b.statement(in)
		if err != nil {
			return nil, err
		}
		p.Statements = slices.DeleteFunc(p.Statements, func(raw json.RawMessage) bool { return sid(raw) == *in.StatementId })
		p.Statements = append(p.Statements, encode(fresh))
	}
	if len(encode(p)) > maxPolicy {
		return nil, &ebtypes.PolicyLengthExceededException{Message: aws.String("The policy of the event bus is too long.")}
	}
	b.policy = p
	return &eventbridge.PutPermissionOutput{}, nil
}

func (b *bus) statement(in *eventbridge.PutPermissionInput) (statement, error) {
	s := statement{Sid: aws.ToString(in.StatementId), Effect: "Allow", Action: "events:PutEvents", Resource: b.arn}
	who := aws.ToString(in.Principal)
	switch {
	case aws.ToString(in.Action) != s.Action:
		return s, invalid("Provided value in parameter 'action' is not supported.")
	case !isName(s.Sid, "-_", maxRuleName):
		return s, invalid("Provided value in parameter 'statementId' is not valid.")
	case who == "*":
		s.Principal = who
	case regexp.MustCompile(`^\d{12}$`).MatchString(who):
		s.Principal = map[string]string{"AWS": "arn:aws:iam::" + who + ":root"}
	default:
		return s, invalid("Provided value in parameter 'principal' is not valid.")
	}
	if c := in.Condition; c != nil {
		if aws.ToString(c.Type) != "StringEquals" || aws.ToString(c.Key) != "aws:PrincipalOrgID" || aws.ToString(c.Value) == "" {
			return s, invalid("Parameter Condition is not valid. Reason: only StringEquals of aws:PrincipalOrgID is supported.")
		}
		s.Condition = map[string]map[string]string{*c.Type: {*c.Key: *c.Value}}
	}
	return s, nil
}

func (s *Service) removePermission(_ *wire.Call, in *eventbridge.RemovePermissionInput) (*eventbridge.RemovePermissionOutput, error) {
	b, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	if in.RemoveAllPermissions {
		b.policy = policy{}
		return &eventbridge.RemovePermissionOutput{}, nil
	}
	i := slices.IndexFunc(b.policy.Statements, func(raw json.RawMessage) bool { return sid(raw) == aws.ToString(in.StatementId) })
	if in.StatementId == nil || i < 0 {
		return nil, notFound("Statement with the provided id does not exist.")
	}
	b.policy.Statements = slices.Delete(slices.Clone(b.policy.Statements), i, i+1)
	return &eventbridge.RemovePermissionOutput{}, nil
}

// document is the policy as JSON; nil if there is none.
func (b *bus) document() *string {
	if len(b.policy.Statements) == 0 {
		return nil
	}
	return aws.String(string(encode(b.policy)))
}
