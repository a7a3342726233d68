// Package bus tells the control planes of other accounts and regions, by their
// event buses, of code that was taken back.
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
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[2] != "events" {
		return fmt.Errorf("tell %q: it is not the ARN of an event bus", arn)
	}
	out, err := c.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: &arn, Source: aws.String("pullback"), DetailType: aws.String(events.TypeTrouble), Detail: &detail, Time: aws.Time(c.now()),
	}}}, func(o *eventbridge.Options) { o.Region = parts[3] })
	if err != nil {
		return fmt.Errorf("tell %s: %w", arn, err)
	}
	if out.FailedEntryCount > 0 && len(out.Entries) == 1 {
		e := out.Entries[0]
		return fmt.Errorf("tell %s: %s: %s", arn, aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
	}
	return nil
}
