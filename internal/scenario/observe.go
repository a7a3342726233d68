package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// mutations checks what the control plane changed, call by call, besides its
// own ledger, also at the hub, queues and notices: mutations 2*hook-answer StopDeployment. A call
// that AWS refused counts, too: mutations refused:UpdateAlias.
func (s *Story) mutations(_ context.Context, args []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var made []string
	for _, c := range s.done() {
		if !slices.Contains([]string{"dynamodb", "sqs", "sns"}, c.Service) && !reads(c.Operation) && !collects(c) {
			made = append(made, callName(c))
		}
	}
	if made = folded(made); !slices.Equal(made, args) {
		return differs("mutating calls: %s", strings.Join(made, " "))
	}
	return nil
}

func callName(c wire.Entry) string {
	name := c.Operation
	switch name {
	case "PutLifecycleEventHookExecutionStatus":
		name = "hook-answer"
	case "PutSubscriptionFilter":
		name = "subscribe"
	case "DeleteSubscriptionFilter":
		name = "unsubscribe"
	}
	if c.Error != nil {
		name = "refused:" + name
	}
	return name
}

// folded writes what is repeated as a number and a name.
func folded(names []string) []string {
	var out []string
	for i := 0; i < len(names); {
		n := 1
		for i+n < len(names) && names[i+n] == names[i] {
			n++
		}
		name := names[i]
		if n > 1 {
			name = fmt.Sprintf("%d*%s", n, name)
		}
		out = append(out, name)
		i += n
	}
	return out
}

// reads reports whether an operation changes nothing. An Invoke of a version
// that has no traffic is the smoke check.
func reads(operation string) bool {
	for _, prefix := range []string{"Get", "BatchGet", "List", "Describe", "Head"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return operation == "Invoke"
}

// silent checks that the control plane wrote nothing at all, not even into its
// ledger, and told nobody.
func (s *Story) silent(_ context.Context, _ []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.done() {
		if !reads(c.Operation) && c.Operation != "Query" {
			return differs("%s called %s %s", c.Principal.ARN, c.Service, c.Operation)
		}
	}
	return nil
}

// fired compares which rules of the plan of faults have done something, in the
// order of the plan: fired RULE …
func (s *Story) fired(_ context.Context, args []string) error {
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	var names []string
	for _, r := range s.aws.Faults.Rules() {
		if r.Fired > 0 {
			names = append(names, r.Name)
		}
	}
	if !slices.Equal(names, args) {
		return differs("fired: %v", names)
	}
	return nil
}

// log returns what a function has written into CloudWatch Logs.
func (s *Story) log(ctx context.Context, function string) ([]string, error) {
	var lines []string
	for _, prefix := range []string{"pullback_", "CodeDeployHook_pullback_"} {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(s.clients.logs, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String("/aws/lambda/" + prefix + function),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if _, none := errors.AsType[*logstypes.ResourceNotFoundException](err); none {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("read the log of %s: %w", function, err)
			}
			for _, e := range out.Events {
				lines = append(lines, *e.Message)
			}
		}
	}
	return lines, nil
}

// logged checks how many lines of a function's log match: logged 5 alarmrouter
// 'message not handled'.
func (s *Story) logged(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want: logged NUMBER FUNCTION PATTERN")
	}
	want, err := number(args[:1])
	if err != nil {
		return err
	}
	pattern, err := regexp.Compile(args[2])
	if err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	lines, err := s.log(ctx, args[1])
	if err != nil {
		return err
	}
	found := 0
	for _, l := range lines {
		if pattern.MatchString(l) {
			found++
		}
	}
	if found != want {
		return differs("%d lines of %s match", found, args[1])
	}
	return nil
}

// explain prints what the ledger says, after checking its chain.
func (s *Story) explain(ctx context.Context, w io.Writer) error {
	records, err := operate.Explain(ctx, s.ledger, s.crew.Target(), "")
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Rule == "intent" || r.Rule == "smallest-effect" {
			continue // its effect follows, or its absence is what matters; and what can be seen is said before every canary
		}
		if err := explainOne(w, r); err != nil {
			return err
		}
	}
	return nil
}

// aftermath is everything on record, with its reasons, for a story that failed:
// what happened once in a thousand plays must be understood from that one.
func (s *Story) aftermath(ctx context.Context) string {
	var b strings.Builder
	b.WriteString("on record:\n")
	records, err := operate.Explain(ctx, s.ledger, s.crew.Target(), "")
	for _, r := range records {
		fmt.Fprintf(&b, "%s %s %s (%s) %s: %s %+v\n", r.At.Format(time.TimeOnly), r.Function, r.Verb, r.Rule, r.Incident, r.Because, r.Calls)
	}
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

func explainOne(w io.Writer, r ledger.Record) error {
	words := []string{r.Function, r.Verb}
	if r.Rule != "" && r.Rule != "effect" {
		words = append(words, "("+r.Rule+")")
	}
	for _, c := range r.Calls {
		words = append(words, c.API)
	}
	if _, err := fmt.Fprintln(w, strings.Join(words, " ")); err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	return nil
}

// because checks what the newest record of a rule says: because vetoed 'suffer
// alike'.
func (s *Story) because(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: because RULE PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	if err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	records, err := operate.Explain(ctx, s.ledger, s.crew.Target(), "")
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(records) {
		if r.Rule != args[0] {
			continue
		}
		if !pattern.MatchString(r.Because) {
			return differs("%s %s: %s", r.Function, r.Verb, r.Because)
		}
		return nil
	}
	return differs("no record of the rule %s", args[0])
}

// notices prints the titles of what people were told.
func (s *Story) notices(w io.Writer) error {
	titles, err := s.titles()
	if err != nil {
		return err
	}
	for _, title := range titles {
		if _, err := fmt.Fprintln(w, title); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
	}
	return nil
}

// told checks how often people were told something: told 2.
func (s *Story) told(_ context.Context, args []string) error {
	want, err := number(args)
	if err != nil {
		return err
	}
	titles, err := s.titles()
	if err != nil {
		return err
	}
	if len(titles) != want {
		return differs("%d notices: %s", len(titles), strconv.Quote(strings.Join(titles, "; ")))
	}
	return nil
}

func (s *Story) titles() ([]string, error) {
	topic, err := s.resource("AWS::SNS::Topic", "Notices")
	if err != nil {
		return nil, err
	}
	s.aws.World.Lock()
	messages := s.aws.SNS.Published(topic)
	s.aws.World.Unlock()
	var titles []string
	for _, m := range messages {
		var n struct {
			Content struct {
				Title string `json:"title"`
			} `json:"content"`
			Alarm string `json:"AlarmDescription"` // of the control plane's own alarms
			State string `json:"NewStateValue"`
		}
		if err := json.Unmarshal([]byte(m.Body), &n); err != nil {
			return nil, fmt.Errorf("read notice: %w", err)
		}
		title := n.Content.Title
		if n.State != "" {
			title = n.State + ": " + n.Alarm
		}
		titles = append(titles, title)
	}
	return titles, nil
}
