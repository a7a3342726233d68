// Package metrics reads CloudWatch: how many requests two versions answered in
// each period, how many failed or were slow, and which alarms are on.
//
// It says what CloudWatch knows and keeps "nothing known" apart from "none". It
// reads no period before it is settled, remembers nothing, never judges and
// never writes.
package metrics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/shared/measure"
)

// api is the part of *cloudwatch.Client that this package uses.
type api interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

// Client reads metrics and alarms.
type Client struct{ api api }

// New returns a client that calls CloudWatch through client.
func New(client api) *Client { return &Client{api: client} }

const (
	// maxPages ends a listing whose tokens never do. Two metrics of one day are
	// a few thousand datapoints, and a page holds 100,800.
	maxPages = 50

	// maxNames is how many alarms one call describes (API reference, "DescribeAlarms").
	maxNames = 100
)

// query asks for a metric.
func query(id string, m measure.Metric, period time.Duration) cwtypes.MetricDataQuery {
	dimensions := make([]cwtypes.Dimension, len(m.Dimensions))
	for i, d := range m.Dimensions {
		dimensions[i] = cwtypes.Dimension{Name: &d.Name, Value: &d.Value}
	}
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{
		Metric: &cwtypes.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: dimensions},
		Period: aws.Int32(int32(period / time.Second)), Stat: &m.Stat, //nolint:gosec // a period is a day at most, see [measure.Plane]
	}}
}

// data returns the datapoints of every query, by Unix time.
func (c *Client) data(ctx context.Context, in *cloudwatch.GetMetricDataInput) (map[string]map[int64]float64, error) {
	points := make(map[string]map[int64]float64)
	last := make(map[string]cwtypes.StatusCode)
	for range maxPages {
		out, err := c.api.GetMetricData(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("get metric data: %w", err)
		}
		for _, r := range out.MetricDataResults {
			id := aws.ToString(r.Id)
			last[id] = r.StatusCode
			if points[id] == nil {
				points[id] = make(map[int64]float64)
			}
			for i, at := range r.Timestamps[:min(len(r.Timestamps), len(r.Values))] {
				points[id][at.Unix()] = r.Values[i]
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return points, complete(in, last)
		}
		in.NextToken = out.NextToken
	}
	return nil, errors.New("get metric data: the pages do not end")
}

// complete says whether every query was answered in full. A part of the
// datapoints would be taken for a quiet time.
func complete(in *cloudwatch.GetMetricDataInput, last map[string]cwtypes.StatusCode) error {
	for _, q := range in.MetricDataQueries {
		what := aws.ToString(q.Id)
		if q.MetricStat != nil && q.MetricStat.Metric != nil {
			what = aws.ToString(q.MetricStat.Metric.MetricName)
		}
		switch status := last[aws.ToString(q.Id)]; status {
		case cwtypes.StatusCodeComplete:
		case cwtypes.StatusCodePartialData, cwtypes.StatusCodeInternalError:
			return fmt.Errorf("get metric data: %s is %q: %w", what, status, measure.ErrNotYet)
		default:
			return fmt.Errorf("get metric data: %s is %q, not Complete", what, status)
		}
	}
	return nil
}

// Alarm is one alarm as it stands.
type Alarm struct {
	Name   string
	State  string    // "OK", "ALARM" or "INSUFFICIENT_DATA"
	Since  time.Time // when it came into that state
	Reason string    // in CloudWatch's words

	// Data is when the newest datapoint ended that the state was decided by: an
	// alarm is late by a minute or more. It is zero where that is not known, as of
	// a composite alarm.
	Data time.Time
}

// Firing reports whether the alarm is on.
func (a Alarm) Firing() bool { return a.State == string(cwtypes.StateValueAlarm) }

// Alarms returns the alarms of these names that exist, sorted by name.
// Without names it returns none.
func (c *Client) Alarms(ctx context.Context, names []string) ([]Alarm, error) {
	var all []Alarm
	for some := range slices.Chunk(names, maxNames) {
		found, err := c.describe(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("describe alarms: %w", err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(all), nil
}

func (c *Client) describe(ctx context.Context, names []string) ([]Alarm, error) {
	in := &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names,
		// Without types, composite alarms are left out (API reference, "DescribeAlarms").
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	}
	var all []Alarm
	for range maxPages {
		out, err := c.api.DescribeAlarms(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, a := range out.MetricAlarms {
			x := alarm(a.AlarmName, a.StateValue, a.StateTransitionedTimestamp, a.StateUpdatedTimestamp, a.StateReason)
			x.Data = decidedBy(a.StateReasonData)
			all = append(all, x)
		}
		for _, a := range out.CompositeAlarms {
			all = append(all, alarm(a.AlarmName, a.StateValue, a.StateTransitionedTimestamp, a.StateUpdatedTimestamp, a.StateReason))
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, errors.New("the pages do not end")
}

// alarm prefers the time of the transition: the other one also moves when the
// reason changes and the state does not.
func alarm(name *string, state cwtypes.StateValue, transitioned, updated *time.Time, reason *string) Alarm {
	return Alarm{
		Name: aws.ToString(name), State: string(state), Reason: aws.ToString(reason),
		Since: aws.ToTime(cmp.Or(transitioned, updated)).UTC(),
	}
}

// decidedBy reads the times of an alarm's datapoints out of its reason's data
// (CloudWatch user guide, "Alarm events and EventBridge", reasonData).
func decidedBy(reasonData *string) time.Time {
	var r struct {
		Period int `json:"period"` // seconds
		Points []struct {
			Timestamp string   `json:"timestamp"`
			Value     *float64 `json:"value"`
		} `json:"evaluatedDatapoints"`
	}
	if json.Unmarshal([]byte(aws.ToString(reasonData)), &r) != nil {
		return time.Time{}
	}
	var newest time.Time
	for _, p := range r.Points {
		at, err := time.Parse("2006-01-02T15:04:05.999-0700", p.Timestamp)
		if end := at.Add(time.Duration(r.Period) * time.Second).UTC(); err == nil && p.Value != nil && end.After(newest) {
			newest = end
		}
	}
	return newest
}
