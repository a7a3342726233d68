package events_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return text
}

func head(id, source, kind string, at time.Time) events.Head {
	return events.Head{ID: id, Source: source, Type: kind, Account: "123456789012", Region: "us-east-1", Time: at}
}

// recorded is what record.json says: it was put into a bus of us-east-1.
func recorded(at time.Time) events.Recorded {
	return events.Recorded{
		Head: events.Head{ID: "0b3c6cf5-1f5d-4c8e-9d27-6f0f2a3f9c12", Source: "pullback", Type: events.TypeRecord, Account: "111122223333", Region: "us-west-2", Time: at},
		From: "111122223333", Record: `{"target":{"application":"shop","group":"eu"},"seq":1,"at":"2026-03-02T09:31:02Z","function":"alarmrouter","incident":"i-0123456789ab","deployment":"d-2","verb":"rollback","rule":"alarm","because":"alarm errors is red since 09:30:12","prev":"","hash":"a07bf61d671cb510555c61762046816387e59fb1c196d73000aed8c5b584d34e"}`,
	}
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	want := recorded(time.Date(2026, 3, 2, 9, 31, 14, 0, time.UTC))
	want.Record += ` <b>"é"&` + "\u2028"
	detail, err := events.NewRecorded(want)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{
		"id": want.ID, "source": want.Source, "detail-type": want.Type, "account": want.Account, "region": "us-east-1", "time": want.Time, "detail": json.RawMessage(detail),
	})
	require.NoError(t, err)
	got, err := events.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	_, err = events.NewRecorded(events.Recorded{From: "111122223333", Record: "{}"})
	require.EqualError(t, err, "write a record for the hub: its account or region is not known")
}

func TestParseReadsEverySample(t *testing.T) {
	deployment := func(state string) events.Event {
		return events.Deployment{
			Head:   head("c071bfbf-83c4-49ca-a6ff-3df053957145", "aws.codedeploy", "CodeDeploy Deployment State-change Notification", time.Date(2016, 6, 30, 22, 6, 31, 0, time.UTC)),
			Target: deploy.Target{Application: "myApplication", Group: "myDeploymentGroup"}, Deployment: "d-123456789", State: state,
		}
	}
	alarm := func(id string, at time.Time, a events.Alarm) events.Event {
		a.Head = head(id, "aws.cloudwatch", "CloudWatch Alarm State Change", at)
		return a
	}
	crossed := "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (02/10/19 16:59:00)] was greater than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition)."
	change := func(id, source, kind string, at time.Time, t deploy.Target, state string) events.Event {
		return events.Change{Head: events.Head{ID: id, Source: source, Type: kind, Account: "111122223333", Region: "us-west-2", Time: at}, Target: t, State: state}
	}
	monday := time.Date(2026, 3, 2, 9, 31, 14, 0, time.UTC)
	web := deploy.Target{Kind: deploy.KindService, Application: "default", Group: "servicetest"}
	fleet := deploy.Target{Kind: deploy.KindScaling, Group: "my-auto-scaling-group"}
	want := map[string]events.Event{
		"codedeploy-success.json": deployment("SUCCESS"),
		"codedeploy-start.json":   deployment("START"),
		"codedeploy-stop.json":    deployment("STOP"),
		"codedeploy-failure.json": deployment("FAILURE"),
		"codedeploy-instance.json": events.Unknown{Head: head("fb1d3015-c091-4bf9-95e2-d98521ab2ecb", "aws.codedeploy",
			"CodeDeploy Instance State-change Notification", time.Date(2016, 6, 30, 23, 18, 50, 0, time.UTC))},
		"alarm-metric.json": alarm("c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", time.Date(2019, 10, 2, 17, 4, 40, 0, time.UTC), events.Alarm{
			Name: "ServerCpuTooHigh", State: "ALARM", Previous: "OK", Reason: crossed, Since: time.Date(2019, 10, 2, 17, 4, 40, 989e6, time.UTC),
		}),
		"alarm-initial.json": alarm("0b3c6cf5-1f5d-4c8e-9d27-6f0f2a3f9c11", time.Date(2019, 10, 2, 17, 4, 40, 0, time.UTC), events.Alarm{
			Name: "ServerCpuTooHigh", State: "ALARM", Previous: "INSUFFICIENT_DATA", Reason: crossed, Since: time.Date(2019, 10, 2, 17, 4, 40, 989e6, time.UTC),
		}),
		"alarm-math.json": alarm("2dde0eb1-528b-d2d5-9ca6-6d590caf2329", time.Date(2019, 10, 2, 17, 20, 48, 0, time.UTC), events.Alarm{
			Name: "TotalNetworkTrafficTooHigh", State: "ALARM", Previous: "OK", Since: time.Date(2019, 10, 2, 17, 20, 48, 554e6, time.UTC),
			Reason: "Threshold Crossed: 1 out of the last 1 datapoints [45628.0 (02/10/19 17:10:00)] was greater than the threshold (10000.0) (minimum 1 datapoint for OK -> ALARM transition).",
		}),
		"alarm-composite.json": alarm("d3dfc86d-384d-24c8-0345-9f7986db0b80", time.Date(2022, 7, 22, 15, 57, 45, 0, time.UTC), events.Alarm{
			Name: "ServiceAggregatedAlarm", State: "ALARM", Previous: "OK", Composite: true, Since: time.Date(2022, 7, 22, 15, 57, 45, 394e6, time.UTC),
			Reason: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:SuppressionDemo.EventBridge.FirstChild transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC",
		}),
		"sweep.json":            events.Sweep{Head: head("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "aws.events", "Scheduled Event", time.Date(2026, 1, 5, 9, 1, 0, 0, time.UTC))},
		"schedule-foreign.json": events.Unknown{Head: head("cdc73f9d-aea9-11e3-9d5a-835b769c0d9c", "aws.events", "Scheduled Event", time.Unix(0, 0).UTC())},
		"follow-up.json": events.FollowUp{
			Head:     events.Head{ID: "i-0a1b2c3d4e5f-3", Source: "pullback", Type: "Pullback Incident Follow-up", Time: time.Date(2026, 1, 5, 9, 31, 5, 0, time.UTC)},
			Incident: "i-0a1b2c3d4e5f", Look: 3,
		},
		"ecs-in-progress.json":   change("ddca6449-b258-46c0-8653-e0e3a6d0468b", "aws.ecs", "ECS Deployment State Change", time.Date(2020, 5, 23, 12, 31, 14, 0, time.UTC), web, "SERVICE_DEPLOYMENT_IN_PROGRESS"),
		"ecs-failed.json":        change("ddca6449-b258-46c0-8653-e0e3aEXAMPLE", "aws.ecs", "ECS Deployment State Change", time.Date(2020, 5, 23, 12, 31, 14, 0, time.UTC), web, "SERVICE_DEPLOYMENT_FAILED"),
		"refresh-started.json":   change("c613620e-07e2-4ed2-a9e2-ef8258911add", "aws.autoscaling", "EC2 Auto Scaling Instance Refresh Started", monday, fleet, "Started"),
		"refresh-succeeded.json": change("c613620e-07e2-4ed2-a9e2-ef8258911add", "aws.autoscaling", "EC2 Auto Scaling Instance Refresh Succeeded", monday, fleet, "Succeeded"),
		"pipeline-stage.json": change("01234567-0123-0123-0123-012345678901", "aws.codepipeline", "CodePipeline Stage Execution State Change", time.Date(2020, 1, 24, 22, 3, 7, 0, time.UTC),
			deploy.Target{Kind: deploy.KindStage, Application: "myPipeline", Group: "Prod"}, "STARTED"),
		"trouble.json": events.Trouble{
			Head:   events.Head{ID: "trouble-i-0123456789ab", Source: "pullback", Type: events.TypeTrouble, Account: "111122223333", Region: "us-west-2", Time: monday},
			Target: deploy.Target{Application: "shop", Group: "eu"}, Revision: "8", Digest: "sha-8", Incident: "i-0123456789ab", Because: "alarm errors is red since 09:30:12",
		},
		"record.json": recorded(monday),
	}
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	got := make(map[string]events.Event)
	for _, f := range files {
		if name := filepath.Base(f); name != "hook.json" {
			e, err := events.Parse(sample(t, name))
			require.NoError(t, err, name)
			got[name] = e
		}
	}
	assert.Equal(t, want, got)
}

func TestParseRefusesWhatItCannotRead(t *testing.T) {
	const codedeploy = `{"id":"1","source":"aws.codedeploy","detail-type":"CodeDeploy Deployment State-change Notification",`
	const alarm = `{"id":"1","source":"aws.cloudwatch","detail-type":"CloudWatch Alarm State Change",`
	const record = `{"id":"1","source":"pullback","detail-type":"Pullback Record",`
	for name, payload := range map[string]string{
		"nothing":                 ``,
		"not JSON":                `{"id":`,
		"not an object":           `[1]`,
		"no envelope":             `{}`,
		"no id":                   `{"source":"aws.codedeploy","detail-type":"CodeDeploy Deployment State-change Notification"}`,
		"time that is none":       `{"id":"1","source":"a","detail-type":"b","time":"yesterday"}`,
		"no detail":               codedeploy + `"x":1}`,
		"detail of another kind":  codedeploy + `"detail":"text"}`,
		"deployment without id":   codedeploy + `"detail":{"application":"a","deploymentGroup":"g","state":"START"}}`,
		"deployment sans group":   codedeploy + `"detail":{"application":"a","deploymentId":"d-1","state":"START"}}`,
		"alarm without name":      alarm + `"detail":{"state":{"value":"ALARM"}}}`,
		"alarm without state":     alarm + `"detail":{"alarmName":"a"}}`,
		"follow-up without look":  `{"id":"1","source":"pullback","detail-type":"Pullback Incident Follow-up","detail":{"incident":"i-1"}}`,
		"follow-up of no kind":    `{"id":"1","source":"pullback","detail-type":"Pullback Incident Follow-up","detail":7}`,
		"record without account":  record + `"account":"1","detail":{"region":"us-west-2","record":"{}"}}`,
		"record that is none":     record + `"account":"1","detail":{"account":"1","region":"us-west-2"}}`,
		"record that is no text":  record + `"account":"1","detail":{"account":"1","region":"us-west-2","record":{}}}`,
		"record of nobody":        record + `"detail":{"account":"1","region":"us-west-2","record":"{}"}}`,
		"record of no region":     record + `"account":"1","detail":{"account":"1","region":"eu-west-1#x","record":"{}"}}`,
		"wrong type for the name": alarm + `"detail":{"alarmName":7,"state":{"value":"ALARM"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := events.Parse([]byte(payload))
			var malformed events.MalformedError
			require.ErrorAs(t, err, &malformed)
			assert.NotEmpty(t, malformed.Why)
		})
	}
}

func TestFollowUpIsReadAsItWasWritten(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 31, 5, 0, time.UTC)
	text, err := events.NewFollowUp("i-0a1b2c3d4e5f", 3, at)
	require.NoError(t, err)
	assert.JSONEq(t, string(sample(t, "follow-up.json")), withVersion(text))
	got, err := events.Parse([]byte(text))
	require.NoError(t, err)
	want, err := events.Parse(sample(t, "follow-up.json"))
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// withVersion adds the member that EventBridge writes and pullback does not.
func withVersion(s string) string { return `{"version":"0",` + s[1:] }

func TestParseHook(t *testing.T) {
	got, err := events.ParseHook(sample(t, "hook.json"))
	require.NoError(t, err)
	assert.Equal(t, events.Hook{
		Deployment: "d-123456789",
		Execution:  "eyJlbmNyeXB0ZWREYXRhIjoiY3VHU0NjMllrNDA9IiwiaXZQYXJhbWV0ZXJTcGVjIjoiSDRWbmVuMVkrUT09IiwibWF0ZXJpYWxTZXRTZXJpYWwiOjF9",
	}, got)
}

func TestParseHookNeedsBothIDsAndDoesNotQuoteThem(t *testing.T) {
	for _, payload := range []string{``, `{}`, `[]`, `{"DeploymentId":"d-1"}`, `{"LifecycleEventHookExecutionId":"secret"}`} {
		_, err := events.ParseHook([]byte(payload))
		require.Error(t, err, "payload %q", payload)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := events.Parse(payload)
		assert.NotEqual(t, e == nil, err == nil, "an event or an error, never both or neither")
	})
}
