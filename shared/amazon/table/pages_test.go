package table_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestListsLongerThanOnePageAreWhole(t *testing.T) {
	t.Run("records beyond 1 MB", func(t *testing.T) {
		s := serve(t).ledger()
		for range 5 {
			_, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Because: strings.Repeat("x", 300<<10)})
			require.NoError(t, err)
		}
		chain, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		assert.Len(t, chain, 5)
		require.NoError(t, ledger.Verify(chain))
	})
	t.Run("more incidents than one call returns", func(t *testing.T) {
		s := serve(t).ledger()
		var want []ledger.Incident
		for n := range 120 {
			i := trouble()
			i.Deployment = deploy.ID("d-" + strconv.Itoa(n))
			i.ID, i.Opened = deploy.IncidentOf(target, i.Deployment), now.Add(time.Duration(n))
			i, _, err := s.OpenIncident(t.Context(), i)
			require.NoError(t, err)
			want = append(want, i)
		}
		got, err := s.OpenIncidents(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got)
		got, err = s.IncidentsSince(t.Context(), target, now.Add(10))
		require.NoError(t, err)
		assert.Equal(t, want[10:], got)
	})
}

func TestIncidentsThatAreOverLeaveTheOpenPartition(t *testing.T) {
	s := serve(t)
	i, _, err := s.ledger().OpenIncident(t.Context(), trouble())
	require.NoError(t, err)
	assert.Equal(t, 1, s.size(t, "open"))
	i.Phase = ledger.Restored
	_, err = s.ledger().SaveIncident(t.Context(), i)
	require.NoError(t, err)
	observed := trouble()
	observed.ID, observed.Phase = "i-2", ledger.Dismissed
	_, _, err = s.ledger().OpenIncident(t.Context(), observed)
	require.NoError(t, err)
	assert.Zero(t, s.size(t, "open"), "or the list of open incidents would grow for ever")
}

// size returns how many items a partition has.
func (s *server) size(t *testing.T, pk string) int {
	t.Helper()
	out, err := s.client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String(name), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":pk": &ddbtypes.AttributeValueMemberS{Value: pk}},
	})
	require.NoError(t, err)
	return int(out.Count)
}

func TestRecordsThatWereCutOffAreMissed(t *testing.T) {
	s := serve(t)
	l := s.ledger()
	for range 2 {
		_, err := l.Append(t.Context(), ledger.Record{Target: target, At: now, Function: "cli", Verb: "release", Because: "fixed"})
		require.NoError(t, err)
	}
	_, err := s.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(name), Key: map[string]ddbtypes.AttributeValue{
		table.PartitionKey: &ddbtypes.AttributeValueMemberS{Value: "target#" + target.String()},
		table.SortKey:      &ddbtypes.AttributeValueMemberS{Value: "record#000000000002"},
	}})
	require.NoError(t, err)
	_, err = l.Records(t.Context(), target)
	require.ErrorContains(t, err, "2 were written and 1 are there")
}
