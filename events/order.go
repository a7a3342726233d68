package events

import (
	"encoding/json"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Order is what the router hands to the rollbacker: look at an incident, for
// the Look'th time. It carries nothing else, so that nobody can act on what
// was true when it was sent.
type Order struct {
	Incident deploy.Incident `json:"incident"`
	Look     int             `json:"look"`
}

// MaxLooks guards the chain of looks at one incident: at one look every few
// seconds it is far beyond any verify window.
const MaxLooks = 1000

// NewOrder returns the text of an order.
func NewOrder(o Order) (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("order for %s: %w", o.Incident, err)
	}
	return string(text), nil
}

// ParseOrder reads an order. The error is always a [MalformedError].
func ParseOrder(payload []byte) (Order, error) {
	var o Order
	if err := json.Unmarshal(payload, &o); err != nil {
		return Order{}, MalformedError{Why: err.Error()}
	}
	if o.Incident == "" || o.Look < 1 || o.Look > MaxLooks {
		return Order{}, MalformedError{Why: fmt.Sprintf("an order lacks its incident, or its look is not from 1 to %d", MaxLooks)}
	}
	return o, nil
}
