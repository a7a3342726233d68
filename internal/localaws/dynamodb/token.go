package dynamodb

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// tokenLife is how long a client request token protects from repetition (API
// reference, TransactWriteItems, ClientRequestToken: 10 minutes).
const tokenLife = 10 * time.Minute

// maxToken is the longest token (same page).
const maxToken = 36

// token stands for a transaction that happened.
type token struct {
	text  string
	print [sha256.Size]byte
	until time.Time
}

// recall says whether a transaction is the repetition of one that happened. The
// same token with other items is an error. A transaction that was cancelled
// may be tried again with the same token.
func (s *Service) recall(in *dynamodb.TransactWriteItemsInput) (bool, error) {
	text := aws.ToString(in.ClientRequestToken)
	if in.ClientRequestToken != nil && (len(text) < 1 || len(text) > maxToken) {
		return false, attr.Invalid("1 validation error detected: Value '%s' at 'clientRequestToken' "+
			"failed to satisfy constraint: Member must have length between 1 and %d", text, maxToken)
	}
	s.tokens = slices.DeleteFunc(s.tokens, func(t token) bool { return !t.until.After(s.now()) })
	for _, t := range s.tokens {
		if text == "" || t.text != text {
			continue
		}
		if t.print != fingerprint(in.TransactItems) {
			return false, &ddbtypes.IdempotentParameterMismatchException{
				Message: aws.String("The request uses the same client token as a previous, but non-identical request. " +
					"Do not reuse a client token with different requests, unless the requests are identical"),
			}
		}
		return true, nil
	}
	return false, nil
}

func (s *Service) remember(in *dynamodb.TransactWriteItemsInput) {
	if in.ClientRequestToken != nil {
		s.tokens = append(s.tokens, token{
			text:  *in.ClientRequestToken,
			print: fingerprint(in.TransactItems),
			until: s.now().Add(tokenLife),
		})
	}
}

// fingerprint is the same for transactions that ask for the same.
func fingerprint(items []ddbtypes.TransactWriteItem) [sha256.Size]byte {
	var b strings.Builder
	for _, item := range items {
		r, err := transactRequest(item)
		if err != nil {
			continue
		}
		fmt.Fprintf(&b, "%q %t %t %q %q %q\n", aws.ToString(r.table), r.remove, r.checkOnly,
			aws.ToString(r.condition), aws.ToString(r.update), r.onFailure)
		for _, name := range slices.Sorted(maps.Keys(r.names)) {
			fmt.Fprintf(&b, "%q=%q\n", name, r.names[name])
		}
		for _, values := range []attr.Item{r.item, r.key, r.values} {
			fmt.Fprintln(&b, attr.CanonicalItem(values))
		}
	}
	return sha256.Sum256([]byte(b.String()))
}
