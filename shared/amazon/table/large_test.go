package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestALargeRecordIsCutAndNeverLost(t *testing.T) {
	huge := strings.Repeat("é", 300<<10) // 600 KB, and cutting in the middle of a character must not matter
	many := make([]ledger.Call, 20_000)
	for i := range many {
		many[i] = ledger.Call{API: fmt.Sprintf("lambda:Invoke %d", i), Args: "{}", Answer: strings.Repeat("x", 80)}
	}
	tests := map[string]ledger.Record{
		"a long reason":          {Because: huge},
		"a long answer":          {Calls: []ledger.Call{{API: "codedeploy:StopDeployment", Args: huge, Answer: huge}}},
		"a long signal":          {Signal: &ledger.Signal{Kind: "alarm", Text: huge, At: now}},
		"a long finding":         {Finding: &health.Finding{Verdict: health.Fail, Because: huge, From: now, To: now}},
		"signs that JSON widens": {Because: strings.Repeat("\x00", 100<<10)},
		"a little too much":      {Because: strings.Repeat("x", 405<<10)},
		"many calls":             {Calls: many},
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t).ledger()
			r.Target, r.At = target, now
			sealed, err := s.Append(t.Context(), r)
			require.NoError(t, err)
			chain, err := s.Records(t.Context(), target)
			require.NoError(t, err)
			assert.Equal(t, []ledger.Record{sealed}, chain)
			require.NoError(t, ledger.Verify(chain))
			assert.Regexp(t, `cut: \d+ bytes in all|calls in the middle left out`, fmt.Sprintf("%+v %+v %+v", sealed, sealed.Signal, sealed.Finding))
		})
	}
	t.Run("one that fits is left alone", func(t *testing.T) {
		s := serve(t).ledger()
		r := ledger.Record{Target: target, At: now, Because: strings.Repeat("x", 300<<10)}
		sealed, err := s.Append(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, r.Because, sealed.Because)
	})
	t.Run("the caller's record is left alone", func(t *testing.T) {
		s := serve(t).ledger()
		r := ledger.Record{Target: target, At: now, Calls: []ledger.Call{{Args: huge}}, Signal: &ledger.Signal{Text: huge}}
		_, err := s.Append(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, huge, r.Calls[0].Args)
		assert.Equal(t, huge, r.Signal.Text)
	})
}

func TestARecordThatIsToBeSentFitsIntoAnEvent(t *testing.T) {
	for name, because := range map[string]string{
		"too long for an event":      strings.Repeat("x", 300<<10),
		"signs that are written two": strings.Repeat(`"`, 100<<10),
	} {
		t.Run(name, func(t *testing.T) {
			s := table.New(serve(t).client, "ledger").WithOutbox(true)
			sealed, err := s.Append(t.Context(), ledger.Record{Target: target, At: now, Because: because})
			require.NoError(t, err)
			assert.Contains(t, sealed.Because, "bytes in all]")
			letters, err := s.Waiting(t.Context(), ledger.Letter{}, 1)
			require.NoError(t, err)
			require.Len(t, letters, 1)
			detail, err := events.NewRecorded(events.Recorded{Head: events.Head{Region: "eu-west-1"}, From: "111122223333", Record: letters[0].Text})
			require.NoError(t, err)
			assert.Less(t, len(detail), 256<<10)
		})
	}
}

func TestARecordThatWasDeletedIsMissedWhenItIsToBeSent(t *testing.T) {
	s := serve(t)
	l := table.New(s.client, name).WithOutbox(true)
	_, err := l.Append(t.Context(), ledger.Record{Target: target, At: now})
	require.NoError(t, err)
	_, err = s.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(name), Key: map[string]ddbtypes.AttributeValue{
		table.PartitionKey: &ddbtypes.AttributeValueMemberS{Value: "target#" + target.String()},
		table.SortKey:      &ddbtypes.AttributeValueMemberS{Value: "record#000000000001"},
	}})
	require.NoError(t, err)
	_, err = l.Waiting(t.Context(), ledger.Letter{}, 1)
	require.EqualError(t, err, "records to send: record 1 of shop/prod is not there any more; somebody has deleted it")
}
