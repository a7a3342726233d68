package sqs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	// period is how often a queue's metrics are published (SQS developer
	// guide, "Monitoring Amazon SQS queues using CloudWatch").
	period = time.Minute
	// active is how long after the last action a queue that is empty still
	// publishes metrics (the same page: "up to six hours").
	active = 6 * time.Hour
)

// counts is what happened to a queue since its metrics were last published.
type counts struct {
	sent, received, deleted, empty int

	touched time.Time
	tick    *world.Timer // nil while the queue is idle
	publish func()
}

// touch notes an action on the queue and starts its metrics.
func (s *Service) touch(q *queue) {
	q.counts.touched = s.w.Now()
	if q.counts.tick == nil {
		s.schedule(q)
	}
}

// schedule publishes at the next whole minute.
func (s *Service) schedule(q *queue) {
	next := s.w.Now().Truncate(period).Add(period)
	q.counts.tick = s.w.Tick(next, func() {
		q.expire(s.w)
		q.counts.publish()
		if len(q.messages) == 0 && s.w.Now().Sub(q.counts.touched) >= active {
			q.counts.tick = nil
			return
		}
		s.schedule(q)
	})
}

// publish sends the metrics of the minute that just ended. CloudWatch names a
// minute by its beginning.
func (s *Service) publish(ctx context.Context, q *queue) {
	now := s.w.Now()
	visible, flying, delayed := q.tally(now)
	age := time.Duration(0)
	for _, m := range q.messages {
		age = max(age, now.Sub(m.sentAt))
	}
	dimension := []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String(q.name)}}
	var data []cwtypes.MetricDatum
	put := func(name string, value float64, unit cwtypes.StandardUnit) {
		data = append(data, cwtypes.MetricDatum{
			MetricName: aws.String(name), Dimensions: dimension, Timestamp: aws.Time(now.Add(-period)), Value: aws.Float64(value), Unit: unit,
		})
	}
	put("ApproximateNumberOfMessagesVisible", float64(visible), cwtypes.StandardUnitCount)
	put("ApproximateNumberOfMessagesNotVisible", float64(flying), cwtypes.StandardUnitCount)
	put("ApproximateNumberOfMessagesDelayed", float64(delayed), cwtypes.StandardUnitCount)
	put("ApproximateAgeOfOldestMessage", age.Seconds(), cwtypes.StandardUnitSeconds)
	put("NumberOfMessagesSent", float64(q.counts.sent), cwtypes.StandardUnitCount)
	put("NumberOfMessagesReceived", float64(q.counts.received), cwtypes.StandardUnitCount)
	put("NumberOfMessagesDeleted", float64(q.counts.deleted), cwtypes.StandardUnitCount)
	put("NumberOfEmptyReceives", float64(q.counts.empty), cwtypes.StandardUnitCount)
	q.counts.sent, q.counts.received, q.counts.deleted, q.counts.empty = 0, 0, 0, 0
	// A metric that cannot be stored is lost, as in AWS: nobody waits for it.
	_, _ = wire.Do[cloudwatch.PutMetricDataOutput](ctx, s.c, wire.Principal{Service: "sqs.amazonaws.com"},
		"monitoring", "PutMetricData", &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/SQS"), MetricData: data})
}
