// Package queue sends messages to SQS. It does not receive: Lambda does, and
// hands messages to the functions.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// api is the part of *sqs.Client that this package uses.
type api interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Client sends messages.
type Client struct{ api api }

// New returns a client that calls SQS through client.
func New(client api) *Client { return &Client{api: client} }

const (
	// maxDelay is SQS's longest (API reference, "SendMessage", DelaySeconds).
	maxDelay = 15 * time.Minute
	// maxToken is the length of a group and of a deduplication id (API
	// reference, "SendMessage").
	maxToken = 128
)

// Send puts a message on a standard queue, hidden for a delay. A delay is
// rounded up to seconds, and one beyond SQS's 15 minutes becomes 15 minutes:
// who waits for longer looks at the time when the message comes and sends the
// next.
func (c *Client) Send(ctx context.Context, url, body string, delay time.Duration) error {
	delay = min(max(delay, 0), maxDelay)
	seconds := int32((delay + time.Second - 1) / time.Second)
	_, err := c.api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, DelaySeconds: seconds})
	if err != nil {
		return fmt.Errorf("send to %s: %w", url, err)
	}
	return nil
}

// SendFIFO puts a message on a FIFO queue. Messages of one group are handled
// one after the other; of two with one dedup within five minutes, SQS delivers
// one.
func (c *Client) SendFIFO(ctx context.Context, url, body, group, dedup string) error {
	group, dedup = token(group), token(dedup)
	_, err := c.api.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &dedup,
	})
	if err != nil {
		return fmt.Errorf("send to %s: %w", url, err)
	}
	return nil
}

// token returns s as an id that SQS takes: up to 128 letters, digits and signs
// of ASCII. What is longer or has others, as the name of a target may, is
// hashed.
func token(s string) string {
	sign := func(r rune) bool { return r > ' ' && r < 0x7f }
	if len(s) <= maxToken && !strings.ContainsFunc(s, func(r rune) bool { return !sign(r) }) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
