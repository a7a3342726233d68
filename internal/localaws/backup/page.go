package backup

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// most is the largest page (API reference, MaxResults).
const most = 1000

// page cuts a page out of a list. A token is the number of the next item.
func page[T any](all []T, token *string, size *int32) ([]T, *string, error) {
	from, limit := 0, most
	if size != nil {
		limit = int(*size)
	}
	if limit < 1 || limit > most {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", most)
	}
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, invalid("The next token is not valid.")
		}
		from = n
	}
	to := min(from+limit, len(all))
	if to == len(all) {
		return all[from:to], nil, nil
	}
	return all[from:to], aws.String(strconv.Itoa(to)), nil
}
