package codedeploy

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// pageSize is how many names or IDs one answer of a List operation holds. The
// API reference names no size and no parameter for it.
const pageSize = 100

// batchLimit is the most names or IDs of a BatchGet operation (API reference,
// BatchLimitExceededException).
const batchLimit = 100

// page cuts the part of all that follows the token. The token carries the last
// ID of the page before, so that what is added meanwhile does not shift pages.
func page(all []string, token *string) (part []string, next *string, err error) {
	from := 0
	if aws.ToString(token) != "" {
		raw, decodeErr := base64.URLEncoding.DecodeString(*token)
		last, ok := strings.CutPrefix(string(raw), "after:")
		i := slices.Index(all, last)
		if decodeErr != nil || !ok || i < 0 {
			return nil, nil, &cdtypes.InvalidNextTokenException{Message: aws.String("The next token was specified in an invalid format.")}
		}
		from = i + 1
	}
	part = append([]string{}, all[from:min(from+pageSize, len(all))]...) // an empty list is there
	if from+pageSize < len(all) {
		next = aws.String(base64.URLEncoding.EncodeToString([]byte("after:" + part[len(part)-1])))
	}
	return part, next, nil
}

// tooMany refuses a BatchGet operation with more names or IDs than allowed.
func tooMany(n, limit int) error {
	if n <= limit {
		return nil
	}
	return &cdtypes.BatchLimitExceededException{
		Message: aws.String("The maximum number of names or IDs allowed for this request (" + itoa(limit) + ") was exceeded."),
	}
}
