package lambda

import (
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// may asks whether somebody may do something; without IAM everybody may.
func (s *Service) may(as wire.Principal, service, operation string, in any) bool {
	return s.options.May == nil || s.options.May(as, service, operation, in) == nil
}

// assumable checks that Lambda may act with a role. An operation that needs no
// permission only needs the role.
func (s *Service) assumable(role *string) error {
	if role == nil || s.may(wire.Principal{ARN: *role, Service: serviceName}, "sts", "GetCallerIdentity", &sts.GetCallerIdentityInput{}) {
		return nil
	}
	return invalid("The role defined for the function cannot be assumed by Lambda.")
}

// readable checks that a function's role may do what reading a queue takes
// (Lambda developer guide, "Permissions" of "Creating and configuring an Amazon
// SQS event source mapping").
func (s *Service) readable(v *version, queue string) error {
	url := queueURL(queue)
	for _, q := range []struct {
		operation string
		in        any
	}{
		{"ReceiveMessage", &sqs.ReceiveMessageInput{QueueUrl: url}},
		{"DeleteMessage", &sqs.DeleteMessageInput{QueueUrl: url}},
		{"GetQueueAttributes", &sqs.GetQueueAttributesInput{QueueUrl: url}},
	} {
		if !s.may(v.poller(), "sqs", q.operation, q.in) {
			return invalid("The provided execution role does not have permissions to call %s on SQS", q.operation)
		}
	}
	return nil
}
