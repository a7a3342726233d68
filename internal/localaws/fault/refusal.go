package fault

import (
	"net/http"

	"github.com/aws/smithy-go"
)

// refusal is an error with an HTTP status of its own.
type refusal struct {
	code, message string
	status        int
}

// Error implements error.
func (r refusal) Error() string { return r.code + ": " + r.message }

// ErrorCode implements smithy.APIError.
func (r refusal) ErrorCode() string { return r.code }

// ErrorMessage implements smithy.APIError.
func (r refusal) ErrorMessage() string { return r.message }

// ErrorFault implements smithy.APIError.
func (r refusal) ErrorFault() smithy.ErrorFault {
	if r.status >= http.StatusInternalServerError {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// HTTPStatus is read by the wire.
func (r refusal) HTTPStatus() int { return r.status }

// refusal is what a rule says, and for the rest what is usual.
func (a *armed) refusal(usual refusal) error {
	if a.Code != "" {
		usual.code = a.Code
	}
	if a.Message != "" {
		usual.message = a.Message
	}
	if a.Status != 0 {
		usual.status = a.Status
	}
	return usual
}

// throttled is how a service says that it is asked too often. The codes are
// those that the SDKs take for throttling (Go SDK, aws/retry,
// DefaultThrottleErrorCodes), each with the status of its service's API
// reference, "Common Errors".
func throttled(service string) refusal {
	switch service {
	case "lambda":
		return refusal{"TooManyRequestsException", "Rate Exceeded.", http.StatusTooManyRequests}
	case "s3":
		return refusal{"SlowDown", "Please reduce your request rate.", http.StatusServiceUnavailable}
	case "ec2":
		return refusal{"RequestLimitExceeded", "Request limit exceeded.", http.StatusServiceUnavailable}
	case "elasticloadbalancing", "autoscaling", "cloudformation", "iam", "sts":
		return refusal{"Throttling", "Rate exceeded", http.StatusBadRequest}
	case "sns":
		return refusal{"Throttled", "Rate exceeded", http.StatusTooManyRequests}
	case "sqs":
		return refusal{"RequestThrottled", "The request was throttled.", http.StatusBadRequest}
	default:
		return refusal{"ThrottlingException", "Rate exceeded", http.StatusBadRequest}
	}
}

// broken is how a service says that it is broken.
func broken(service string) refusal {
	code := "InternalFailure"
	switch service {
	case "s3", "ec2":
		code = "InternalError"
	case "dynamodb":
		code = "InternalServerError"
	case "lambda":
		code = "ServiceException"
	}
	return refusal{code, "An internal error occurred.", http.StatusInternalServerError}
}
