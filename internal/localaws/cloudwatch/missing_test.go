package cloudwatch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
)

const keep = "keep"

// TestMissingDataIsTreatedAsDocumented holds the two tables of the CloudWatch
// user guide, "Configuring how CloudWatch alarms treat missing data", and the
// examples of its section on premature transitions. X is breaching, 0 is not,
// - is missing; the newest is on the right.
func TestMissingDataIsTreatedAsDocumented(t *testing.T) {
	const ok, alarm, insufficient = "OK", "ALARM", "INSUFFICIENT_DATA"
	for _, row := range []struct {
		toAlarm                                  int32
		data                                     string
		missing, ignore, breaching, notBreaching string
	}{
		{3, "0 - X - X", ok, ok, ok, ok},
		{3, "0 - - - -", ok, ok, ok, ok},
		{3, "- - - - -", insufficient, keep, alarm, ok},
		{3, "0 X X - X", alarm, alarm, alarm, alarm},
		{3, "- - X - -", alarm, keep, alarm, ok},
		{2, "0 - X - X", alarm, alarm, alarm, alarm},
		{2, "0 0 X 0 X", alarm, alarm, alarm, alarm},
		{2, "0 - X - -", ok, ok, alarm, ok},
		{2, "- - - - 0", ok, ok, alarm, ok},
		{2, "- - - X -", alarm, keep, alarm, ok},
		// Too early to tell; a non-breaching point after it makes it OK.
		{3, "- - - - X", keep, keep, alarm, ok},
		{3, "- - - X -", keep, keep, alarm, ok},
		{3, "- - - X 0", ok, ok, ok, ok},
		{3, "- - X - 0", ok, ok, ok, ok},
		// M breaching points are enough whatever is missing.
		{2, "- - - X X", alarm, alarm, alarm, alarm},
		{1, "- - - - X", alarm, alarm, alarm, alarm},
	} {
		for treat, want := range map[string]string{
			"missing": row.missing, "ignore": row.ignore, "breaching": row.breaching, "notBreaching": row.notBreaching, "": row.missing,
		} {
			t.Run(row.data+" "+treat, func(t *testing.T) {
				for _, before := range cwtypes.StateValue("").Values() {
					expected := cwtypes.StateValue(want)
					if want == keep {
						expected = before
					}
					assert.Equal(t, expected, evaluated(t, row.data, row.toAlarm, treat, before), "coming from %s", before)
				}
			})
		}
	}
}

// evaluated returns the state of an M out of 3 alarm after one evaluation.
func evaluated(t *testing.T, data string, toAlarm int32, treat string, before cwtypes.StateValue) cwtypes.StateValue {
	t.Helper()
	l := newLocal(t)
	points := strings.Fields(data)
	for i, p := range points {
		at := time.Duration(i-len(points)) * time.Minute
		switch p {
		case "X":
			l.metric(at, 9)
		case "0":
			l.metric(at, 0)
		}
	}
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(3), &toAlarm
		if treat != "" {
			in.TreatMissingData = &treat
		}
	})
	do[cloudwatch.SetAlarmStateOutput](l, "SetAlarmState", &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: before, StateReason: aws.String("test"),
	})
	l.advance(10 * time.Second)
	return l.described().StateValue
}

func TestDynamoDBAlarmsAlwaysIgnoreMissingData(t *testing.T) {
	l := newLocal(t)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
		in.Namespace, in.TreatMissingData = aws.String("AWS/DynamoDB"), aws.String("breaching")
	})
	l.advance(5 * time.Minute)
	assert.Equal(t, cwtypes.StateValueInsufficientData, l.described().StateValue)
}
