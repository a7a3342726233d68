package dynamodb_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATableIsActiveAtOnce(t *testing.T) {
	c := newCloud(t)
	made, err := c.CreateTable(t.Context(), tableInput())
	require.NoError(t, err)
	assert.Equal(t, ddbtypes.TableStatusCreating, made.TableDescription.TableStatus)
	c.put(with(key("a", "1"), "at", num("1")))
	got, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	d := got.Table
	assert.Equal(t, ddbtypes.TableStatusActive, d.TableStatus)
	assert.Equal(t, "arn:aws:dynamodb:us-east-1:123456789012:table/ledger", *d.TableArn)
	assert.Equal(t, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), *d.CreationDateTime)
	assert.Equal(t, schema("pk", "sk"), d.KeySchema)
	assert.Equal(t, ddbtypes.BillingModePayPerRequest, d.BillingModeSummary.BillingMode)
	assert.Equal(t, int64(1), *d.ItemCount)
	require.Len(t, d.GlobalSecondaryIndexes, 2)
	assert.Equal(t, "arn:aws:dynamodb:us-east-1:123456789012:table/ledger/index/by-at", *d.GlobalSecondaryIndexes[1].IndexArn)
	assert.Equal(t, int64(1), *d.GlobalSecondaryIndexes[1].ItemCount)

	_, err = c.CreateTable(t.Context(), tableInput())
	assert.Equal(t, "Table already exists: ledger", refused(t, err, "ResourceInUseException"))
}

func TestTablesThatAreRefused(t *testing.T) {
	const invalid = "One or more parameter values were invalid: "
	cases := map[string]struct {
		change func(in *dynamodb.CreateTableInput)
		want   string
	}{
		"short name": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "TableName must be at least 3 characters long and at most 255 characters long"},
		"streams": {func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewImage}
		}, "StreamSpecification is not supported by the local AWS"},
		"undefined key":     {func(in *dynamodb.CreateTableInput) { in.KeySchema = schema("id") }, invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [pk, sk, by, at]"},
		"unused definition": {func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = nil }, invalid + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		"same index":        {func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes[1].IndexName = aws.String("by-owner") }, invalid + "Duplicate index name: by-owner"},
		"no throughput":     {func(in *dynamodb.CreateTableInput) { in.BillingMode = ddbtypes.BillingModeProvisioned }, invalid + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		"key order": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema[0], in.KeySchema[1] = in.KeySchema[1], in.KeySchema[0]
		}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			in := tableInput()
			tc.change(in)
			_, err := c.CreateTable(t.Context(), in)
			assert.Equal(t, tc.want, refused(t, err, "ValidationException"))
			names, err := c.ListTables(t.Context(), &dynamodb.ListTablesInput{})
			require.NoError(t, err)
			assert.Empty(t, names.TableNames)
		})
	}
}

func TestAProtectedTableCannotBeDeleted(t *testing.T) {
	c := newCloud(t)
	in := tableInput()
	in.DeletionProtectionEnabled = aws.Bool(true)
	_, err := c.CreateTable(t.Context(), in)
	require.NoError(t, err)
	remove := func() error {
		_, err := c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("ledger")})
		return err
	}
	assert.Equal(t, "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
		refused(t, remove(), "ValidationException"))
	_, err = c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("ledger"), BillingMode: ddbtypes.BillingModeProvisioned})
	assert.Equal(t, "BillingMode of UpdateTable is not supported by the local AWS", refused(t, err, "ValidationException"))
	_, err = c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("ledger"), DeletionProtectionEnabled: aws.Bool(false)})
	require.NoError(t, err)
	require.NoError(t, remove())
	assert.Equal(t, "Requested resource not found: Table: ledger not found", refused(t, remove(), "ResourceNotFoundException"))
	_, err = c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: key("a", "1")})
	assert.Equal(t, "Requested resource not found", refused(t, err, "ResourceNotFoundException"))
	assert.Nil(t, c.items())
}

func TestTablesAreListedInOrder(t *testing.T) {
	c := newCloud(t)
	for i := range 5 {
		in := tableInput()
		in.TableName = aws.String("table-" + strconv.Itoa(4-i))
		_, err := c.CreateTable(t.Context(), in)
		require.NoError(t, err)
	}
	first, err := c.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(3)})
	require.NoError(t, err)
	assert.Equal(t, []string{"table-0", "table-1", "table-2"}, first.TableNames)
	second, err := c.ListTables(t.Context(), &dynamodb.ListTablesInput{ExclusiveStartTableName: first.LastEvaluatedTableName})
	require.NoError(t, err)
	assert.Equal(t, []string{"table-3", "table-4"}, second.TableNames)
	assert.Nil(t, second.LastEvaluatedTableName)
}

func TestExpiredItemsStayUntilTheHourlySweep(t *testing.T) {
	c := newCloud(t)
	c.table()
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) ddbtypes.AttributeValue { return count(int(start.Add(d).Unix())) }
	enable := func(on bool) error {
		_, err := c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String("ledger"),
			TimeToLiveSpecification: &ddbtypes.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(on)},
		})
		return err
	}
	require.NoError(t, enable(true))
	assert.Equal(t, "TimeToLive is already enabled", refused(t, enable(true), "ValidationException"))
	early, late, old := with(key("a", "1"), "expires", at(time.Minute)), with(key("a", "2"), "expires", at(90*time.Minute)),
		with(key("a", "3"), "expires", at(-6*365*24*time.Hour))
	text := with(key("a", "4"), "expires", str("1"))
	c.put(early, late, old, text)

	c.pass(59 * time.Minute)
	assert.Equal(t, []item{early, late, old, text}, c.items())
	c.pass(time.Minute)
	assert.Equal(t, []item{late, old, text}, c.items())
	c.put(early)
	c.pass(59 * time.Minute)
	assert.Equal(t, []item{early, late, old, text}, c.items())
	c.pass(time.Minute)
	got, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	assert.Equal(t, []item{old, text}, got.Items)

	status, err := c.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	assert.Equal(t, &ddbtypes.TimeToLiveDescription{
		AttributeName: aws.String("expires"), TimeToLiveStatus: ddbtypes.TimeToLiveStatusEnabled,
	}, status.TimeToLiveDescription)
	require.NoError(t, enable(false))
	c.put(early)
	c.pass(5 * time.Hour)
	assert.Equal(t, []item{early, old, text}, c.items())
}

func TestBackupsAndTagsAreKept(t *testing.T) {
	c := newCloud(t)
	in := tableInput()
	in.Tags = []ddbtypes.Tag{{Key: aws.String("b"), Value: aws.String("2")}}
	_, err := c.CreateTable(t.Context(), in)
	require.NoError(t, err)
	c.pass(time.Hour)
	_, err = c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        aws.String("ledger"),
		PointInTimeRecoverySpecification: &ddbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	c.pass(time.Hour)
	got, err := c.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	assert.Equal(t, &ddbtypes.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus:  ddbtypes.PointInTimeRecoveryStatusEnabled,
		RecoveryPeriodInDays:       aws.Int32(35),
		EarliestRestorableDateTime: aws.Time(time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)),
		LatestRestorableDateTime:   aws.Time(time.Date(2026, 1, 5, 10, 55, 0, 0, time.UTC)),
	}, got.ContinuousBackupsDescription.PointInTimeRecoveryDescription)

	arn := aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/ledger")
	_, err = c.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []ddbtypes.Tag{
		{Key: aws.String("c"), Value: aws.String("3")}, {Key: aws.String("a"), Value: aws.String("1")},
	}})
	require.NoError(t, err)
	_, err = c.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"c"}})
	require.NoError(t, err)
	tags, err := c.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	require.NoError(t, err)
	assert.Equal(t, []ddbtypes.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")},
	}, tags.Tags)
}

func TestAPolicyOfATableIsReplacedByWhoKnowsIt(t *testing.T) {
	c := newCloud(t)
	in := tableInput()
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"*"}]}`
	in.ResourcePolicy = aws.String(text)
	made, err := c.CreateTable(t.Context(), in)
	require.NoError(t, err)
	arn := made.TableDescription.TableArn
	got, err := c.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
	require.NoError(t, err)
	assert.JSONEq(t, text, *got.Policy)
	_, err = c.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String(text), ExpectedRevisionId: aws.String("NO_POLICY")})
	refused(t, err, "PolicyNotFoundException")
	_, err = c.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String("{}")})
	refused(t, err, "ValidationException")
	gone, err := c.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn, ExpectedRevisionId: got.RevisionId})
	require.NoError(t, err)
	assert.Equal(t, got.RevisionId, gone.RevisionId)
	_, err = c.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
	refused(t, err, "PolicyNotFoundException")
}
