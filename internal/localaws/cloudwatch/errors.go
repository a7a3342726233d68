package cloudwatch

import (
	"fmt"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// validation is the error of a request that breaks a rule of the API. The
// code is not modelled; it is what CloudWatch answers.
func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func invalid(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &cwtypes.InvalidParameterValueException{Message: &message}
}

func combination(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &cwtypes.InvalidParameterCombinationException{Message: &message}
}

func required(parameter string) error {
	message := fmt.Sprintf("The parameter %s is required.", parameter)
	return &cwtypes.MissingRequiredParameterException{Message: &message}
}

// unsupported is the error of a parameter that AWS has and this CloudWatch
// has not.
func unsupported(parameter string) error {
	return validation("%s is not supported by the local CloudWatch.", parameter)
}

func notFound(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &cwtypes.ResourceNotFound{Message: &message}
}
