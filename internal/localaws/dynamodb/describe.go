package dynamodb

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxTableNames is how many names ListTables returns at most (API reference,
// ListTables, Limit).
const maxTableNames = 100

func (s *Service) describeTable(_ *wire.Call, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeTableOutput{Table: t.describe()}, nil
}

func (s *Service) deleteTable(_ *wire.Call, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if t.protected {
		return nil, attr.Invalid("Resource cannot be deleted as it is currently protected against deletion. " +
			"Disable deletion protection first.")
	}
	delete(s.tables, t.name)
	d := t.describe()
	d.TableStatus = ddbtypes.TableStatusDeleting
	return &dynamodb.DeleteTableOutput{TableDescription: d}, nil
}

func (s *Service) listTables(_ *wire.Call, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	limit := int(aws.ToInt32(in.Limit))
	if in.Limit == nil {
		limit = maxTableNames
	}
	if limit < 1 || limit > maxTableNames {
		bound := "greater than or equal to 1"
		if limit > maxTableNames {
			bound = "less than or equal to 100"
		}
		return nil, attr.Invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value %s", limit, bound)
	}
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if name > aws.ToString(in.ExclusiveStartTableName) {
			names = append(names, name)
		}
	}
	out := &dynamodb.ListTablesOutput{TableNames: names}
	if len(names) > limit {
		out.TableNames = names[:limit]
		out.LastEvaluatedTableName = aws.String(names[limit-1])
	}
	return out, nil
}

// updateTable switches deletion protection, which a table must lose before it
// can be deleted, or gives it another key, and nothing else.
func (s *Service) updateTable(c *wire.Call, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	asked := dynamodb.UpdateTableInput{TableName: in.TableName, DeletionProtectionEnabled: in.DeletionProtectionEnabled, SSESpecification: in.SSESpecification}
	if name := firstDifference(in, &asked); name != "" {
		return nil, refuse(map[string]bool{name + " of UpdateTable": true})
	}
	if in.DeletionProtectionEnabled == nil && in.SSESpecification == nil {
		return nil, attr.Invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, " +
			"GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if in.SSESpecification != nil {
		if err := s.rekey(c, t, in.SSESpecification); err != nil {
			return nil, err
		}
	}
	if in.DeletionProtectionEnabled != nil {
		t.protected = *in.DeletionProtectionEnabled
	}
	return &dynamodb.UpdateTableOutput{TableDescription: t.describe()}, nil
}

// describe makes the description of an active table. DynamoDB counts items
// about every six hours, this one always.
func (t *table) describe() *ddbtypes.TableDescription {
	count, size := int64(0), int64(0)
	for _, r := range t.rows {
		count, size = count+1, size+int64(attr.Size(r.item))
	}
	d := &ddbtypes.TableDescription{
		AttributeDefinitions:      copyDefinitions(t.attributes),
		CreationDateTime:          aws.Time(t.created),
		DeletionProtectionEnabled: aws.Bool(t.protected),
		ItemCount:                 aws.Int64(count),
		KeySchema:                 t.keys.schema(),
		ProvisionedThroughput:     describeThroughput(t.throughput),
		TableArn:                  aws.String(t.arn),
		TableId:                   aws.String(t.id),
		TableName:                 aws.String(t.name),
		TableSizeBytes:            aws.Int64(size),
		TableStatus:               ddbtypes.TableStatusActive,
	}
	if t.billing == ddbtypes.BillingModePayPerRequest {
		d.BillingModeSummary = &ddbtypes.BillingModeSummary{
			BillingMode:                       t.billing,
			LastUpdateToPayPerRequestDateTime: aws.Time(t.created),
		}
	}
	if t.class != "" {
		d.TableClassSummary = &ddbtypes.TableClassSummary{TableClass: t.class}
	}
	d.SSEDescription = t.describeEncryption()
	for _, x := range t.indexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, t.describeIndex(x))
	}
	return d
}

// describeEncryption: without a specification, or with Enabled false, the key
// is DynamoDB's own and nothing is shown (API reference, SSESpecification).
func (t *table) describeEncryption() *ddbtypes.SSEDescription {
	if t.sse == nil || !aws.ToBool(t.sse.Enabled) {
		return nil
	}
	return &ddbtypes.SSEDescription{
		Status:          ddbtypes.SSEStatusEnabled,
		SSEType:         ddbtypes.SSETypeKms,
		KMSMasterKeyArn: cloned(t.sse.KMSMasterKeyId),
	}
}

func (t *table) describeIndex(x *index) ddbtypes.GlobalSecondaryIndexDescription {
	rows := t.rowsOf(x)
	size := int64(0)
	for _, r := range rows {
		size += int64(attr.Size(r.item))
	}
	return ddbtypes.GlobalSecondaryIndexDescription{
		IndexArn:       aws.String(t.arn + "/index/" + x.name),
		IndexName:      aws.String(x.name),
		IndexSizeBytes: aws.Int64(size),
		IndexStatus:    ddbtypes.IndexStatusActive,
		ItemCount:      aws.Int64(int64(len(rows))),
		KeySchema:      x.keys.schema(),
		Projection: &ddbtypes.Projection{
			ProjectionType:   x.projection.ProjectionType,
			NonKeyAttributes: slices.Clone(x.projection.NonKeyAttributes),
		},
		ProvisionedThroughput: describeThroughput(x.throughput),
	}
}

func describeThroughput(p *ddbtypes.ProvisionedThroughput) *ddbtypes.ProvisionedThroughputDescription {
	d := &ddbtypes.ProvisionedThroughputDescription{
		NumberOfDecreasesToday: aws.Int64(0),
		ReadCapacityUnits:      aws.Int64(0),
		WriteCapacityUnits:     aws.Int64(0),
	}
	if p != nil {
		d.ReadCapacityUnits, d.WriteCapacityUnits = cloned(p.ReadCapacityUnits), cloned(p.WriteCapacityUnits)
	}
	return d
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
