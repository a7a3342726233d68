package table_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	localdynamodb "github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

const name = "ledger"

// A server is the local AWS with nothing but DynamoDB, behind a front door
// that tests may replace.
type server struct {
	door   func(http.ResponseWriter, *http.Request, http.Handler)
	client *dynamodb.Client
}

func serve(t *testing.T) *server {
	t.Helper()
	w := world.New(world.Options{Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	mux := wire.NewMux(w)
	mux.Handle(localdynamodb.New(w, mux).Wire())
	s := new(server)
	endpoint := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.door != nil {
			s.door(rw, r, mux)
			return
		}
		mux.ServeHTTP(rw, r)
	}))
	t.Cleanup(endpoint.Close)
	key := mux.Issue(wire.Principal{ARN: "arn:aws:iam::111122223333:role/ledger"})
	s.client = dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &endpoint.URL,
		Credentials: aws.CredentialsProviderFunc(credentials(key)),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	})
	_, err := s.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String(table.PartitionKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String(table.SortKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
		},
		KeySchema: []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String(table.PartitionKey), KeyType: ddbtypes.KeyTypeHash},
			{AttributeName: aws.String(table.SortKey), KeyType: ddbtypes.KeyTypeRange},
		},
	})
	require.NoError(t, err)
	return s
}

func (s *server) ledger() ledgertest.Store { return table.New(s.client, name) }

func TestTableKeepsTheContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		return serve(t).ledger()
	})
}

func TestATableWithAnOutboxKeepsTheContract(t *testing.T) {
	ledgertest.RunOutbox(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		return table.New(serve(t).client, name).WithOutbox(true)
	})
}
