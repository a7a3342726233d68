package dynamodb_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// query asks for the sort keys of a partition of the table "ledger".
func query(condition string, values item) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: aws.String("ledger"), KeyConditionExpression: aws.String(condition), ExpressionAttributeValues: values,
	}
}

// sorts are the sort keys of items.
func sorts(items []item) []string {
	all := []string{}
	for _, i := range items {
		n, _ := i["sk"].(*ddbtypes.AttributeValueMemberN)
		all = append(all, n.Value)
	}
	return all
}

func TestQueriesSelectBySortKey(t *testing.T) {
	c := newCloud(t)
	c.table()
	for _, n := range []string{"10", "9", "-1", "-10", "0", "100", "9.5"} {
		c.put(key("a", n), key("b", n))
	}
	cases := map[string][]string{
		"pk = :p":                          {"-10", "-1", "0", "9", "9.5", "10", "100"},
		"pk = :p AND sk = :n":              {"9"},
		"pk = :p AND sk < :n":              {"-10", "-1", "0"},
		"pk = :p AND sk <= :n":             {"-10", "-1", "0", "9"},
		"pk = :p AND sk > :n":              {"9.5", "10", "100"},
		"sk >= :n AND pk = :p":             {"9", "9.5", "10", "100"},
		"pk = :p AND sk BETWEEN :n AND :m": {"9", "9.5", "10"},
	}
	for condition, want := range cases {
		t.Run(condition, func(t *testing.T) {
			values := item{":p": str("a")}
			if strings.Contains(condition, ":n") {
				values[":n"] = num("9.0")
			}
			if strings.Contains(condition, ":m") {
				values[":m"] = num("10")
			}
			got, err := c.Query(t.Context(), query(condition, values))
			require.NoError(t, err)
			assert.Equal(t, want, sorts(got.Items))
			assert.Equal(t, int32(len(want)), got.Count)
			assert.Nil(t, got.LastEvaluatedKey)
		})
	}
}

func TestQueriesPageInBothDirections(t *testing.T) {
	c := newCloud(t)
	c.table()
	for i := range 7 {
		c.put(with(key("a", strconv.Itoa(i)), "even", &ddbtypes.AttributeValueMemberBOOL{Value: i%2 == 0}), key("b", strconv.Itoa(i)))
	}
	for name, tc := range map[string]struct {
		forward bool
		want    [][]string
	}{
		"forward":  {true, [][]string{{"0", "2"}, {"4"}, {"6"}}},
		"backward": {false, [][]string{{"6", "4"}, {"2"}, {"0"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := query("pk = :p", item{":p": str("a"), ":t": &ddbtypes.AttributeValueMemberBOOL{Value: true}})
			in.FilterExpression = aws.String("even = :t")
			in.Limit = aws.Int32(3)
			in.ScanIndexForward = aws.Bool(tc.forward)
			var pages [][]string
			for {
				got, err := c.Query(t.Context(), in)
				require.NoError(t, err)
				pages = append(pages, sorts(got.Items))
				if in.ExclusiveStartKey = got.LastEvaluatedKey; got.LastEvaluatedKey == nil {
					assert.Equal(t, int32(1), got.ScannedCount)
					break
				}
				assert.Equal(t, int32(3), got.ScannedCount)
			}
			assert.Equal(t, tc.want, pages)
		})
	}
}

func TestAPageEndsAfterOneMebibyte(t *testing.T) {
	c := newCloud(t)
	c.table()
	for i := range 4 {
		c.put(with(key("a", strconv.Itoa(i)), "x", str(strings.Repeat("x", 380<<10))))
	}
	in := query("pk = :p", item{":p": str("a")})
	in.Select = ddbtypes.SelectCount
	got, err := c.Query(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, int32(3), got.Count)
	assert.Equal(t, key("a", "2"), got.LastEvaluatedKey)
	assert.Nil(t, got.Items)
}

func TestAnIndexHasOnlyItemsWithItsKeys(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(
		with(key("a", "1"), "by", str("ada"), "at", num("30"), "x", str("y")),
		with(key("b", "1"), "by", str("ada"), "at", num("4")),
		with(key("b", "2"), "by", str("ada"), "at", num("4")),
		with(key("c", "1"), "by", str("bob"), "at", num("5")),
		with(key("d", "1"), "by", str("ada")),
	)
	in := query("#by = :by", item{":by": str("ada")})
	in.IndexName, in.ExpressionAttributeNames, in.Limit = aws.String("by-owner"), map[string]string{"#by": "by"}, aws.Int32(2)
	first, err := c.Query(t.Context(), in)
	require.NoError(t, err)
	in.ExclusiveStartKey = first.LastEvaluatedKey
	second, err := c.Query(t.Context(), in)
	require.NoError(t, err)
	assert.ElementsMatch(t, []item{
		with(key("b", "1"), "by", str("ada"), "at", num("4")),
		with(key("b", "2"), "by", str("ada"), "at", num("4")),
	}, first.Items)
	assert.Equal(t, []item{with(key("a", "1"), "by", str("ada"), "at", num("30"), "x", str("y"))}, second.Items)
	assert.Len(t, first.LastEvaluatedKey, 4)

	in = query("#at = :at", item{":at": num("30")})
	in.IndexName, in.ExpressionAttributeNames = aws.String("by-at"), map[string]string{"#at": "at"}
	keysOnly, err := c.Query(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []item{with(key("a", "1"), "at", num("30"))}, keysOnly.Items)

	moved, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("ledger"), Key: key("a", "1"), UpdateExpression: aws.String("REMOVE #at"),
		ExpressionAttributeNames: map[string]string{"#at": "at"}, ReturnValues: ddbtypes.ReturnValueUpdatedNew,
	})
	require.NoError(t, err)
	assert.Nil(t, moved.Attributes)
	keysOnly, err = c.Query(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, keysOnly.Items)
}

func TestQueriesThatAreRefused(t *testing.T) {
	c := newCloud(t)
	c.table()
	cases := map[string]struct {
		change func(in *dynamodb.QueryInput)
		want   string
	}{
		"no condition":  {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = nil }, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		"no hash key":   {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("sk = :p") }, "Query condition missed key schema element: pk"},
		"hash range":    {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("pk > :p") }, "Query key condition not supported"},
		"other":         {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("pk = :p AND x = :p") }, "Query condition missed key schema element: sk"},
		"type":          {func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item{":p": num("1")} }, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		"empty key":     {func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item{":p": str("")} }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"limit":         {func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"filter on key": {func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("sk <> :p") }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		"index":         {func(in *dynamodb.QueryInput) { in.IndexName = aws.String("nope") }, "The table does not have the specified index: nope"},
		"index read":    {func(in *dynamodb.QueryInput) { in.IndexName, in.ConsistentRead = aws.String("by-at"), aws.Bool(true) }, "Consistent reads are not supported on global secondary indexes"},
		"not projected": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.ProjectionExpression = aws.String("by-at"), aws.String("pk, x")
		}, "One or more parameter values were invalid: Global secondary index by-at does not project [x]"},
		"count of part": {func(in *dynamodb.QueryInput) {
			in.Select, in.ProjectionExpression = ddbtypes.SelectCount, aws.String("x")
		}, "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		"start":         {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"pk": str("a")} }, "The provided starting key is invalid: The provided key element does not match the schema"},
		"start outside": {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = key("b", "1") }, "The provided starting key is outside query boundaries based on provided conditions"},
		"legacy filter": {func(in *dynamodb.QueryInput) {
			in.QueryFilter = map[string]ddbtypes.Condition{}
			in.QueryFilter["x"] = ddbtypes.Condition{ComparisonOperator: ddbtypes.ComparisonOperatorNull}
		}, "QueryFilter is not supported by the local AWS"},
		"legacy keys": {func(in *dynamodb.QueryInput) {
			in.KeyConditions = map[string]ddbtypes.Condition{"x": {ComparisonOperator: ddbtypes.ComparisonOperatorNull}}
		}, "KeyConditions is not supported by the local AWS"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := query("pk = :p", item{":p": str("a")})
			tc.change(in)
			_, err := c.Query(t.Context(), in)
			assert.Equal(t, tc.want, refused(t, err, "ValidationException"))
		})
	}
}

func TestAScanSeesEveryItemOnce(t *testing.T) {
	c := newCloud(t)
	c.table()
	for i := range 9 {
		for j := range 3 {
			c.put(key(strconv.Itoa(i), strconv.Itoa(j)))
		}
	}
	var paged []item
	in := &dynamodb.ScanInput{TableName: aws.String("ledger"), Limit: aws.Int32(4)}
	for pages := dynamodb.NewScanPaginator(c, in); pages.HasMorePages(); {
		got, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		paged = append(paged, got.Items...)
	}
	whole, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("ledger")})
	require.NoError(t, err)
	assert.Equal(t, whole.Items, paged)
	assert.ElementsMatch(t, c.items(), paged)

	var parts []item
	for segment := range int32(3) {
		got, err := c.Scan(t.Context(), &dynamodb.ScanInput{
			TableName: aws.String("ledger"), Segment: aws.Int32(segment), TotalSegments: aws.Int32(3),
		})
		require.NoError(t, err)
		parts = append(parts, got.Items...)
	}
	assert.ElementsMatch(t, paged, parts)
}

func TestAScanFiltersAndProjects(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(with(key("a", "1"), "x", num("1"), "y", str("one")), with(key("a", "2"), "x", num("2"), "y", str("two")))
	got, err := c.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: aws.String("ledger"), FilterExpression: aws.String("x > :one AND pk = :a"), ProjectionExpression: aws.String("y"),
		ExpressionAttributeValues: item{":one": num("1"), ":a": str("a")},
	})
	require.NoError(t, err)
	assert.Equal(t, []item{{"y": str("two")}}, got.Items)
	assert.Equal(t, int32(1), got.Count)
	assert.Equal(t, int32(2), got.ScannedCount)
}
