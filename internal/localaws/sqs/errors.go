package sqs

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// invalid is the error of a parameter that breaks a rule.
func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{
		Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient,
	}
}

// badValue is invalid in the words that AWS uses for most parameters.
func badValue(value any, parameter, reason string) error {
	return invalid("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

// wrongType refuses a parameter that only the other type of queue knows. The
// missing "s" is AWS's.
func wrongType(value any, parameter string) error {
	return badValue(value, parameter, "The request include parameter that is not valid for this queue type.")
}

func missing(parameter string) error {
	return &smithy.GenericAPIError{
		Code: "MissingParameter", Message: "The request must contain the parameter " + parameter + ".", Fault: smithy.FaultClient,
	}
}

func badAttribute(name string) error {
	return &sqstypes.InvalidAttributeValue{Message: aws.String("Invalid value for the parameter " + name + ".")}
}

func unknownAttribute(name string) error {
	return &sqstypes.InvalidAttributeName{Message: aws.String("Unknown Attribute " + name + ".")}
}

// legacy is the code of an error in the query protocol, which still travels in
// a header and which the SDK shows as ErrorCode (SQS API reference, "Common
// errors"; Smithy 2.0, awsQueryCompatible trait).
func legacy(name string) *string { return aws.String("AWS.SimpleQueueService." + name) }

// Limits of a batch (SQS API reference, SendMessageBatch).
const (
	maxEntries = 10
	maxEntryID = 80
)

// checkBatch checks what is the same for all three batch operations.
func checkBatch(entry string, ids []*string) error {
	switch {
	case len(ids) == 0:
		return &sqstypes.EmptyBatchRequest{
			ErrorCodeOverride: legacy("EmptyBatchRequest"), Message: aws.String("There should be at least one " + entry + " in the request."),
		}
	case len(ids) > maxEntries:
		return &sqstypes.TooManyEntriesInBatchRequest{ErrorCodeOverride: legacy("TooManyEntriesInBatchRequest"), Message: aws.String(
			fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(ids)))}
	}
	seen := map[string]bool{}
	for _, p := range ids {
		id := aws.ToString(p)
		if !isName(id, maxEntryID) {
			return &sqstypes.InvalidBatchEntryId{ErrorCodeOverride: legacy("InvalidBatchEntryId"), Message: aws.String(
				"A batch entry id can only contain alphanumeric characters, " +
					"hyphens and underscores. It can be at most 80 letters long.")}
		}
		if seen[id] {
			return &sqstypes.BatchEntryIdsNotDistinct{
				ErrorCodeOverride: legacy("BatchEntryIdsNotDistinct"), Message: aws.String("Id " + id + " repeated."),
			}
		}
		seen[id] = true
	}
	return nil
}

// failure is how a batch reports the error of one entry.
func failure(id *string, err error) sqstypes.BatchResultErrorEntry {
	f := sqstypes.BatchResultErrorEntry{Id: id, Code: aws.String("InternalError"), Message: aws.String(err.Error())}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		f.Code, f.Message = aws.String(api.ErrorCode()), aws.String(api.ErrorMessage())
		f.SenderFault = api.ErrorFault() != smithy.FaultServer
	}
	return f
}

// isName reports whether s is 1 to limit letters, digits, hyphens and underscores.
func isName(s string, limit int) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}
