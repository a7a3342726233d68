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

func TestCapacityOfTransactionsAndIndexes(t *testing.T) {
	c := newCloud(t)
	c.table()
	big := with(key("a", "1"), "at", num("1"), "x", str(strings.Repeat("x", 5000)))
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          []ddbtypes.TransactWriteItem{claim(big), increment(key("b", "1"))},
		ClientRequestToken:     aws.String("token"),
		ReturnConsumedCapacity: ddbtypes.ReturnConsumedCapacityTotal,
	}
	wrote, err := c.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []ddbtypes.ConsumedCapacity{{
		TableName: aws.String("ledger"), CapacityUnits: aws.Float64(12), WriteCapacityUnits: aws.Float64(12),
	}}, wrote.ConsumedCapacity)
	again, err := c.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []ddbtypes.ConsumedCapacity{{
		TableName: aws.String("ledger"), CapacityUnits: aws.Float64(6), ReadCapacityUnits: aws.Float64(6),
	}}, again.ConsumedCapacity)

	look := query("#at = :at", item{":at": num("1")})
	look.IndexName, look.ExpressionAttributeNames = aws.String("by-at"), map[string]string{"#at": "at"}
	look.ReturnConsumedCapacity = ddbtypes.ReturnConsumedCapacityIndexes
	read, err := c.Query(t.Context(), look)
	require.NoError(t, err)
	assert.Equal(t, &ddbtypes.ConsumedCapacity{
		TableName: aws.String("ledger"), CapacityUnits: aws.Float64(0.5), Table: &ddbtypes.Capacity{CapacityUnits: aws.Float64(0)},
		GlobalSecondaryIndexes: map[string]ddbtypes.Capacity{"by-at": {CapacityUnits: aws.Float64(0.5)}},
	}, read.ConsumedCapacity)
}
