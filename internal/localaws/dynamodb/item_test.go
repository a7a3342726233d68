package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnItemComesBackAsItWentIn(t *testing.T) {
	c := newCloud(t)
	c.table()
	whole := with(key("a", "1.50"), "b", &ddbtypes.AttributeValueMemberB{Value: []byte{0, 255}},
		"yes", &ddbtypes.AttributeValueMemberBOOL{Value: true},
		"no", &ddbtypes.AttributeValueMemberBOOL{},
		"null", &ddbtypes.AttributeValueMemberNULL{Value: true},
		"empty", str(""),
		"list", &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{num("-0.00"), str("ü")}},
		"map", &ddbtypes.AttributeValueMemberM{Value: item{"k": num("1e3")}},
		"strings", &ddbtypes.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"numbers", &ddbtypes.AttributeValueMemberNS{Value: []string{"10", "9.0"}},
		"blobs", &ddbtypes.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}})
	c.put(whole)
	want := with(whole, "sk", num("1.5"),
		"list", &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{num("0"), str("ü")}},
		"map", &ddbtypes.AttributeValueMemberM{Value: item{"k": num("1000")}},
		"strings", &ddbtypes.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"numbers", &ddbtypes.AttributeValueMemberNS{Value: []string{"9", "10"}},
		"blobs", &ddbtypes.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}})
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: key("a", "15e-1")})
	require.NoError(t, err)
	assert.Equal(t, want, got.Item)
	assert.Nil(t, got.ConsumedCapacity)
	assert.Equal(t, []item{want}, c.items())
}

func TestItemsAreCopies(t *testing.T) {
	c := newCloud(t)
	c.table()
	c.put(with(key("a", "1"), "tags", &ddbtypes.AttributeValueMemberSS{Value: []string{"x"}}))
	got := c.items()
	got[0]["tags"].(*ddbtypes.AttributeValueMemberSS).Value[0] = "changed"
	delete(got[0], "pk")
	assert.Equal(t, []item{with(key("a", "1"), "tags", &ddbtypes.AttributeValueMemberSS{Value: []string{"x"}})}, c.items())
}

func TestAMissingItemIsNoError(t *testing.T) {
	c := newCloud(t)
	c.table()
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: key("a", "1")})
	require.NoError(t, err)
	assert.Nil(t, got.Item)
	gone, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("ledger"), Key: key("a", "1"), ReturnValues: ddbtypes.ReturnValueAllOld,
	})
	require.NoError(t, err)
	assert.Nil(t, gone.Attributes)
}

func TestAFailedConditionChangesNothing(t *testing.T) {
	c := newCloud(t)
	c.table()
	mine := with(key("a", "1"), "by", str("me"))
	c.put(mine)
	claim := &dynamodb.PutItemInput{
		TableName: aws.String("ledger"), Item: with(key("a", "1"), "by", str("you")),
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	}
	_, err := c.PutItem(t.Context(), claim)
	var failed *ddbtypes.ConditionalCheckFailedException
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "The conditional request failed", failed.ErrorMessage())
	assert.Nil(t, failed.Item)

	claim.ReturnValuesOnConditionCheckFailure = ddbtypes.ReturnValuesOnConditionCheckFailureAllOld
	_, err = c.PutItem(t.Context(), claim)
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, mine, failed.Item)

	_, err = c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("ledger"), Key: key("a", "1"), ConditionExpression: aws.String("#b = :b"),
		ExpressionAttributeNames:  map[string]string{"#b": "by"},
		ExpressionAttributeValues: item{":b": str("you")},
	})
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, []item{mine}, c.items())
}

func TestUpdateReturnsWhatIsAskedFor(t *testing.T) {
	before := with(key("a", "1"), "n", num("1"), "s", str("x"))
	after := with(key("a", "1"), "n", num("2"), "s", str("x"))
	cases := map[ddbtypes.ReturnValue]item{
		ddbtypes.ReturnValueNone:       nil,
		ddbtypes.ReturnValueAllOld:     before,
		ddbtypes.ReturnValueAllNew:     after,
		ddbtypes.ReturnValueUpdatedOld: {"n": num("1")},
		ddbtypes.ReturnValueUpdatedNew: {"n": num("2")},
	}
	for asked, want := range cases {
		t.Run(string(asked), func(t *testing.T) {
			c := newCloud(t)
			c.table()
			c.put(before)
			got, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("ledger"), Key: key("a", "1"), ReturnValues: asked,
				UpdateExpression: aws.String("ADD n :one REMOVE gone"), ExpressionAttributeValues: item{":one": num("1")},
			})
			require.NoError(t, err)
			assert.Equal(t, want, got.Attributes)
			assert.Equal(t, []item{after}, c.items())
		})
	}
}

func TestUpdateMakesTheItemIfThereIsNone(t *testing.T) {
	c := newCloud(t)
	c.table()
	_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("ledger"), Key: key("a", "1")})
	require.NoError(t, err)
	got, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("ledger"), Key: key("a", "2"), ReturnValues: ddbtypes.ReturnValueAllNew,
		UpdateExpression:          aws.String("SET tries = if_not_exists(tries, :zero) + :one"),
		ExpressionAttributeValues: item{":zero": num("0"), ":one": num("1")},
	})
	require.NoError(t, err)
	assert.Equal(t, with(key("a", "2"), "tries", num("1")), got.Attributes)
	assert.Equal(t, []item{key("a", "1"), with(key("a", "2"), "tries", num("1"))}, c.items())
}

func TestPutsThatAreRefused(t *testing.T) {
	deep := str("x")
	for range 33 {
		deep = &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{deep}}
	}
	cases := map[string]struct {
		item item
		want string
	}{
		"no hash key":    {item{"sk": num("1")}, "One or more parameter values were invalid: Missing the key pk in the item"},
		"no sort key":    {item{"pk": str("a")}, "One or more parameter values were invalid: Missing the key sk in the item"},
		"type of key":    {item{"pk": num("1"), "sk": num("1")}, "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		"empty key":      {key("", "1"), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"long key":       {key(strings.Repeat("x", 2049), "1"), "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		"index type":     {with(key("a", "1"), "at", str("x")), "One or more parameter values were invalid: Type mismatch for Index Key at Expected: N Actual: S IndexName: by-owner"},
		"no number":      {with(key("a", "1"), "n", num("one")), "The parameter cannot be converted to a numeric value: one"},
		"39 digits":      {with(key("a", "1"), "n", num(strings.Repeat("7", 39))), "Attempting to store more than 38 significant digits in a Number"},
		"huge":           {with(key("a", "1"), "n", num("1e126")), "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		"tiny":           {with(key("a", "1"), "n", num("1e-131")), "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
		"huge exponent":  {with(key("a", "1"), "n", num("1e2000000000")), "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		"empty set":      {with(key("a", "1"), "n", &ddbtypes.AttributeValueMemberSS{Value: []string{}}), "One or more parameter values were invalid: An string set  may not be empty"},
		"twice in set":   {with(key("a", "1"), "n", &ddbtypes.AttributeValueMemberSS{Value: []string{"x", "x"}}), "One or more parameter values were invalid: Input collection [x, x] contains duplicates."},
		"twice by value": {with(key("a", "1"), "n", &ddbtypes.AttributeValueMemberNS{Value: []string{"1", "1.0"}}), "Input collection contains duplicates"},
		"not null":       {with(key("a", "1"), "n", &ddbtypes.AttributeValueMemberNULL{}), "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		"too deep":       {with(key("a", "1"), "n", deep), "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		"too big":        {with(key("a", "1"), "n", str(strings.Repeat("x", 400<<10))), "Item size has exceeded the maximum allowed size"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.table()
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: tc.item})
			assert.Equal(t, tc.want, refused(t, err, "ValidationException"))
			assert.Empty(t, c.items())
		})
	}
}

func TestUpdatesThatAreRefused(t *testing.T) {
	cases := map[string]struct {
		in   dynamodb.UpdateItemInput
		want string
	}{
		"key in part":    {dynamodb.UpdateItemInput{Key: item{"pk": str("a")}}, "The provided key element does not match the schema"},
		"key type":       {dynamodb.UpdateItemInput{Key: item{"pk": str("a"), "sk": str("1")}}, "The provided key element does not match the schema"},
		"of the key":     {dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET pk = :v")}, "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		"into index key": {dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET at.x = :v")}, "Attribute name is a reserved keyword; reserved keyword: at"},
		"index type":     {dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET #at = :v"), ExpressionAttributeNames: map[string]string{"#at": "at"}}, "One or more parameter values were invalid: Type mismatch for Index Key at Expected: N Actual: S IndexName: by-owner"},
		"no expression":  {dynamodb.UpdateItemInput{}, "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		"unused":         {dynamodb.UpdateItemInput{UpdateExpression: aws.String("REMOVE x")}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
		"legacy update":  {dynamodb.UpdateItemInput{AttributeUpdates: map[string]ddbtypes.AttributeValueUpdate{"x": {Value: str("y")}}}, "AttributeUpdates is not supported by the local AWS"},
		"legacy check":   {dynamodb.UpdateItemInput{Expected: map[string]ddbtypes.ExpectedAttributeValue{"x": {Value: str("y")}}}, "Expected is not supported by the local AWS"},
		"too big":        {dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET x = :v, y = :v")}, "Item size to update has exceeded the maximum allowed size"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.table()
			tc.in.TableName = aws.String("ledger")
			tc.in.ExpressionAttributeValues = item{":v": str("x")}
			if name == "too big" {
				tc.in.ExpressionAttributeValues = item{":v": str(strings.Repeat("x", 300<<10))}
			}
			if name == "key in part" || name == "key type" {
				tc.in.ExpressionAttributeValues = nil
			}
			if tc.in.Key == nil {
				tc.in.Key = key("a", "1")
			}
			_, err := c.UpdateItem(t.Context(), &tc.in)
			assert.Equal(t, tc.want, strings.TrimPrefix(refused(t, err, "ValidationException"), "Invalid UpdateExpression: "))
			assert.Empty(t, c.items())
		})
	}
}

func TestCapacityIsCountedIfAskedFor(t *testing.T) {
	c := newCloud(t)
	c.table()
	put, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("ledger"), Item: with(key("a", "1"), "x", str(strings.Repeat("x", 5000))),
		ReturnConsumedCapacity: ddbtypes.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	assert.Equal(t, &ddbtypes.ConsumedCapacity{TableName: aws.String("ledger"), CapacityUnits: aws.Float64(5)}, put.ConsumedCapacity)
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("ledger"), Key: key("a", "1"), ReturnConsumedCapacity: ddbtypes.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	assert.Equal(t, aws.Float64(1), got.ConsumedCapacity.CapacityUnits)
}
