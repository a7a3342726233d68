// Package logs is CloudWatch Logs in the local AWS: log groups and streams,
// retention on the world's clock, filters that make metrics or hand log events
// to functions, and metrics embedded in log events.
//
// It has no Logs Insights, exports, deliveries, transformers, anomaly detectors,
// or policies. What a key protects is not encrypted, but KMS is asked. Subscription filters deliver to Lambda functions only.
package logs

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is CloudWatch Logs when it acts by itself.
const principal = "logs.amazonaws.com"

// Service is CloudWatch Logs in one account and region.
type Service struct {
	w      *world.World
	caller wire.Caller
	groups map[string]*group
	events int64   // that were accepted so far; makes their ids
	lost   []error `state:"-"`

	messages []*message // on their way to functions
}

// New makes a CloudWatch Logs without log groups.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{w: w, caller: c, groups: map[string]*group{}}
}

// Lost returns the errors of metrics and deliveries that could not be handed
// over, oldest first. Call it with the world's lock held.
func (s *Service) Lost() []error { return s.lost }

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "logs", Protocol: wire.JSON11, Target: "Logs_20140328", Style: wire.Camel,
		Operations: []wire.Operation{
			wire.Op("CreateLogGroup", s.createGroup),
			wire.Op("DeleteLogGroup", s.deleteGroup),
			wire.Op("DescribeLogGroups", s.describeGroups),
			wire.Op("AssociateKmsKey", s.associateKey),
			wire.Op("DisassociateKmsKey", s.disassociateKey),
			wire.Op("PutRetentionPolicy", s.putRetention),
			wire.Op("DeleteRetentionPolicy", s.deleteRetention),
			wire.Op("CreateLogStream", s.createStream),
			wire.Op("DeleteLogStream", s.deleteStream),
			wire.Op("DescribeLogStreams", s.describeStreams),
			wire.Op("PutLogEvents", s.putEvents),
			wire.Op("GetLogEvents", s.getEvents),
			wire.Op("FilterLogEvents", s.filterEvents),
			wire.Op("PutSubscriptionFilter", s.putSubscription),
			wire.Op("DescribeSubscriptionFilters", s.describeSubscriptions),
			wire.Op("DeleteSubscriptionFilter", s.deleteSubscription),
			wire.Op("PutMetricFilter", s.putMetricFilter),
			wire.Op("DescribeMetricFilters", s.describeMetricFilters),
			wire.Op("DeleteMetricFilter", s.deleteMetricFilter),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("ListTagsForResource", s.listTags),
		},
	}
}

// millis is a time as CloudWatch Logs counts it.
func millis(t time.Time) int64 { return t.UnixMilli() }

func (s *Service) now() int64 { return millis(s.w.Now()) }

func invalid(format string, args ...any) error {
	return &logstypes.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func noGroup() error {
	return &logstypes.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
}

func noStream() error {
	return &logstypes.ResourceNotFoundException{Message: aws.String("The specified log stream does not exist.")}
}

func noFilter() error {
	return &logstypes.ResourceNotFoundException{Message: aws.String("The specified subscription filter does not exist.")}
}

func noMetricFilter() error {
	return &logstypes.ResourceNotFoundException{Message: aws.String("The specified metric filter does not exist.")}
}
