package autoscaling

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"
)

// invalid is the error of nearly everything: ValidationError (API reference,
// "Common errors").
func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// page cuts a page out of all. The token is the number of items before it.
func page[T any](all []T, size *int32, token *string, usual, most int) (items []T, next *string, err error) {
	from := 0
	if token != nil {
		if from, err = strconv.Atoi(*token); err != nil || from < 0 || from > len(all) {
			return nil, nil, &astypes.InvalidNextToken{Message: aws.String("The token '" + *token + "' is invalid.")}
		}
	}
	limit := usual
	if size != nil {
		limit = int(*size)
	}
	if limit < 1 || limit > most {
		return nil, nil, invalid("The value for MaxRecords must be between 1 and %d", most)
	}
	to := min(from+limit, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return append([]T{}, all[from:to]...), next, nil // an empty list is there
}
