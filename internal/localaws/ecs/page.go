package ecs

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// pageSize is how many names one answer of a List operation holds at most, and
// how many it holds if maxResults is not given. ListServices gives 10 then
// (API reference).
const pageSize = 100

// page cuts the part of all that follows the token. The token carries the last
// item of the page before, so that what is added meanwhile does not shift
// pages.
func page(all []string, usual int32, token *string, wanted *int32) (part []string, next *string, err error) {
	size := usual
	if wanted != nil {
		if *wanted < 1 || *wanted > pageSize {
			return nil, nil, invalid("maxResults must be between 1 and %d.", pageSize)
		}
		size = *wanted
	}
	from := 0
	if aws.ToString(token) != "" {
		raw, bad := base64.URLEncoding.DecodeString(*token)
		before, ok := strings.CutPrefix(string(raw), "after:")
		i := slices.Index(all, before)
		if bad != nil || !ok || i < 0 {
			return nil, nil, invalid("Invalid token %q", *token)
		}
		from = i + 1
	}
	end := min(from+int(size), len(all))
	part = append([]string{}, all[from:end]...)
	if end < len(all) {
		next = aws.String(base64.URLEncoding.EncodeToString([]byte("after:" + all[end-1])))
	}
	return part, next, nil
}
