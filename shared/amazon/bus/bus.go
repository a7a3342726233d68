// Package bus tells the control planes of other accounts and regions, by their
// event buses, of code that was taken back, and the hub what is on record.
//
// It waits for no answer: what another control plane does with it is its own
// business.
package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/events"
)

// source is what the events of control planes are from.
const source = "pullback"

// api is the part of *eventbridge.Client that this package uses.
type api interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Client sends events.
type Client struct {
	api api
	now func() time.Time
}

// New returns a client that calls EventBridge through client. now tells the time of
// the events.
func New(client api, now func() time.Time) *Client { return &Client{api: client, now: now} }

// Tell sends a trouble to every bus, which it names by ARN. A bus that does not take
// it keeps it not from the others.
//
// A bus of another region is called there: PutEvents reaches those of other accounts,
// and of its own region only (EventBridge user guide, "Sending events between Regions").
func (c *Client) Tell(ctx context.Context, buses []string, t events.Trouble) error {
	_, detail, err := events.NewTrouble(t, c.now())
	if err != nil {
		return err
	}
	var errs []error
	for _, arn := range buses {
		errs = append(errs, c.send(ctx, arn, detail))
	}
	return errors.Join(errs...)
}

func (c *Client) send(ctx context.Context, arn, detail string) error {
	failed, err := c.put(ctx, arn, []ebtypes.PutEventsRequestEntry{c.entry(arn, events.TypeTrouble, detail)})
	if err != nil {
		return err
	}
	return failed[0]
}

func (c *Client) entry(arn, kind, detail string) ebtypes.PutEventsRequestEntry {
	return ebtypes.PutEventsRequestEntry{EventBusName: &arn, Source: aws.String(source), DetailType: &kind, Detail: &detail, Time: aws.Time(c.now())}
}

// put sends entries to a bus, and returns why each of them was not taken.
func (c *Client) put(ctx context.Context, arn string, entries []ebtypes.PutEventsRequestEntry) ([]error, error) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[2] != "events" {
		return nil, fmt.Errorf("tell %q: it is not the ARN of an event bus", arn)
	}
	out, err := c.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries}, func(o *eventbridge.Options) { o.Region = parts[3] })
	if err != nil {
		return nil, fmt.Errorf("tell %s: %w", arn, err)
	}
	if len(out.Entries) != len(entries) {
		return nil, fmt.Errorf("tell %s: %d answers to %d events", arn, len(out.Entries), len(entries))
	}
	failed := make([]error, len(entries))
	for i, e := range out.Entries { // in the order of the request (API reference, PutEvents)
		if e.EventId == nil || e.ErrorCode != nil {
			failed[i] = fmt.Errorf("tell %s: %s: %s", arn, aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
		}
	}
	return failed, nil
}
