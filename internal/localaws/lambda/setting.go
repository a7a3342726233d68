package lambda

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of the asynchronous settings (Lambda API reference,
// PutFunctionEventInvokeConfig), and what must stay unreserved of the account's
// concurrency (PutFunctionConcurrency: "at least 100").
const (
	minAgeSeconds = 60
	maxAgeSeconds = 21600
	minUnreserved = 100
)

// setting looks up asynchronous settings.
func (s *Service) setting(name, qualifier *string) (reference, *lambdatypes.FunctionEventInvokeConfig, error) {
	r, err := s.find(name, qualifier)
	if errors.As(err, new(*lambdatypes.ResourceNotFoundException)) { // AWS does not say here that there is no function
		base, q, _ := s.split(aws.ToString(name))
		return r, nil, notFound("The function %s:%s doesn't have an EventInvokeConfig", s.functionARN(base), cmp.Or(q, aws.ToString(qualifier), latest))
	}
	if err != nil {
		return r, nil, err
	}
	if c := r.fn.async[r.key()]; c != nil {
		return r, c, nil
	}
	return r, nil, notFound("The function %s doesn't have an EventInvokeConfig", r.fn.arn+":"+r.key())
}

// set checks and stores asynchronous settings.
func (s *Service) set(r reference, c lambdatypes.FunctionEventInvokeConfig) (*lambdatypes.FunctionEventInvokeConfig, error) {
	if _, err := r.version(); err != nil {
		return nil, err
	}
	if n := c.MaximumRetryAttempts; n != nil {
		if err := within(*n, "maximumRetryAttempts", 0, maxRetries); err != nil {
			return nil, err
		}
	}
	if n := c.MaximumEventAgeInSeconds; n != nil {
		if err := within(*n, "maximumEventAgeInSeconds", minAgeSeconds, maxAgeSeconds); err != nil {
			return nil, err
		}
	}
	for _, arn := range destinations(c.DestinationConfig) {
		if service := serviceOf(arn); service != "sqs" && service != "sns" {
			return nil, invalid("destination %s is not supported by the local AWS, which delivers to SQS and SNS only", arn)
		}
	}
	c.FunctionArn = aws.String(r.fn.arn + ":" + r.key())
	c.LastModified = aws.Time(s.w.Now())
	r.fn.async[r.key()] = &c
	return &c, nil
}

// destinations lists the ARNs of a configuration.
func destinations(d *lambdatypes.DestinationConfig) []string {
	var arns []string
	if d != nil && d.OnSuccess != nil && aws.ToString(d.OnSuccess.Destination) != "" {
		arns = append(arns, *d.OnSuccess.Destination)
	}
	if d != nil && d.OnFailure != nil && aws.ToString(d.OnFailure.Destination) != "" {
		arns = append(arns, *d.OnFailure.Destination)
	}
	return arns
}

func (s *Service) putSetting(_ *wire.Call, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	if in.MaximumRetryAttempts == nil && in.MaximumEventAgeInSeconds == nil && in.DestinationConfig == nil {
		return nil, invalid("You must specify at least one of error handling or destination setting.")
	}
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err == nil {
		_, err = r.version()
	}
	if errors.As(err, new(*lambdatypes.ResourceNotFoundException)) {
		return nil, notFound("The function doesn't exist.")
	}
	if err != nil {
		return nil, err
	}
	c, err := s.set(r, lambdatypes.FunctionEventInvokeConfig{
		DestinationConfig: in.DestinationConfig, MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds, MaximumRetryAttempts: in.MaximumRetryAttempts,
	})
	if err != nil {
		return nil, err
	}
	return shape[lambda.PutFunctionEventInvokeConfigOutput](c), nil
}

func (s *Service) updateSetting(_ *wire.Call, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	r, old, err := s.setting(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c := *old
	c.DestinationConfig = or(in.DestinationConfig, c.DestinationConfig)
	c.MaximumEventAgeInSeconds = or(in.MaximumEventAgeInSeconds, c.MaximumEventAgeInSeconds)
	c.MaximumRetryAttempts = or(in.MaximumRetryAttempts, c.MaximumRetryAttempts)
	changed, err := s.set(r, c)
	if err != nil {
		return nil, err
	}
	return shape[lambda.UpdateFunctionEventInvokeConfigOutput](changed), nil
}

func (s *Service) getSetting(_ *wire.Call, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	_, c, err := s.setting(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return shape[lambda.GetFunctionEventInvokeConfigOutput](c), nil
}

func (s *Service) deleteSetting(_ *wire.Call, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	r, _, err := s.setting(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	delete(r.fn.async, r.key())
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, nil
}

func (s *Service) listSettings(_ *wire.Call, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	var all []lambdatypes.FunctionEventInvokeConfig
	for _, name := range slices.Sorted(maps.Keys(f.async)) {
		all = append(all, *f.async[name])
	}
	page, next, err := paginate(all, in.Marker, in.MaxItems)
	return &lambda.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: page, NextMarker: next}, err
}

// unreserved is what all functions without a concurrency of their own share.
func (s *Service) unreserved() int {
	left := s.options.Concurrency
	for _, f := range s.functions { // a sum
		if f.reserved != nil {
			left -= int(*f.reserved)
		}
	}
	return left
}

func (s *Service) putConcurrency(_ *wire.Call, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	f, err := s.whole(in.FunctionName, "This operation is permitted on Lambda functions only. Aliases and versions do not support this "+
		"operation. Please specify either a function name or an unqualified function ARN.")
	if err != nil {
		return nil, err
	}
	n := aws.ToInt32(in.ReservedConcurrentExecutions)
	if in.ReservedConcurrentExecutions == nil {
		return nil, unfit("null", "reservedConcurrentExecutions", "Member must not be null")
	}
	if n < 0 {
		return nil, unfit(n, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	if s.unreserved()+int(aws.ToInt32(f.reserved))-int(n) < minUnreserved {
		return nil, invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "+
			"below its minimum value of [%d].", minUnreserved)
	}
	f.reserved = aws.Int32(n)
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.reserved}, nil
}

func (s *Service) getConcurrency(_ *wire.Call, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.reserved}, nil
}

func (s *Service) deleteConcurrency(_ *wire.Call, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	f.reserved = nil
	return &lambda.DeleteFunctionConcurrencyOutput{}, nil
}

// whole looks up a function for an operation that refuses a qualifier in words
// of its own.
func (s *Service) whole(name *string, refusal string) (*function, error) {
	if _, q, err := s.split(aws.ToString(name)); err == nil && q != "" {
		return nil, invalid("%s", refusal)
	}
	return s.unqualified(name)
}

// tagged looks up the tags of a function or of an event source mapping.
func (s *Service) tagged(arn *string) (*map[string]string, error) {
	for _, m := range s.mappings {
		if *m.config.EventSourceMappingArn == aws.ToString(arn) {
			return &m.tags, nil
		}
	}
	f, err := s.whole(arn, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
	if err != nil {
		return nil, err
	}
	return &f.tags, nil
}

func (s *Service) tagResource(_ *wire.Call, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	tags, err := s.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	if *tags == nil {
		*tags = map[string]string{}
	}
	maps.Copy(*tags, in.Tags)
	return &lambda.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	tags, err := s.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(*tags, key)
	}
	return &lambda.UntagResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	tags, err := s.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	return &lambda.ListTagsOutput{Tags: maps.Clone(*tags)}, nil
}
