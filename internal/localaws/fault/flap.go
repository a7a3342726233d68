package fault

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// flap sends an alarm to and fro with SetAlarmState, as somebody who tests an
// alarm does: its next evaluation may change it back.
func (i *Injector) flap(a *armed) {
	as := wire.Principal{ARN: "arn:aws:iam::" + i.w.Account + ":root"}
	next := time.Duration(a.From) + time.Duration(a.For)
	var change func()
	change = func() {
		if a.fired >= a.Times || a.Until != 0 && i.w.Now().Sub(a.added) >= time.Duration(a.Until) {
			return
		}
		state := cwtypes.StateValueAlarm
		if a.fired%2 == 1 {
			state = cwtypes.StateValueOk
		}
		a.fired++
		i.note(a, call{service: "monitoring", operation: "SetAlarmState", caller: as, at: i.w.Now()})
		// An alarm that is not there, or not yet, is tried again at the next change.
		_, _ = i.mux.Call(context.Background(), as, "monitoring", "SetAlarmState", &cloudwatch.SetAlarmStateInput{ //nolint:forbidigo // a timer has no caller
			AlarmName: aws.String(a.Alarm), StateValue: state, StateReason: aws.String("flap: " + a.Name),
		})
		i.w.After(time.Duration(a.For), change)
	}
	i.w.After(next, change)
}
