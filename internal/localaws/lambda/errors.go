package lambda

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// user is the Type of all errors that are the caller's fault.
const user = "User"

// statuses are the HTTP statuses of error codes that differ from 400 and 500
// (Lambda API reference, "Errors" of each operation).
func statuses() map[string]int {
	return map[string]int{
		"ResourceNotFoundException":   http.StatusNotFound,
		"ResourceConflictException":   http.StatusConflict,
		"PreconditionFailedException": http.StatusPreconditionFailed,
		"TooManyRequestsException":    http.StatusTooManyRequests,
		"RequestTooLargeException":    http.StatusRequestEntityTooLarge,
	}
}

func notFound(format string, a ...any) error {
	return &lambdatypes.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, a...)), Type: aws.String(user)}
}

func conflict(format string, a ...any) error {
	return &lambdatypes.ResourceConflictException{Message: aws.String(fmt.Sprintf(format, a...)), Type: aws.String(user)}
}

func invalid(format string, a ...any) error {
	return &lambdatypes.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, a...)), Type: aws.String(user)}
}

// unfit is the error of a value that breaks a constraint of the API's model,
// which is found before the operation begins.
func unfit(value any, member, constraint string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Fault: smithy.FaultClient, Message: fmt.Sprintf(
		"1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)}
}

// within refuses a number outside of its bounds.
func within[N int32 | int](n N, member string, low, high N) error {
	switch {
	case n < low:
		return unfit(n, member, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case n > high:
		return unfit(n, member, fmt.Sprintf("Member must have value less than or equal to %d", high))
	default:
		return nil
	}
}

func badContent(format string, a ...any) error {
	return &lambdatypes.InvalidRequestContentException{Message: aws.String(fmt.Sprintf(format, a...)), Type: aws.String(user)}
}

func tooLarge(size, limit int) error {
	return &lambdatypes.RequestTooLargeException{
		Message: aws.String(fmt.Sprintf("%d byte payload is too large for the invocation type (limit %d bytes)", size, limit)),
		Type:    aws.String(user),
	}
}

func throttled(reason lambdatypes.ThrottleReason) error {
	return &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Type: aws.String(user), Reason: reason}
}

// precondition compares a revision that a caller insists on with the one that
// there is. The get operation is named as in AWS's message.
func precondition(want, have *string, get string) error {
	if want == nil || *want == aws.ToString(have) {
		return nil
	}
	return &lambdatypes.PreconditionFailedException{
		Message: aws.String("The Revision Id provided does not match the latest Revision Id. Call the " +
			get + " API to retrieve the latest Revision Id"),
		Type: aws.String(user),
	}
}

// refuse answers with an error if one of the named fields of a request is set:
// it would change what Lambda does in a way that is not modelled.
func refuse(in any, fields ...string) error {
	v := reflect.ValueOf(in).Elem()
	for _, name := range fields {
		if f := v.FieldByName(name); !f.IsZero() {
			return invalid("%s is not supported by the local AWS", name)
		}
	}
	return nil
}

// shape copies the fields that two of the SDK's structs have in common. Lambda
// answers most operations with a function's configuration, for which the SDK
// has a struct of its own each time.
func shape[O any](from any) *O {
	out := new(O)
	source, target := reflect.ValueOf(from).Elem(), reflect.ValueOf(out).Elem()
	for i := range target.NumField() {
		field := target.Type().Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		if f := source.FieldByName(field.Name); f.IsValid() && f.Type() == field.Type {
			target.Field(i).Set(f)
		}
	}
	return out
}
