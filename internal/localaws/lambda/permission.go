package lambda

import (
	"encoding/json"
	"regexp"
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
	if err := checkGrant(in, r); err != nil {
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

// principal is what a principal may be (Lambda API reference, AddPermission:
// an AWS service, an account or an ARN).
const principal = `^(\*|\d{12}|[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?|arn:aws[a-z-]*:(iam|sts)::\d{12}:.+)$`

// checkGrant says what is wrong with a permission (the texts as recorded from
// AWS in public test snapshots).
func checkGrant(in *lambda.AddPermissionInput, r reference) error {
	if id := aws.ToString(in.StatementId); !named(id, maxStatementID) {
		return unfit(id, "statementId", "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")
	}
	if _, err := r.version(); err != nil {
		if named(r.qualifier, maxAliasName) && strings.Trim(r.qualifier, "0123456789") != "" {
			return notFound("Cannot find alias arn: %s", r.arn())
		}
		return err
	}
	if !regexp.MustCompile(principal).MatchString(aws.ToString(in.Principal)) {
		return invalid("The provided principal was invalid. Please check the principal and try again.")
	}
	return nil
}

func (s *Service) removePermission(_ *wire.Call, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	p := r.fn.policies[r.qualifier]
	if p == nil {
		return nil, notFound("No policy is associated with the given resource.")
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

func (s *Service) getPolicy(_ *wire.Call, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	p := r.fn.policies[r.qualifier]
	if p == nil {
		return nil, notFound("The resource you requested does not exist.")
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
