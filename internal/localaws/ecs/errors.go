package ecs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// invalid is the error of a parameter that cannot be.
func invalid(format string, args ...any) error {
	return &ecstypes.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// refused is ECS's error for much of what depends on other resources.
func refused(format string, args ...any) error {
	return &ecstypes.ClientException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// unsupported is the error of a feature that does not go together with others.
func unsupported(format string, args ...any) error {
	return &ecstypes.UnsupportedFeatureException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func noCluster() error {
	return &ecstypes.ClusterNotFoundException{Message: aws.String("Cluster not found.")}
}

func noService() error {
	return &ecstypes.ServiceNotFoundException{Message: aws.String("Service not found.")}
}

func notActive() error {
	return &ecstypes.ServiceNotActiveException{Message: aws.String("Service was not ACTIVE.")}
}

func noTaskSet() error {
	return &ecstypes.TaskSetNotFoundException{Message: aws.String("The specified task set was not found.")}
}

// missing is what the Describe operations answer for what is not there.
func missing(arn string) ecstypes.Failure {
	return ecstypes.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")}
}
