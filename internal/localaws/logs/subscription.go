package logs

import (
	"bytes"
	"compress/gzip"
	"context"
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
	// latency is how long a log event takes to its destination. AWS says "near
	// real-time".
	latency = time.Second
)

// subscription is a filter that hands log events to a function.
type subscription struct {
	name, text, destination string
	pattern                 *filter.Pattern `state:"-"`
	created                 int64
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

func (s *Service) putSubscription(_ *wire.Call, in *cloudwatchlogs.PutSubscriptionFilterInput) (*cloudwatchlogs.PutSubscriptionFilterOutput, error) {
	if err := wire.Only(in, "DestinationArn", "FilterName", "FilterPattern", "LogGroupName", "Distribution"); err != nil {
		return nil, err
	}
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	name, destination := aws.ToString(in.FilterName), aws.ToString(in.DestinationArn)
	pattern, err := filter.Parse(aws.ToString(in.FilterPattern))
	switch {
	case err != nil:
		return nil, invalid("%s", err)
	case name == "" || strings.ContainsAny(name, ":*"):
		return nil, invalid("1 validation error detected: Value '%s' at 'filterName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [^:*]*", name)
	case !strings.HasPrefix(destination, "arn:aws:lambda:"+s.w.Region+":"+s.w.Account+":function:"):
		return nil, invalid("Destination %s is not supported by the local AWS: functions of this account and region are.", destination)
	case in.Distribution == logstypes.DistributionRandom:
		return nil, invalid("Distribution Random is for Kinesis streams, which the local AWS does not have.")
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

// subscribe hands log events to the functions that want them. One batch is one
// message. A delivery is not tried again: in the local AWS what fails once fails
// for good.
func (s *Service) subscribe(c *wire.Call, g *group, st *stream, events []event) {
	ctx := context.WithoutCancel(c.Context)
	as := wire.Principal{Service: principal, SourceARN: s.arn(g) + ":*"}
	for _, f := range g.subscriptions {
		m := &message{
			to: f.destination, as: as, due: s.w.Now().Add(latency),
			MessageType: "DATA_MESSAGE", Owner: s.w.Account, LogGroup: g.name, LogStream: st.name, Filters: []string{f.name},
		}
		for _, e := range events {
			if f.pattern.Match(e.message) {
				m.Events = append(m.Events, messageEvent{ID: e.id(), Timestamp: e.time, Message: e.message})
			}
		}
		if len(m.Events) == 0 {
			continue
		}
		s.messages = append(s.messages, m)
		s.w.At(m.due, func() { s.deliver(ctx, m) })
	}
}

func (s *Service) deliver(ctx context.Context, m *message) {
	s.messages = slices.DeleteFunc(s.messages, func(o *message) bool { return o == m })
	payload, err := pack(m)
	if err == nil {
		_, err = wire.Do[lambda.InvokeOutput](ctx, s.caller, m.as, "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(m.to), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		s.lost = append(s.lost, fmt.Errorf("log events of %s to %s: %w", m.LogGroup, m.to, err))
	}
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
