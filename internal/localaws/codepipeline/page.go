package codepipeline

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// mostHistory is the largest page of a history (API reference, MaxResults).
const mostHistory = 100

// page cuts a page out of a list. A token is the number of the next item.
func page[T any](all []T, token *string, size *int32, most int) ([]T, *string, error) {
	from, limit := 0, most
	if size != nil {
		limit = int(*size)
	}
	if limit < 1 || limit > most {
		return nil, nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", limit, most)
	}
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, &cptypes.InvalidNextTokenException{Message: aws.String("The next token was specified in an invalid format.")}
		}
		from = n
	}
	to := min(from+limit, len(all))
	if to == len(all) {
		return all[from:to], nil, nil
	}
	return all[from:to], aws.String(strconv.Itoa(to)), nil
}
