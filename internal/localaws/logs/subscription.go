package logs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// maxSubscriptions is how many a log group may have (user guide, "CloudWatch
	// Logs quotas").
	maxSubscriptions = 2
	// latency is how long a log event takes to its destination. AWS says "soon
	// after being ingested, usually less than three minutes".
	latency = time.Second
)

// What becomes of a delivery that fails (user guide, "Real-time processing of
// log data with subscriptions"): it is repeated for a day if that may help, and
// otherwise the filter delivers nothing for ten minutes.
const (
	giveUp   = day
	disabled = 10 * time.Minute
	// firstRetry and lastRetry are not documented.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// subscription is a filter that hands log events to a function.
type subscription struct {
	name, text, destination string
	pattern                 *filter.Pattern `state:"-"`
	created                 int64
	until                   time.Time // when it delivers again, if it could not
}

// The message that a function gets (user guide, "Subscription filters with AWS
// Lambda"), in the order of the documented example.
type (
	envelope struct {
		Logs struct {
			Data string `json:"data"`
		} `json:"awslogs"`
	}
	message struct {
		to  string // the function
		as  wire.Principal
		due time.Time

		made  time.Time
		pause time.Duration // before the next try

		MessageType string         `json:"messageType"`
		Owner       string         `json:"owner"`
		LogGroup    string         `json:"logGroup"`
		LogStream   string         `json:"logStream"`
		Filters     []string       `json:"subscriptionFilters"`
		Events      []messageEvent `json:"logEvents"`
	}
	messageEvent struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	}
)

func (s *Service) putSubscription(c *wire.Call, in *cloudwatchlogs.PutSubscriptionFilterInput) (*cloudwatchlogs.PutSubscriptionFilterOutput, error) {
	if err := wire.Only(in, "DestinationArn", "FilterName", "FilterPattern", "LogGroupName", "Distribution"); err != nil {
		return nil, err
	}
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	pattern, err := filter.Parse(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, invalid("%s", err)
	}
	if err := s.subscribable(g, in); err != nil {
		return nil, err
	}
	name, destination := *in.FilterName, *in.DestinationArn
	if err := s.reach(c, g, destination); err != nil {
		return nil, err
	}
	fresh := &subscription{name: name, text: aws.ToString(in.FilterPattern), destination: destination, pattern: pattern, created: s.now()}
	i := slices.IndexFunc(g.subscriptions, func(o *subscription) bool { return o.name == name })
	switch {
	case i >= 0:
		g.subscriptions[i] = fresh
	case len(g.subscriptions) == maxSubscriptions:
		return nil, &logstypes.LimitExceededException{Message: aws.String("Resource limit exceeded.")}
	default:
		g.subscriptions = append(g.subscriptions, fresh)
	}
	return &cloudwatchlogs.PutSubscriptionFilterOutput{}, nil
}

// subscribable checks what is wrong with a filter besides its pattern.
func (s *Service) subscribable(g *group, in *cloudwatchlogs.PutSubscriptionFilterInput) error {
	name, destination := aws.ToString(in.FilterName), aws.ToString(in.DestinationArn)
	switch {
	case name == "" || strings.ContainsAny(name, ":*"):
		return invalid("1 validation error detected: Value '%s' at 'filterName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [^:*]*", name)
	case !strings.HasPrefix(destination, "arn:aws:lambda:"+s.w.Region+":"+s.w.Account+":function:"):
		return invalid("Destination %s is not supported by the local AWS: functions of this account and region are.", destination)
	case in.Distribution == logstypes.DistributionRandom:
		return invalid("Distribution Random is for Kinesis streams, which the local AWS does not have.")
	case g.class != logstypes.LogGroupClassStandard: // user guide, "Log classes"
		return invalid("Subscription filters are not supported for log groups of class %s.", g.class)
	}
	return nil
}

// reach checks that CloudWatch Logs may invoke a function, which AWS tries out
// (user guide, "Troubleshooting", "destination").
func (s *Service) reach(c *wire.Call, g *group, function string) error {
	_, err := wire.Do[lambda.InvokeOutput](c.Context, s.caller, s.sender(g), "lambda", "Invoke", &lambda.InvokeInput{
		FunctionName: &function, InvocationType: lambdatypes.InvocationTypeDryRun,
	})
	if err != nil {
		return invalid("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.")
	}
	return nil
}

// sender is CloudWatch Logs as it delivers for a group.
func (s *Service) sender(g *group) wire.Principal {
	return wire.Principal{Service: principal, SourceARN: s.arn(g) + ":*"}
}

func (s *Service) describeSubscriptions(
	_ *wire.Call, in *cloudwatchlogs.DescribeSubscriptionFiltersInput,
) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	var all []*subscription
	for _, f := range g.subscriptions {
		if strings.HasPrefix(f.name, aws.ToString(in.FilterNamePrefix)) {
			all = append(all, f)
		}
	}
	key := func(f *subscription) string { return f.name }
	slices.SortFunc(all, func(a, b *subscription) int { return strings.Compare(a.name, b.name) })
	all, next, err := page(all, key, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeSubscriptionFiltersOutput{NextToken: next, SubscriptionFilters: []logstypes.SubscriptionFilter{}}
	for _, f := range all {
		out.SubscriptionFilters = append(out.SubscriptionFilters, logstypes.SubscriptionFilter{
			CreationTime: aws.Int64(f.created), DestinationArn: aws.String(f.destination), Distribution: logstypes.DistributionByLogStream,
			FilterName: aws.String(f.name), FilterPattern: aws.String(f.text), LogGroupName: aws.String(g.name),
		})
	}
	return out, nil
}

func (s *Service) deleteSubscription(
	_ *wire.Call, in *cloudwatchlogs.DeleteSubscriptionFilterInput,
) (*cloudwatchlogs.DeleteSubscriptionFilterOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(g.subscriptions, func(f *subscription) bool { return f.name == aws.ToString(in.FilterName) })
	if i < 0 {
		return nil, noFilter()
	}
	g.subscriptions = slices.Delete(g.subscriptions, i, i+1)
	return &cloudwatchlogs.DeleteSubscriptionFilterOutput{}, nil
}

// pack compresses a message and encodes it for JSON.
func pack(m *message) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	enc := json.NewEncoder(z)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("pack log events: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack log events: %w", err)
	}
	var e envelope
	e.Logs.Data = base64.StdEncoding.EncodeToString(b.Bytes())
	return json.Marshal(e)
}
