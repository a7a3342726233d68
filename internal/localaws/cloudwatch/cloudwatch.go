// Package cloudwatch is the local CloudWatch: it stores metrics, answers
// queries over them, evaluates alarms on the world's clock, and tells
// EventBridge and SNS about every change.
//
// It refuses, by name, what it does not model: anomaly detection, Metrics
// Insights, PromQL, log alarms, entities, mute rules, metric math beyond the
// functions in functions.go and series.go, statistics other than the five simple
// ones and percentiles, and alarm actions other than SNS topics and functions.
package cloudwatch

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is CloudWatch when it acts by itself.
const principal = "cloudwatch.amazonaws.com"

// stamp is how CloudWatch writes times into reason data, events and
// notifications: not RFC 3339 (CloudWatch user guide, "Alarm events and
// EventBridge", samples).
const stamp = "2006-01-02T15:04:05.000-0700"

// Service is the local CloudWatch.
type Service struct {
	world  *world.World
	caller wire.Caller

	metrics map[string]*series
	keys    []string // of metrics, sorted

	alarms map[string]*alarm
	names  []string // of alarms, sorted

	dashboards map[string]dashboard // by name

	history []cwtypes.AlarmHistoryItem
	armed   map[time.Duration]bool `state:"-"` // which clocks of tick.go are running
	lost    []error                `state:"-"`
}

// New makes a CloudWatch without metrics and alarms. Events and notifications
// go out through c.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{
		world:   w,
		caller:  c,
		metrics: map[string]*series{},
		alarms:  map[string]*alarm{},
		armed:   map[time.Duration]bool{},

		dashboards: map[string]dashboard{},
	}
}

// Lost returns the errors of events and notifications that could not be
// handed over, oldest first. AWS promises that state change events are
// delivered, so a caller who expects any should expect none here.
func (s *Service) Lost() []error { return s.lost }

// Wire describes the service to the mux.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name:     "monitoring",
		Protocol: wire.JSON10,
		Target:   "GraniteServiceVersion20100801",
		Version:  "2010-08-01",
		Style:    wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutMetricData", s.putMetricData),
			wire.Op("GetMetricData", s.getMetricData),
			wire.Op("GetMetricStatistics", s.getMetricStatistics),
			wire.Op("ListMetrics", s.listMetrics),
			wire.Op("PutMetricAlarm", s.putMetricAlarm),
			wire.Op("PutCompositeAlarm", s.putCompositeAlarm),
			wire.Op("DescribeAlarms", s.describeAlarms),
			wire.Op("DescribeAlarmsForMetric", s.describeAlarmsForMetric),
			wire.Op("DescribeAlarmHistory", s.describeAlarmHistory),
			wire.Op("SetAlarmState", s.setAlarmState),
			wire.Op("DeleteAlarms", s.deleteAlarms),
			wire.Op("EnableAlarmActions", s.enableAlarmActions),
			wire.Op("DisableAlarmActions", s.disableAlarmActions),
			wire.Op("PutDashboard", s.putDashboard),
			wire.Op("GetDashboard", s.getDashboard),
			wire.Op("ListDashboards", s.listDashboards),
			wire.Op("DeleteDashboards", s.deleteDashboards),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("ListTagsForResource", s.listTagsForResource),
		},
	}
}

// now is the world's time in the precision that CloudWatch shows.
func (s *Service) now() time.Time { return s.world.Now().Truncate(time.Millisecond) }

func (s *Service) enableAlarmActions(c *wire.Call, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	s.switchActions(c, in.AlarmNames, true)
	return &cloudwatch.EnableAlarmActionsOutput{}, nil
}

func (s *Service) disableAlarmActions(c *wire.Call, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	s.switchActions(c, in.AlarmNames, false)
	return &cloudwatch.DisableAlarmActionsOutput{}, nil
}
