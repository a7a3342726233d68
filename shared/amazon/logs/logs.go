// Package logs lets a function hear what a watched function logs, for as long as
// it is watched: subscription filters of CloudWatch Logs. It also finds what was
// logged before.
//
// It touches nothing but filters that carry pullback's name: it neither makes
// log groups nor changes what is logged, and where a group has no room for
// another filter it takes nobody else's away.
package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// api is the part of *cloudwatchlogs.Client that this package uses.
type api interface {
	PutSubscriptionFilter(context.Context, *cloudwatchlogs.PutSubscriptionFilterInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutSubscriptionFilterOutput, error)
	DeleteSubscriptionFilter(context.Context, *cloudwatchlogs.DeleteSubscriptionFilterInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteSubscriptionFilterOutput, error)
	DescribeSubscriptionFilters(context.Context, *cloudwatchlogs.DescribeSubscriptionFiltersInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error)
}

// Client attaches and detaches filters.
type Client struct {
	api      api
	function string
}

// New returns a client whose filters deliver to a function, by its ARN.
func New(client api, function string) *Client { return &Client{api: client, function: function} }

// Attach lets the function hear the requests of an alias, whose versions log to
// these sources. It may be repeated. If it fails, nothing stays attached:
// outcome.ErrUnavailable if there is nothing to hear, or no room.
func (c *Client) Attach(ctx context.Context, a deploy.Alias, sources ...outcome.Source) error {
	var groups []string
	formats := make(map[string][]outcome.Format)
	for _, s := range sources {
		if err := c.usable(s); err != nil {
			return fmt.Errorf("attach to the log of %s: %w", a, err)
		}
		if formats[s.Group] == nil {
			groups = append(groups, s.Group)
		}
		formats[s.Group] = append(formats[s.Group], s.Format)
	}
	for i, group := range groups {
		_, err := c.api.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{
			LogGroupName: &group, FilterName: aws.String(outcome.FilterName(a)),
			FilterPattern: aws.String(outcome.Pattern(formats[group]...)), DestinationArn: &c.function,
		})
		if err != nil {
			// Counts of one version alone would be worse than none.
			return errors.Join(fmt.Errorf("attach to the log of %s: %w", a, classify(group, err)), c.Detach(ctx, a, groups[:i]...))
		}
	}
	return nil
}

// usable refuses the function's own log too: hearing a batch makes it log, which
// would be the next batch, without an end (user guide, "Log group-level
// subscription filters", warning).
func (c *Client) usable(s outcome.Source) error {
	// arn:aws:lambda:REGION:ACCOUNT:function:NAME
	if arn := strings.Split(c.function, ":"); len(arn) > 6 && s.Group == "/aws/lambda/"+arn[6] {
		return fmt.Errorf("%w: %s is the log of %s, which hears it", outcome.ErrUnavailable, s.Group, arn[6])
	}
	return s.Usable()
}

// Detach ends what Attach began, in these log groups. It may be repeated, and a
// group that has gone needs nothing.
func (c *Client) Detach(ctx context.Context, a deploy.Alias, groups ...string) error {
	var errs []error
	for _, group := range groups {
		_, err := c.api.DeleteSubscriptionFilter(ctx, &cloudwatchlogs.DeleteSubscriptionFilterInput{
			LogGroupName: &group, FilterName: aws.String(outcome.FilterName(a)),
		})
		if _, gone := errors.AsType[*logstypes.ResourceNotFoundException](err); err != nil && !gone {
			errs = append(errs, fmt.Errorf("detach from the log %s of %s: %w", group, a, err))
		}
	}
	return errors.Join(errs...)
}

// Attached returns the aliases whose requests are heard in a log group, also
// those that a crash has left. A group that does not exist has none.
func (c *Client) Attached(ctx context.Context, group string) ([]deploy.Alias, error) {
	// A group has two filters (user guide, "CloudWatch Logs quotas"): one page.
	out, err := c.api.DescribeSubscriptionFilters(ctx, &cloudwatchlogs.DescribeSubscriptionFiltersInput{
		LogGroupName: &group, FilterNamePrefix: aws.String(outcome.FilterPrefix),
	})
	if _, gone := errors.AsType[*logstypes.ResourceNotFoundException](err); gone {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("filters of the log %s: %w", group, err)
	}
	var found []deploy.Alias
	for _, f := range out.SubscriptionFilters {
		if a, ours := outcome.AliasOf(aws.ToString(f.FilterName)); ours && aws.ToString(f.DestinationArn) == c.function {
			found = append(found, a)
		}
	}
	return found, nil
}

// classify tells a log that will not be heard, however often one asks, from a
// call that failed.
func classify(group string, err error) error {
	if _, ok := errors.AsType[*logstypes.LimitExceededException](err); ok {
		return fmt.Errorf("%w: the log group %s has its two subscription filters already", outcome.ErrUnavailable, group)
	}
	if _, ok := errors.AsType[*logstypes.ResourceNotFoundException](err); ok {
		return fmt.Errorf("%w: there is no log group %s: the function has logged nothing yet, or its role may not", outcome.ErrUnavailable, group)
	}
	// The function may not be invoked from this group, or the group's class is
	// Infrequent Access, which has no subscriptions (user guide, "Log classes").
	if refused, ok := errors.AsType[*logstypes.InvalidParameterException](err); ok {
		return fmt.Errorf("%w: %s: %s", outcome.ErrUnavailable, group, refused.ErrorMessage())
	}
	return err
}
