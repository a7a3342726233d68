// Package sample is a small web shop's checkout as a Lambda function, in
// releases of which one is bad. It is what the demo deploys.
package sample

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

// Order is a request. On its way through the shop it meets what all releases
// depend on.
type Order struct {
	Number int  `json:"number"`
	Outage bool `json:"outage"` // the payment provider does not answer
}

// Receipt is the answer.
type Receipt struct {
	Release string `json:"release"`
	Order   int    `json:"order"`
}

// ErrPayment is how the bad release fails.
var ErrPayment = errors.New("payment provider refused the currency code")

// ErrOutage is how every release fails while the payment provider is down.
var ErrOutage = errors.New("payment provider does not answer")

// Start runs a release until Lambda stops it. It fails each failing'th order;
// 0 fails none. An order without a number is somebody asking whether the
// release works at all, and does not fail.
func Start(release string, failing int) {
	lambda.Start(func(_ context.Context, o Order) (Receipt, error) {
		if o.Outage {
			return Receipt{}, fmt.Errorf("order %d: %w", o.Number, ErrOutage)
		}
		if failing > 0 && o.Number > 0 && o.Number%failing == 0 {
			return Receipt{}, fmt.Errorf("order %d: %w", o.Number, ErrPayment)
		}
		return Receipt{Release: release, Order: o.Number}, nil
	})
}
