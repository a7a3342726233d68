package codedeploy

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// lifecycle is the lifecycle events of one target, in their order.
type lifecycle struct {
	w       *world.World
	events  []cdtypes.LifecycleEvent
	updated time.Time // when something changed last
}

func newLifecycle(w *world.World, names ...string) *lifecycle {
	l := &lifecycle{w: w, updated: w.Now()}
	for _, name := range names {
		l.events = append(l.events, cdtypes.LifecycleEvent{LifecycleEventName: aws.String(name), Status: cdtypes.LifecycleEventStatusPending})
	}
	return l
}

// list returns the events as targets show them.
func (l *lifecycle) list() []cdtypes.LifecycleEvent { return slices.Clone(l.events) }

// running reports whether an event is going on.
func (l *lifecycle) running(event int) bool {
	return l.events[event].Status == cdtypes.LifecycleEventStatusInProgress
}

// begin marks an event as going on.
func (l *lifecycle) begin(event int) {
	now := l.w.Now()
	l.events[event].Status, l.events[event].StartTime = cdtypes.LifecycleEventStatusInProgress, aws.Time(now)
	l.updated = now
}

// close ends an event.
func (l *lifecycle) close(event int, status cdtypes.LifecycleEventStatus) {
	now := l.w.Now()
	l.events[event].Status, l.events[event].EndTime = status, aws.Time(now)
	l.updated = now
}

// diagnose says why an event failed, if it was no script.
func (l *lifecycle) diagnose(event int, why string) {
	l.events[event].Diagnostics = &cdtypes.Diagnostics{ErrorCode: cdtypes.LifecycleErrorCodeUnknownError, Message: aws.String(why)}
}

// halt fails what is going on and skips the rest (observed after alarms).
func (l *lifecycle) halt() {
	for i := range l.events {
		switch l.events[i].Status {
		case cdtypes.LifecycleEventStatusInProgress:
			l.close(i, cdtypes.LifecycleEventStatusFailed)
		case cdtypes.LifecycleEventStatusPending:
			l.events[i].Status = cdtypes.LifecycleEventStatusSkipped
		default: // over already
		}
	}
}
