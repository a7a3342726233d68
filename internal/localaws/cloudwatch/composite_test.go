package cloudwatch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (l *local) composite(name, rule string, actions ...string) {
	l.t.Helper()
	do[cloudwatch.PutCompositeAlarmOutput](l, "PutCompositeAlarm", &cloudwatch.PutCompositeAlarmInput{
		AlarmName: &name, AlarmRule: &rule, AlarmActions: actions,
	})
	l.advance(0)
}

// child puts a metric alarm into a state; its data never change it.
func (l *local) child(name string, value cwtypes.StateValue) {
	l.t.Helper()
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmName, in.TreatMissingData = &name, aws.String("ignore")
	})
	l.set(name, value)
}

func (l *local) set(name string, value cwtypes.StateValue) {
	l.t.Helper()
	do[cloudwatch.SetAlarmStateOutput](l, "SetAlarmState", &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: value, StateReason: aws.String("test"),
	})
	l.advance(0)
}

func (l *local) state(composite string) cwtypes.StateValue {
	l.t.Helper()
	out := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmNames: []string{composite}, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeCompositeAlarm},
	})
	require.Len(l.t, out.CompositeAlarms, 1)
	return out.CompositeAlarms[0].StateValue
}

func TestRules(t *testing.T) {
	l := newLocal(t)
	l.child("bad one", cwtypes.StateValueAlarm)
	l.child("bad", cwtypes.StateValueAlarm)
	l.child("good", cwtypes.StateValueOk)
	l.child("new", cwtypes.StateValueInsufficientData)
	for i, c := range []struct {
		rule string
		want bool
	}{
		{`ALARM(bad)`, true},
		{`ALARM("bad one")`, true},
		{`ALARM(bad one)`, true},
		{`ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:bad)`, true},
		{`OK(bad)`, false},
		{`OK(good) AND INSUFFICIENT_DATA(new)`, true},
		{`NOT OK(good) OR ALARM(new)`, false},
		{`NOT (OK(good) AND ALARM(good))`, true},
		{`ALARM(good) AND ALARM(good) OR ALARM(bad)`, true},
		{`ALARM(good) AND (ALARM(good) OR ALARM(bad))`, false},
		{`NOT ALARM(good) AND NOT TRUE`, false},
		{`FALSE OR TRUE`, true},
		{`not alarm(good) and true`, true},
	} {
		name := fmt.Sprintf("c%d", i)
		l.composite(name, c.rule)
		want := cwtypes.StateValueOk
		if c.want {
			want = cwtypes.StateValueAlarm
		}
		assert.Equal(t, want, l.state(name), c.rule)
	}
	for _, rule := range []string{`ALARM(bad`, `ALARM(bad) AND`, `bad`, `ALARM bad`, `ALARM() OR TRUE`, `TRUE TRUE`, `(TRUE`, ` TRUE`, `MAYBE(bad)`} {
		code, message := refused[cloudwatch.PutCompositeAlarmOutput](l, "PutCompositeAlarm", &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("x"), AlarmRule: &rule})
		assert.Equal(t, "ValidationError", code)
		assert.Contains(t, message, "AlarmRule", rule)
	}
	_, message := refused[cloudwatch.PutCompositeAlarmOutput](l, "PutCompositeAlarm", &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String("x"), AlarmRule: aws.String("ALARM(bad) OR ALARM(gone)"),
	})
	assert.Equal(t, "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist", message)
}

func TestACompositeAlarmFollowsItsChildren(t *testing.T) {
	l := newLocal(t)
	l.child("ServerCpuTooHigh", cwtypes.StateValueOk)
	l.child("TotalNetworkTrafficTooHigh", cwtypes.StateValueOk)
	l.composite("Service", "ALARM(ServerCpuTooHigh) OR ALARM(TotalNetworkTrafficTooHigh)", topic)
	l.advance(time.Minute)
	l.set("ServerCpuTooHigh", cwtypes.StateValueAlarm)

	assert.Equal(t, cwtypes.StateValueAlarm, l.state("Service"))
	last := l.events[len(l.events)-1]
	assert.JSONEq(t, `{
		"alarmName": "Service",
		"state": {
			"value": "ALARM",
			"reason": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh transitioned to ALARM at Monday 05 January, 2026 09:01:00 UTC",
			"reasonData": "{\"triggeringAlarms\":[{\"arn\":\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh\",\"state\":{\"value\":\"ALARM\",\"timestamp\":\"2026-01-05T09:01:00.000+0000\"}}]}",
			"timestamp": "2026-01-05T09:01:00.000+0000"
		},
		"previousState": {
			"value": "OK",
			"reason": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:Service was created and its alarm rule evaluates to OK",
			"reasonData": "{\"triggeringAlarms\":[{\"arn\":\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh\",\"state\":{\"value\":\"OK\",\"timestamp\":\"2026-01-05T09:00:00.000+0000\"}},{\"arn\":\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:TotalNetworkTrafficTooHigh\",\"state\":{\"value\":\"OK\",\"timestamp\":\"2026-01-05T09:00:00.000+0000\"}}]}",
			"timestamp": "2026-01-05T09:00:00.000+0000"
		},
		"configuration": {"alarmRule": "ALARM(ServerCpuTooHigh) OR ALARM(TotalNetworkTrafficTooHigh)"}
	}`, *last.Detail)
	require.Len(t, l.published, 1)
	assert.JSONEq(t, `{
		"AlarmName": "Service", "AlarmDescription": null, "AWSAccountId": "123456789012", "NewStateValue": "ALARM",
		"NewStateReason": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh transitioned to ALARM at Monday 05 January, 2026 09:01:00 UTC",
		"StateChangeTime": "2026-01-05T09:01:00.000+0000", "Region": "US East (N. Virginia)",
		"AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:Service", "OldStateValue": "OK",
		"OKActions": [], "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"], "InsufficientDataActions": [],
		"AlarmRule": "ALARM(ServerCpuTooHigh) OR ALARM(TotalNetworkTrafficTooHigh)",
		"TriggeringChildren": [{"Arn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh", "State": {"Value": "ALARM", "Timestamp": "2026-01-05T09:01:00.000+0000"}}]
	}`, *l.published[0].Message)
}

func TestACompositeAlarmSetByHandStaysUntilAChildChanges(t *testing.T) {
	l := newLocal(t)
	l.child("a", cwtypes.StateValueOk)
	l.composite("both", "ALARM(a)")
	l.set("both", cwtypes.StateValueAlarm)
	l.advance(time.Hour)
	assert.Equal(t, cwtypes.StateValueAlarm, l.state("both"))
	l.set("a", cwtypes.StateValueInsufficientData)
	assert.Equal(t, cwtypes.StateValueOk, l.state("both"))
}

func TestACycleOfCompositeAlarmsIsNotEvaluated(t *testing.T) {
	l := newLocal(t)
	l.composite("a", "TRUE")
	l.composite("b", "NOT ALARM(a)")
	l.composite("a", "ALARM(b)") // a and b now contradict each other
	l.set("b", cwtypes.StateValueInsufficientData)
	assert.Equal(t, cwtypes.StateValueAlarm, l.state("a"))
	assert.Equal(t, cwtypes.StateValueInsufficientData, l.state("b"))
}

func TestAnAlarmThatARuleNamesCannotBeDeletedAlone(t *testing.T) {
	l := newLocal(t)
	l.child("a", cwtypes.StateValueOk)
	l.composite("c", "ALARM(a)")
	_, message := refused[cloudwatch.DeleteAlarmsOutput](l, "DeleteAlarms", &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}})
	assert.Equal(t, "Cannot delete a as there are composite alarm(s) depending on it.", message)
	do[cloudwatch.DeleteAlarmsOutput](l, "DeleteAlarms", &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"c", "a"}})
	code, _ := refused[cloudwatch.DeleteAlarmsOutput](l, "DeleteAlarms", &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}})
	assert.Equal(t, "ResourceNotFound", code)
}

func TestFamilyOfACompositeAlarmIsDescribedInBrief(t *testing.T) {
	l := newLocal(t)
	l.child("b", cwtypes.StateValueOk)
	l.child("a", cwtypes.StateValueAlarm)
	l.composite("mid", "ALARM(a) AND OK(b)")
	l.composite("top", "ALARM(mid) OR ALARM(a)")
	arn := func(name string) *string {
		return aws.String("arn:aws:cloudwatch:us-east-1:123456789012:alarm:" + name)
	}
	brief := func(name string, value cwtypes.StateValue) cwtypes.MetricAlarm {
		return cwtypes.MetricAlarm{AlarmName: &name, AlarmArn: arn(name), StateValue: value, StateUpdatedTimestamp: &start}
	}
	children := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("mid")})
	assert.Equal(t, []cwtypes.MetricAlarm{brief("a", cwtypes.StateValueAlarm), brief("b", cwtypes.StateValueOk)}, children.MetricAlarms)
	parents := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("a")})
	assert.Equal(t, []cwtypes.CompositeAlarm{
		{AlarmName: aws.String("mid"), AlarmArn: arn("mid")}, {AlarmName: aws.String("top"), AlarmArn: arn("top")},
	}, parents.CompositeAlarms)
	code, _ := refused[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		ChildrenOfAlarmName: aws.String("mid"), StateValue: cwtypes.StateValueOk,
	})
	assert.Equal(t, "ValidationError", code)
}
