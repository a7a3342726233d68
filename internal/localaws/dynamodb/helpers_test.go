package dynamodb_test

import (
	"maps"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/stretchr/testify/require"

	localdynamodb "github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

type item = map[string]ddbtypes.AttributeValue

func str(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: s} }

func num(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberN{Value: s} }

func count(i int) ddbtypes.AttributeValue { return num(strconv.Itoa(i)) }

// cloud is a local AWS with DynamoDB only.
type cloud struct {
	*dynamodb.Client
	t     *testing.T
	world *world.World
	local *localdynamodb.Service
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	local := localdynamodb.New(w, mux)
	mux.Handle(local.Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &cloud{t: t, world: w, local: local, Client: dynamodb.New(dynamodb.Options{
		Region:     "us-east-1",
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:     aws.NopRetryer{},
		// The SDK warns about answers whose checksum is wrong or missing, and
		// does not use their connection again.
		Logger: logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) { t.Errorf(format, v...) }),
	})}
}

// pass lets virtual time pass.
func (c *cloud) pass(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.world.Advance(c.t.Context(), d))
}

// items returns what is in the table "ledger".
func (c *cloud) items() []item {
	c.world.Lock()
	defer c.world.Unlock()
	return c.local.Items("ledger")
}

// table makes the table "ledger" with the keys pk and sk, the index "by-owner"
// on owner and at, which has everything, and the index "by-at" of keys only.
func (c *cloud) table() {
	c.t.Helper()
	_, err := c.CreateTable(c.t.Context(), tableInput())
	require.NoError(c.t, err)
}

func tableInput() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String("ledger"),
		BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: ddbtypes.ScalarAttributeTypeN},
			{AttributeName: aws.String("by"), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("at"), AttributeType: ddbtypes.ScalarAttributeTypeN},
		},
		KeySchema: schema("pk", "sk"),
		GlobalSecondaryIndexes: []ddbtypes.GlobalSecondaryIndex{
			{
				IndexName: aws.String("by-owner"), KeySchema: schema("by", "at"),
				Projection: &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionTypeAll},
			},
			{
				IndexName: aws.String("by-at"), KeySchema: schema("at"),
				Projection: &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionTypeKeysOnly},
			},
		},
	}
}

func schema(names ...string) []ddbtypes.KeySchemaElement {
	all := []ddbtypes.KeySchemaElement{{AttributeName: &names[0], KeyType: ddbtypes.KeyTypeHash}}
	if len(names) > 1 {
		all = append(all, ddbtypes.KeySchemaElement{AttributeName: &names[1], KeyType: ddbtypes.KeyTypeRange})
	}
	return all
}

func (c *cloud) put(items ...item) {
	c.t.Helper()
	for _, i := range items {
		_, err := c.PutItem(c.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: i})
		require.NoError(c.t, err)
	}
}

func key(pk, sk string) item { return item{"pk": str(pk), "sk": num(sk)} }

// with returns a copy of base with more attributes.
func with(base item, name string, v ddbtypes.AttributeValue, rest ...any) item {
	all := maps.Clone(base)
	all[name] = v
	for i := 0; i+1 < len(rest); i += 2 {
		name, _ := rest[i].(string)
		all[name], _ = rest[i+1].(ddbtypes.AttributeValue)
	}
	return all
}

// refused requires an error with a code and returns its message.
func refused(t *testing.T, err error, code string) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), api.ErrorMessage())
	return api.ErrorMessage()
}
