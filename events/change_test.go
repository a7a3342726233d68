package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAChangeThatDoesNotSayWhichTargetIsMalformed(t *testing.T) {
	for _, text := range []string{
		`{"id":"1","source":"aws.ecs","detail-type":"ECS Deployment State Change","resources":["arn:aws:ecs:r:1:service/old-style"],"detail":{"eventName":"SERVICE_DEPLOYMENT_FAILED"}}`,
		`{"id":"1","source":"aws.ecs","detail-type":"ECS Deployment State Change","resources":["arn:aws:ecs:r:1:service/c/s"],"detail":{}}`,
		`{"id":"1","source":"aws.ecs","detail-type":"ECS Deployment State Change","detail":[]}`,
		`{"id":"1","source":"aws.autoscaling","detail-type":"EC2 Auto Scaling Instance Refresh Failed","detail":{"InstanceRefreshId":"r"}}`,
		`{"id":"1","source":"aws.autoscaling","detail-type":"EC2 Auto Scaling Instance Refresh Failed","detail":1}`,
		`{"id":"1","source":"aws.codepipeline","detail-type":"CodePipeline Stage Execution State Change","detail":{"pipeline":"p","state":"FAILED"}}`,
		`{"id":"1","source":"aws.codepipeline","detail-type":"CodePipeline Stage Execution State Change","detail":""}`,
		`{"id":"1","source":"pullback","detail-type":"Pullback Trouble","account":"1","region":"r","detail":{"region":"r","target":{"application":"a","group":"b"}}}`,
		`{"id":"1","source":"pullback","detail-type":"Pullback Trouble","detail":{"target":{"application":"a","group":"b"},"incident":"i-1"}}`,
		`{"id":"1","source":"pullback","detail-type":"Pullback Trouble","detail":7}`,
	} {
		_, err := events.Parse([]byte(text))
		assert.ErrorAs(t, err, new(events.MalformedError), text)
	}
}

func TestATroubleIsReadAsItIsWritten(t *testing.T) {
	want := events.Trouble{
		Head: events.Head{
			ID: "trouble-i-0123456789ab", Source: "pullback", Type: events.TypeTrouble, Account: "111122223333", Region: "us-west-2",
			Time: time.Date(2026, 3, 2, 9, 31, 14, 0, time.UTC),
		},
		Target: deploy.Target{Application: "shop", Group: "eu"}, Revision: "8", Digest: "sha-8", Incident: "i-0123456789ab", Because: "alarm errors is red since 09:30:12",
	}
	text, detail, err := events.NewTrouble(want, want.Time)
	require.NoError(t, err)
	got, err := events.Parse([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.JSONEq(t, string(sample(t, "trouble.json")), mustWith(t, text, `{"version":"0"}`))
	assert.Contains(t, text, detail)
}

// mustWith adds members to an object.
func mustWith(t *testing.T, text, more string) string {
	t.Helper()
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &whole))
	require.NoError(t, json.Unmarshal([]byte(more), &whole))
	out, err := json.Marshal(whole)
	require.NoError(t, err)
	return string(out)
}
