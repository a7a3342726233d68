package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxPolicy is how long a resource-based policy may be, and withoutPolicy what
// ExpectedRevisionId says of a table that has none (DynamoDB API reference,
// PutResourcePolicy).
const (
	maxPolicy     = 20 << 10
	withoutPolicy = "NO_POLICY"
)

// access is the resource-based policy of a table. Package access evaluates it.
type access struct {
	text, revision string
}

// allow gives a table a policy.
func (s *Service) allow(t *table, text *string) error {
	if len(aws.ToString(text)) > maxPolicy {
		return attr.Invalid("Resource policy document exceeds the maximum size of %d bytes", maxPolicy)
	}
	if _, err := policy.Parse(aws.ToString(text), policy.Resource); err != nil {
		return attr.Invalid("Invalid policy document: %s", err)
	}
	t.access = access{text: *text, revision: s.world.UUID()}
	return nil
}

// expected checks that a policy is the one that a request means.
func (t *table) expected(revision *string) error {
	has := t.access.revision
	if has == "" {
		has = withoutPolicy
	}
	if revision == nil || *revision == has {
		return nil
	}
	return noPolicy(t)
}

func noPolicy(t *table) error {
	return &ddbtypes.PolicyNotFoundException{Message: aws.String("Resource-based policy not found for the provided ResourceArn: " + t.arn)}
}

func (s *Service) putPolicy(_ *wire.Call, in *dynamodb.PutResourcePolicyInput) (*dynamodb.PutResourcePolicyOutput, error) {
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if err := t.expected(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	if err := s.allow(t, in.Policy); err != nil {
		return nil, err
	}
	return &dynamodb.PutResourcePolicyOutput{RevisionId: aws.String(t.access.revision)}, nil
}

func (s *Service) getPolicy(_ *wire.Call, in *dynamodb.GetResourcePolicyInput) (*dynamodb.GetResourcePolicyOutput, error) {
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if t.access.text == "" {
		return nil, noPolicy(t)
	}
	return &dynamodb.GetResourcePolicyOutput{Policy: aws.String(t.access.text), RevisionId: aws.String(t.access.revision)}, nil
}

// deletePolicy is no error if there is none (DynamoDB API reference,
// DeleteResourcePolicy: "an idempotent operation").
func (s *Service) deletePolicy(_ *wire.Call, in *dynamodb.DeleteResourcePolicyInput) (*dynamodb.DeleteResourcePolicyOutput, error) {
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if err := t.expected(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	out := &dynamodb.DeleteResourcePolicyOutput{}
	if t.access.revision != "" {
		out.RevisionId = aws.String(t.access.revision)
	}
	t.access = access{}
	return out, nil
}
