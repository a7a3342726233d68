package elbv2

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

// invalid is the answer to a member that is missing or malformed.
func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// unsupported is the answer to what AWS has and this model has not.
func unsupported(what string) error {
	return &elbtypes.InvalidConfigurationRequestException{Message: aws.String(what + " is not supported by the local Elastic Load Balancing")}
}

func noBalancer(arn string) error {
	return &elbtypes.LoadBalancerNotFoundException{Message: aws.String("Load balancer '" + arn + "' not found")}
}

func noGroup(arn string) error {
	return &elbtypes.TargetGroupNotFoundException{Message: aws.String("Target group '" + arn + "' not found")}
}

func noListener(arn string) error {
	return &elbtypes.ListenerNotFoundException{Message: aws.String("Listener '" + arn + "' not found")}
}

func noRule(arn string) error {
	return &elbtypes.RuleNotFoundException{Message: aws.String("Rule '" + arn + "' not found")}
}

// checkName refuses names that a load balancer or target group may not have
// (API reference, CreateLoadBalancer and CreateTargetGroup).
func checkName(what, name string) error {
	const longest = 32
	switch {
	case name == "":
		return invalid("%s name cannot be blank", what)
	case len(name) > longest:
		return invalid("%s name '%s' cannot be longer than '%d' characters", what, name, longest)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
		return invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name)
	case strings.HasPrefix(name, "-"), strings.HasSuffix(name, "-"):
		return invalid("%s name '%s' cannot begin or end with '-'", what, name)
	case strings.HasPrefix(name, "internal-"):
		return invalid("%s name '%s' cannot begin with 'internal-'", what, name)
	default:
		return nil
	}
}

// page cuts a page out of all. The marker is the number of items before it.
func page[T any](all []T, marker *string, size *int32) (part []T, next *string, err error) {
	const largest = 400 // API reference, PageSize
	from, n := 0, largest
	if size != nil {
		if n = int(*size); n < 1 || n > largest {
			return nil, nil, invalid("PageSize '%d' must be between 1 and 400", *size)
		}
	}
	if aws.ToString(marker) != "" {
		if from, err = strconv.Atoi(*marker); err != nil || from < 0 || from > len(all) {
			return nil, nil, invalid("Marker '%s' is not valid", *marker)
		}
	}
	to := min(from+n, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return all[from:to], next, nil
}
