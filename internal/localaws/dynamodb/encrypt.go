package dynamodb

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// keyed lets an operation on items happen only if who calls may open the keys
// of its tables (DynamoDB developer guide, "DynamoDB encryption at rest: how it
// works", table key caching: DynamoDB calls kms:Decrypt for the caller).
func keyed[I, O any](s *Service, do func(*wire.Call, *I) (*O, error), tables func(*I) []*string) func(*wire.Call, *I) (*O, error) {
	return func(c *wire.Call, in *I) (*O, error) {
		for _, name := range tables(in) {
			t := s.tables[plainName(aws.ToString(name))]
			if t == nil || t.key() == "" {
				continue
			}
			if err := s.opens(c, t); err != nil {
				return nil, err
			}
		}
		return do(c, in)
	}
}

// key is the customer's key of a table, if it has one.
func (t *table) key() string {
	if t.sse == nil || !aws.ToBool(t.sse.Enabled) {
		return ""
	}
	return aws.ToString(t.sse.KMSMasterKeyId)
}

func (s *Service) opens(c *wire.Call, t *table) error {
	return s.keyRefuses(encryption.Keys{Caller: s.caller, Service: "dynamodb"}.Decrypt(c.Context, s.use(c.Principal, t)))
}

// use has the encryption context of a table (DynamoDB developer guide, "Using
// the encryption context").
func (s *Service) use(by wire.Principal, t *table) encryption.Use {
	return encryption.Use{By: by, Key: t.key(), About: map[string]string{
		"aws:dynamodb:tableName": t.name, "aws:dynamodb:subscriberId": s.world.Account,
	}}
}

func (s *Service) keyRefuses(err error) error {
	if err == nil {
		return nil
	}
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "KMS key access denied error: " + err.Error(), Fault: smithy.FaultClient}
}

// protect looks at the customer's key of a new table: who makes it must be able
// to describe and use it (DynamoDB developer guide, "Authorizing use of your KMS
// key"). The grant that DynamoDB makes is not asked for.
func (s *Service) protect(c *wire.Call, t *table) error {
	if t.key() == "" {
		return nil
	}
	by := c.Principal
	by.Via = "dynamodb"
	out, err := wire.Do[kms.DescribeKeyOutput](context.WithoutCancel(c.Context), s.caller, by, "kms", "DescribeKey", &kms.DescribeKeyInput{KeyId: t.sse.KMSMasterKeyId})
	if err != nil && encryption.Why(err) == encryption.Missing {
		return attr.Invalid(invalidValues+"KMS key %s cannot be found", t.key())
	}
	if err != nil {
		return s.keyRefuses(err)
	}
	t.sse.KMSMasterKeyId = out.KeyMetadata.Arn
	return s.keyRefuses(encryption.Keys{Caller: s.caller, Service: "dynamodb"}.Both(c.Context, s.use(by, t)))
}

// rekey gives a table another key, AWS's own for DynamoDB or DynamoDB's.
func (s *Service) rekey(c *wire.Call, t *table, to *ddbtypes.SSESpecification) error {
	was := t.sse
	t.sse = copyEncryption(to)
	if err := s.protect(c, t); err != nil {
		t.sse = was
		return err
	}
	return nil
}

// The tables that operations are about.

func batchGets(in *dynamodb.BatchGetItemInput) []*string { return namesOf(in.RequestItems) }

func batchPuts(in *dynamodb.BatchWriteItemInput) []*string { return namesOf(in.RequestItems) }

func namesOf[V any](m map[string]V) []*string {
	var all []string
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return aws.StringSlice(all)
}

func transactGets(in *dynamodb.TransactGetItemsInput) []*string {
	var all []*string
	for _, i := range in.TransactItems {
		if i.Get != nil {
			all = append(all, i.Get.TableName)
		}
	}
	return all
}

func transactWrites(in *dynamodb.TransactWriteItemsInput) []*string {
	var all []*string
	for _, i := range in.TransactItems {
		all = append(all, writes(i)...)
	}
	return all
}

func writes(i ddbtypes.TransactWriteItem) []*string {
	switch {
	case i.Put != nil:
		return []*string{i.Put.TableName}
	case i.Update != nil:
		return []*string{i.Update.TableName}
	case i.Delete != nil:
		return []*string{i.Delete.TableName}
	case i.ConditionCheck != nil:
		return []*string{i.ConditionCheck.TableName}
	default:
		return nil
	}
}
