package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Clock tells the time as AWS does: it knows the newest Date of any answer.
// It is the functions' only clock, so that all of them, and the services they
// ask, agree on what time it is. It has the resolution of that header, seconds.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the newest time that AWS has stated, in UTC. It is zero before
// the first answer.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set moves the clock forward; answers may arrive out of order.
func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t.UTC()
	}
}

// watch makes a client set the clock with every answer, good or bad. It stands
// outside the SDK's own middleware that reads the header, once per attempt.
func (c *Clock) watch(stack *middleware.Stack) error {
	set := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if t, ok := awsmiddleware.GetServerTime(metadata); ok {
			c.set(t)
		}
		return out, metadata, err //nolint:wrapcheck // the SDK's own, on its way through
	}
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("PullbackClock", set), middleware.Before); err != nil {
		return fmt.Errorf("watch the clock: %w", err)
	}
	return nil
}

// APIOptions make the clients of another configuration set the clock.
func (c *Clock) APIOptions() []func(*middleware.Stack) error {
	return []func(*middleware.Stack) error{c.watch}
}
