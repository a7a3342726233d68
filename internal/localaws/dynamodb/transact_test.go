package dynamodb_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func claim(i item) ddbtypes.TransactWriteItem {
	return ddbtypes.TransactWriteItem{Put: &ddbtypes.Put{
		TableName: aws.String("ledger"), Item: i, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: ddbtypes.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

func increment(k item) ddbtypes.TransactWriteItem {
	return ddbtypes.TransactWriteItem{Update: &ddbtypes.Update{
		TableName: aws.String("ledger"), Key: k, UpdateExpression: aws.String("ADD n :one"),
		ExpressionAttributeValues: item{":one": num("1")},
	}}
}

func TestATransactionDoesEverything(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(key("gone", "1"), with(key("checked", "1"), "n", num("7")), with(key("counted", "1"), "n", num("1")))
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []ddbtypes.TransactWriteItem{
		claim(key("new", "1")),
		increment(key("counted", "1")),
		{Delete: &ddbtypes.Delete{TableName: aws.String("ledger"), Key: key("gone", "1")}},
		{ConditionCheck: &ddbtypes.ConditionCheck{
			TableName: aws.String("ledger"), Key: key("checked", "1"), ConditionExpression: aws.String("n = :n"),
			ExpressionAttributeValues: item{":n": num("7")},
		}},
		{ConditionCheck: &ddbtypes.ConditionCheck{
			TableName: aws.String("ledger"), Key: key("absent", "1"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		}},
	}})
	require.NoError(t, err)
	assert.Equal(t, []item{
		with(key("checked", "1"), "n", num("7")), with(key("counted", "1"), "n", num("2")), key("new", "1"),
	}, c.items())

	got, err := c.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []ddbtypes.TransactGetItem{
		{Get: &ddbtypes.Get{TableName: aws.String("ledger"), Key: key("counted", "1"), ProjectionExpression: aws.String("n")}},
		{Get: &ddbtypes.Get{TableName: aws.String("ledger"), Key: key("gone", "1")}},
		{Get: &ddbtypes.Get{TableName: aws.String("ledger"), Key: key("new", "1")}},
	}})
	require.NoError(t, err)
	assert.Equal(t, []ddbtypes.ItemResponse{{Item: item{"n": num("2")}}, {}, {Item: key("new", "1")}}, got.Responses)
}

func TestACancelledTransactionSaysWhyInOrderAndDoesNothing(t *testing.T) {
	c := newCloud(t)
	c.table()
	before := []item{with(key("a", "1"), "by", str("me")), with(key("b", "1"), "n", str("x"))}
	c.put(before...)
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []ddbtypes.TransactWriteItem{
		claim(key("c", "1")),
		claim(key("a", "1")),
		increment(key("b", "1")),
		{Delete: &ddbtypes.Delete{TableName: aws.String("ledger"), Key: key("d", "1"), ConditionExpression: aws.String("attribute_exists(pk)")}},
		{Put: &ddbtypes.Put{TableName: aws.String("ledger"), Item: item{"pk": str("e")}}},
	}})
	var cancelled *ddbtypes.TransactionCanceledException
	require.ErrorAs(t, err, &cancelled)
	assert.Equal(t, "Transaction cancelled, please refer cancellation reasons for specific reasons "+
		"[None, ConditionalCheckFailed, ValidationError, ConditionalCheckFailed, ValidationError]", cancelled.ErrorMessage())
	assert.Equal(t, []ddbtypes.CancellationReason{
		{Code: aws.String("None")},
		{Code: aws.String("ConditionalCheckFailed"), Message: aws.String("The conditional request failed"), Item: before[0]},
		{Code: aws.String("ValidationError"), Message: aws.String("An operand in the update expression has an incorrect data type")},
		{Code: aws.String("ConditionalCheckFailed"), Message: aws.String("The conditional request failed")},
		{Code: aws.String("ValidationError"), Message: aws.String("One or more parameter values were invalid: Missing the key sk in the item")},
	}, cancelled.CancellationReasons)
	assert.Equal(t, before, c.items())
}

func TestTransactionsThatAreRefused(t *testing.T) {
	c := newCloud(t)
	c.table()
	hundredAndOne := make([]ddbtypes.TransactWriteItem, 101)
	for i := range hundredAndOne {
		hundredAndOne[i] = claim(with(key("a", "1"), "sk", count(i)))
	}
	both := claim(key("a", "1"))
	both.Update = increment(key("b", "1")).Update
	cases := map[string]struct {
		items []ddbtypes.TransactWriteItem
		want  string
	}{
		"same item twice": {[]ddbtypes.TransactWriteItem{claim(key("a", "1")), increment(key("a", "1.0"))}, "Transaction request cannot include multiple operations on one item"},
		"two at once":     {[]ddbtypes.TransactWriteItem{both}, "TransactItems can only contain one of Check, Put, Update or Delete"},
		"none":            {[]ddbtypes.TransactWriteItem{{}}, "TransactItems can only contain one of Check, Put, Update or Delete"},
		"no items":        {[]ddbtypes.TransactWriteItem{}, "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"too many":        {hundredAndOne, "1 validation error detected: Value '[101 items]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"},
		"syntax": {[]ddbtypes.TransactWriteItem{{Put: &ddbtypes.Put{
			TableName: aws.String("ledger"), Item: key("a", "1"), ConditionExpression: aws.String("pk ="),
		}}}, `Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: tc.items})
			assert.Equal(t, tc.want, refused(t, err, "ValidationException"))
			assert.Empty(t, c.items())
		})
	}
}

func TestATokenMakesATransactionHappenOnce(t *testing.T) {
	c := newCloud(t)
	c.table()
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("token"), TransactItems: []ddbtypes.TransactWriteItem{increment(key("a", "1"))},
	}
	run := func() error {
		_, err := c.TransactWriteItems(t.Context(), in)
		return err
	}
	require.NoError(t, run())
	c.pass(10*time.Minute - time.Second)
	require.NoError(t, run())
	assert.Equal(t, []item{with(key("a", "1"), "n", num("1"))}, c.items())

	same := in.TransactItems
	in.TransactItems = []ddbtypes.TransactWriteItem{increment(key("b", "1"))}
	var mismatch *ddbtypes.IdempotentParameterMismatchException
	require.ErrorAs(t, run(), &mismatch)
	assert.Equal(t, []item{with(key("a", "1"), "n", num("1"))}, c.items())

	in.TransactItems = same
	c.pass(time.Second)
	require.NoError(t, run(), "the token is forgotten")
	assert.Equal(t, []item{with(key("a", "1"), "n", num("2"))}, c.items())
}

func TestACancelledTransactionMayBeTriedAgain(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(key("a", "1"))
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("token"), TransactItems: []ddbtypes.TransactWriteItem{claim(with(key("a", "1"), "by", str("me")))},
	}
	_, err := c.TransactWriteItems(t.Context(), in)
	refused(t, err, "TransactionCanceledException")
	_, err = c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("ledger"), Key: key("a", "1")})
	require.NoError(t, err)
	_, err = c.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []item{with(key("a", "1"), "by", str("me"))}, c.items())
}

func TestBatches(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(key("old", "1"))
	wrote, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddbtypes.WriteRequest{"ledger": {
		{PutRequest: &ddbtypes.PutRequest{Item: with(key("a", "1"), "x", str("y"))}},
		{PutRequest: &ddbtypes.PutRequest{Item: key("b", "1")}},
		{DeleteRequest: &ddbtypes.DeleteRequest{Key: key("old", "1")}},
	}}})
	require.NoError(t, err)
	assert.Empty(t, wrote.UnprocessedItems)
	assert.Equal(t, []item{with(key("a", "1"), "x", str("y")), key("b", "1")}, c.items())

	read, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{"ledger": {
		Keys: []map[string]ddbtypes.AttributeValue{key("b", "1"), key("old", "1"), key("a", "1")}, ProjectionExpression: aws.String("pk, x"),
	}}})
	require.NoError(t, err)
	assert.Equal(t, map[string][]map[string]ddbtypes.AttributeValue{"ledger": {
		{"pk": str("b")}, {"pk": str("a"), "x": str("y")},
	}}, read.Responses)
	assert.Empty(t, read.UnprocessedKeys)
}

func TestBatchesThatAreRefused(t *testing.T) {
	c := newCloud(t)
	c.table()
	twice := []ddbtypes.WriteRequest{
		{PutRequest: &ddbtypes.PutRequest{Item: key("a", "1")}},
		{DeleteRequest: &ddbtypes.DeleteRequest{Key: key("a", "1")}},
	}
	_, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddbtypes.WriteRequest{"ledger": twice}})
	assert.Equal(t, "Provided list of item keys contains duplicates", refused(t, err, "ValidationException"))

	var many []ddbtypes.WriteRequest
	for i := range 26 {
		many = append(many, ddbtypes.WriteRequest{PutRequest: &ddbtypes.PutRequest{Item: with(key("a", "1"), "sk", count(i))}})
	}
	_, err = c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddbtypes.WriteRequest{"ledger": many}})
	assert.Equal(t, "Too many items requested for the BatchWriteItem call", refused(t, err, "ValidationException"))
	assert.Empty(t, c.items())

	_, err = c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{
		"ledger": {Keys: []map[string]ddbtypes.AttributeValue{key("a", "1"), key("a", "1.0")}},
	}})
	assert.Equal(t, "Provided list of item keys contains duplicates", refused(t, err, "ValidationException"))

	_, err = c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{
		"nope": {Keys: []map[string]ddbtypes.AttributeValue{key("a", "1")}},
	}})
	assert.Equal(t, "Requested resource not found", refused(t, err, "ResourceNotFoundException"))
}
