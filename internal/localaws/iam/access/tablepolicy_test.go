package access_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
)

func TestThePolicyOfATableDecidesAboutItAndItsIndexes(t *testing.T) {
	const all = `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`
	statement := func(effect, action string) string {
		return `{"Effect":"` + effect + `","Principal":{"AWS":"` + ana + `"},"Action":"` + action + `","Resource":"*"}`
	}
	for name, c := range map[string]struct {
		user, table string
		put, query  string // codes of errors
	}{
		"it allows what nothing else does": {`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`, statement("Allow", "dynamodb:PutItem"), "", "AccessDeniedException"},
		"it denies what something allows":  {all, statement("Deny", "dynamodb:Query"), "", "AccessDeniedException"},
		"it says nothing of it":            {all, statement("Allow", "dynamodb:Scan"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			cfg := dynamodb.NewFromConfig(a.user(c.user))
			key := []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}}
			_, err := dynamodb.NewFromConfig(a.root()).CreateTable(t.Context(), &dynamodb.CreateTableInput{
				TableName: aws.String("orders"), BillingMode: ddbtypes.BillingModePayPerRequest, KeySchema: key,
				AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
				GlobalSecondaryIndexes: []ddbtypes.GlobalSecondaryIndex{{
					IndexName: aws.String("again"), KeySchema: key, Projection: &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionTypeAll},
				}},
				ResourcePolicy: document(c.table),
			})
			require.NoError(t, err)
			_, err = cfg.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("orders"), Item: map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: "1"}},
			})
			assert.Equal(t, c.put, code(err))
			_, err = cfg.Query(t.Context(), &dynamodb.QueryInput{
				TableName: aws.String("orders"), IndexName: aws.String("again"), KeyConditionExpression: aws.String("k = :k"),
				ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":k": &ddbtypes.AttributeValueMemberS{Value: "1"}},
			})
			assert.Equal(t, c.query, code(err))
		})
	}
}
