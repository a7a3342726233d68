package lambda

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Limits of an event source mapping for SQS (Lambda developer guide, "Creating
// and configuring an Amazon SQS event source mapping").
const (
	defaultBatch  = 10
	maxFIFOBatch  = 10
	maxBatch      = 10000
	maxWindow     = 300 // seconds
	lowestScaling = 2
	maxScaling    = 1000
)

// The states of a mapping that last. Creating, Updating and the like are over
// at once here.
const (
	enabled  = "Enabled"
	disabled = "Disabled"
	deleting = "Deleting"
)

// mapping is an event source mapping: it receives from a queue and invokes a
// function.
type mapping struct {
	config    lambdatypes.EventSourceMappingConfiguration
	function  string
	qualifier string
	tags      map[string]string
	poll      *world.Timer // the next poll, if one is due
	window    *world.Timer // the end of the batching window
	waiting   []sqstypes.Message
	since     time.Time // when the first of those was received
	busy      int       `state:"-"` // batches under way
	broken    int       // polls that failed, one after the other
}

// fifo reports whether the queue keeps an order.
func (m *mapping) fifo() bool { return strings.HasSuffix(*m.config.EventSourceArn, ".fifo") }

// reports reports whether the function says which messages failed.
func (m *mapping) reports() bool {
	return slices.Contains(m.config.FunctionResponseTypes, lambdatypes.FunctionResponseTypeReportBatchItemFailures)
}

// streamsOnly are the settings of a mapping that do not exist for SQS or are
// not modelled.
func streamsOnly() []string {
	return []string{
		"AmazonManagedKafkaEventSourceConfig", "BisectBatchOnFunctionError", "DestinationConfig", "DocumentDBEventSourceConfig",
		"FilterCriteria", "KMSKeyArn", "LoggingConfig", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "MetricsConfig",
		"ParallelizationFactor", "ProvisionedPollerConfig", "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations",
		"TumblingWindowInSeconds",
	}
}

func (s *Service) createMapping(_ *wire.Call, in *lambda.CreateEventSourceMappingInput) (*lambda.CreateEventSourceMappingOutput, error) {
	queue := aws.ToString(in.EventSourceArn)
	if err := s.checkSource(in, queue); err != nil {
		return nil, err
	}
	r, err := s.find(in.FunctionName, nil)
	if errors.As(err, new(*lambdatypes.ResourceNotFoundException)) {
		return nil, invalid("Function does not exist")
	}
	if err != nil {
		return nil, err
	}
	for _, m := range s.mappings {
		if *m.config.EventSourceArn == queue && *m.config.FunctionArn == r.arn() {
			return nil, conflict("The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. "+
				"Please update or delete the existing mapping with UUID %s", queue, r.fn.name, *m.config.UUID)
		}
	}
	v, err := r.version()
	if err != nil {
		return nil, err
	}
	if err := s.readable(v, queue); err != nil {
		return nil, err
	}
	id := s.w.UUID()
	m := &mapping{tags: in.Tags, config: lambdatypes.EventSourceMappingConfiguration{
		EventSourceArn: aws.String(queue), UUID: aws.String(id), State: aws.String(enabled),
		EventSourceMappingArn: aws.String("arn:aws:lambda:" + s.w.Region + ":" + s.w.Account + ":event-source-mapping:" + id),
		BatchSize:             aws.Int32(defaultBatch), MaximumBatchingWindowInSeconds: aws.Int32(0),
		StateTransitionReason: aws.String("USER_INITIATED"), LastProcessingResult: aws.String("No records processed"),
	}}
	if err := s.changeMapping(m, r, shape[lambda.UpdateEventSourceMappingInput](in)); err != nil {
		return nil, err
	}
	s.mappings = append(s.mappings, m)
	if !s.watched[queue] {
		s.watched[queue] = true
		s.options.OnAvailable(queue, func() { s.available(queue) })
	}
	s.wake(m, 0)
	return shape[lambda.CreateEventSourceMappingOutput](&m.config), nil
}

// checkSource refuses what cannot be polled here.
func (s *Service) checkSource(in *lambda.CreateEventSourceMappingInput, source string) error {
	if err := refuse(in, append(streamsOnly(), "Queues", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp", "Topics")...); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"sqs", "kinesis", "dynamodb", "kafka", "mq", "rds"}, serviceOf(source)):
		return invalid("Unrecognized event source.")
	case serviceOf(source) != "sqs":
		return invalid("event source %q is not supported by the local AWS, which polls SQS queues only", source)
	case s.options.OnAvailable == nil:
		return invalid("event source mappings are not available: this local AWS has no SQS")
	}
	return nil
}

// changeMapping changes a mapping as a request says, all or nothing.
func (s *Service) changeMapping(m *mapping, r reference, in *lambda.UpdateEventSourceMappingInput) error {
	c := m.config
	c.FunctionArn = aws.String(r.arn())
	c.BatchSize = or(in.BatchSize, c.BatchSize)
	c.MaximumBatchingWindowInSeconds = or(in.MaximumBatchingWindowInSeconds, c.MaximumBatchingWindowInSeconds)
	c.ScalingConfig = or(in.ScalingConfig, c.ScalingConfig)
	if in.FunctionResponseTypes != nil {
		c.FunctionResponseTypes = slices.Clone(in.FunctionResponseTypes)
	}
	if in.Enabled != nil {
		c.State = aws.String(disabled)
		if *in.Enabled {
			c.State = aws.String(enabled)
		}
	}
	c.LastModified = aws.Time(s.w.Now())
	if err := checkMapping(&c, m.fifo()); err != nil {
		return err
	}
	if err := s.checkQueue(r, *c.EventSourceArn); err != nil {
		return err
	}
	m.config, m.function, m.qualifier = c, r.fn.name, r.qualifier
	return nil
}

// checkMapping checks the limits.
func checkMapping(c *lambdatypes.EventSourceMappingConfiguration, fifo bool) error {
	batch, window := *c.BatchSize, *c.MaximumBatchingWindowInSeconds
	switch {
	case batch < 1 || batch > maxBatch:
		return invalid("Batch size must be between 1 and %d", maxBatch)
	case window < 0 || window > maxWindow:
		return invalid("Maximum batch window in seconds must be between 0 and %d", maxWindow)
	case batch > defaultBatch && window == 0 && !fifo:
		return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	if fifo {
		if err := checkFIFO(batch, window); err != nil {
			return err
		}
	}
	return checkScaling(c.ScalingConfig)
}

// checkScaling checks the limits of a mapping's concurrency.
func checkScaling(c *lambdatypes.ScalingConfig) error {
	if c == nil || c.MaximumConcurrency == nil {
		return nil
	}
	if n := *c.MaximumConcurrency; n < lowestScaling || n > maxScaling {
		return invalid("MaximumConcurrency must be between %d and %d", lowestScaling, maxScaling)
	}
	return nil
}

// checkFIFO checks the limits that only FIFO queues have.
func checkFIFO(batch, window int32) error {
	switch {
	case batch > maxFIFOBatch:
		return invalid("Maximum batch size for FIFO queues is %d", maxFIFOBatch)
	case window > 0:
		return invalid("Batching window is not supported for FIFO queues")
	default:
		return nil
	}
}

// checkQueue checks that the function's role can read the queue's attributes
// and that messages stay invisible for as long as the function may run.
func (s *Service) checkQueue(r reference, queue string) error {
	v, err := r.version()
	if err != nil {
		return err
	}
	name := sqstypes.QueueAttributeNameVisibilityTimeout
	out, err := do[sqs.GetQueueAttributesOutput](s, v.role(), "sqs", "GetQueueAttributes",
		&sqs.GetQueueAttributesInput{QueueUrl: queueURL(queue), AttributeNames: []sqstypes.QueueAttributeName{name}})
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return invalid("Error occurred while GetQueueAttributes. SQS Error Code: %s. SQS Error Message: %s", api.ErrorCode(), api.ErrorMessage())
	}
	if err != nil {
		return err
	}
	timeout := int(*v.config.Timeout)
	if seconds, err := strconv.Atoi(out.Attributes[string(name)]); err == nil && seconds < timeout {
		return invalid("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", seconds, timeout)
	}
	return nil
}

// mapping looks up a mapping.
func (s *Service) mapping(id *string) (*mapping, error) {
	for _, m := range s.mappings {
		if *m.config.UUID == aws.ToString(id) {
			return m, nil
		}
	}
	return nil, notFound("The resource you requested does not exist.")
}

func (s *Service) getMapping(_ *wire.Call, in *lambda.GetEventSourceMappingInput) (*lambda.GetEventSourceMappingOutput, error) {
	m, err := s.mapping(in.UUID)
	if err != nil {
		return nil, err
	}
	return shape[lambda.GetEventSourceMappingOutput](&m.config), nil
}

func (s *Service) updateMapping(_ *wire.Call, in *lambda.UpdateEventSourceMappingInput) (*lambda.UpdateEventSourceMappingOutput, error) {
	if err := refuse(in, streamsOnly()...); err != nil {
		return nil, err
	}
	m, err := s.mapping(in.UUID)
	if err != nil {
		return nil, err
	}
	name := in.FunctionName
	if name == nil {
		name = m.config.FunctionArn
	}
	r, err := s.find(name, nil)
	if err != nil {
		return nil, err
	}
	if err := s.changeMapping(m, r, in); err != nil {
		return nil, err
	}
	s.wake(m, 0)
	return shape[lambda.UpdateEventSourceMappingOutput](&m.config), nil
}

func (s *Service) deleteMapping(_ *wire.Call, in *lambda.DeleteEventSourceMappingInput) (*lambda.DeleteEventSourceMappingOutput, error) {
	m, err := s.mapping(in.UUID)
	if err != nil {
		return nil, err
	}
	m.config.State = aws.String(deleting)
	s.w.Stop(m.poll)
	s.w.Stop(m.window)
	s.mappings = slices.DeleteFunc(s.mappings, func(other *mapping) bool { return other == m })
	return shape[lambda.DeleteEventSourceMappingOutput](&m.config), nil
}

func (s *Service) listMappings(_ *wire.Call, in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	want := ""
	if in.FunctionName != nil {
		r, err := s.find(in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		want = r.arn()
	}
	var all []lambdatypes.EventSourceMappingConfiguration
	for _, m := range s.mappings {
		if (want == "" || want == *m.config.FunctionArn) && (in.EventSourceArn == nil || *in.EventSourceArn == *m.config.EventSourceArn) {
			all = append(all, m.config)
		}
	}
	page, next, err := paginate(all, in.Marker, in.MaxItems)
	return &lambda.ListEventSourceMappingsOutput{EventSourceMappings: page, NextMarker: next}, err
}
