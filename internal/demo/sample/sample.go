// Package sample is a small web shop's checkout as a Lambda function, in
// releases of which one is bad. It is what the demo deploys.
package sample

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

// Order is a request.
type Order struct {
	Number int `json:"number"`
}

// Receipt is the answer.
type Receipt struct {
	Release string `json:"release"`
	Order   int    `json:"order"`
}

// ErrPayment is how the bad release fails.
var ErrPayment = errors.New("payment provider refused the currency code")

// Start runs a release until Lambda stops it. It fails each failing'th order;
// 0 fails none. An order without a number is somebody asking whether the
// release works at all, and does not fail.
func Start(release string, failing int) {
	lambda.Start(func(_ context.Context, o Order) (Receipt, error) {
		if failing > 0 && o.Number > 0 && o.Number%failing == 0 {
			return Receipt{}, fmt.Errorf("order %d: %w", o.Number, ErrPayment)
		}
		return Receipt{Release: release, Order: o.Number}, nil
	})
}
