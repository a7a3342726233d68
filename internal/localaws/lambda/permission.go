package lambda

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// policy is the resource policy of a function, version or alias.
type policy struct {
	statements []statement
	revision   string
}

// statement is one permission, as AWS writes it.
type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// who writes a principal as a policy does: a service, an account, an ARN or
// everybody.
func who(p string) any {
	switch {
	case p == "*":
		return p
	case strings.HasSuffix(p, ".amazonaws.com"):
		return map[string]string{"Service": p}
	case !strings.Contains(p, ":"):
		return map[string]string{"AWS": "arn:aws:iam::" + p + ":root"}
	default:
		return map[string]string{"AWS": p}
	}
}

// conditions are the conditions that a permission's restrictions become.
func conditions(in *lambda.AddPermissionInput) map[string]map[string]string {
	c := map[string]map[string]string{}
	add := func(operator, key string, value *string) {
		if aws.ToString(value) == "" {
			return
		}
		if c[operator] == nil {
			c[operator] = map[string]string{}
		}
		c[operator][key] = *value
	}
	add("ArnLike", "AWS:SourceArn", in.SourceArn)
	add("StringEquals", "AWS:SourceAccount", in.SourceAccount)
	add("StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID)
	return c
}

func (s *Service) addPermission(_ *wire.Call, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	if err := refuse(in, "EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl"); err != nil {
		return nil, err
	}
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.qualifier == latest {
		return nil, invalid("We currently do not support adding policies for $LATEST.")
	}
	if _, err := r.version(); err != nil {
		return nil, err
	}
	p := r.fn.policies[r.qualifier]
	if p == nil {
		p = &policy{}
	}
	if in.RevisionId != nil {
		if err := precondition(in.RevisionId, &p.revision, "GetPolicy"); err != nil {
			return nil, err
		}
	}
	for _, st := range p.statements {
		if st.Sid == aws.ToString(in.StatementId) {
			return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
		}
	}
	st := statement{
		Sid: aws.ToString(in.StatementId), Effect: "Allow", Principal: who(aws.ToString(in.Principal)),
		Action: aws.ToString(in.Action), Resource: r.arn(), Condition: conditions(in),
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	p.statements = append(p.statements, st)
	p.revision = s.w.UUID()
	r.fn.policies[r.qualifier] = p
	return &lambda.AddPermissionOutput{Statement: aws.String(string(text))}, nil
}

func (s *Service) removePermission(_ *wire.Call, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	r, p, err := s.policy(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := precondition(in.RevisionId, &p.revision, "GetPolicy"); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(p.statements, func(st statement) bool { return st.Sid == aws.ToString(in.StatementId) })
	if i < 0 {
		return nil, notFound("Statement %s is not found in resource policy.", aws.ToString(in.StatementId))
	}
	p.statements = slices.Delete(p.statements, i, i+1)
	p.revision = s.w.UUID()
	if len(p.statements) == 0 {
		delete(r.fn.policies, r.qualifier)
	}
	return &lambda.RemovePermissionOutput{}, nil
}

// policy looks up a resource policy.
func (s *Service) policy(name, qualifier *string) (reference, *policy, error) {
	r, err := s.find(name, qualifier)
	if err != nil {
		return r, nil, err
	}
	if p := r.fn.policies[r.qualifier]; p != nil {
		return r, p, nil
	}
	return r, nil, notFound("The resource you requested does not exist.")
}

func (s *Service) getPolicy(_ *wire.Call, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	_, p, err := s.policy(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(struct {
		Version   string      `json:"Version"`
		ID        string      `json:"Id"`
		Statement []statement `json:"Statement"`
	}{"2012-10-17", "default", p.statements})
	if err != nil {
		return nil, err
	}
	return &lambda.GetPolicyOutput{Policy: aws.String(string(text)), RevisionId: aws.String(p.revision)}, nil
}
