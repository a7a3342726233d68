package scenario

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// watched finds the watch over one of the team's deployments; there may be
// none.
func (s *Story) watched(ctx context.Context, name string) (ledger.Watch, error) {
	d, err := s.named(ctx, name)
	if err != nil {
		return ledger.Watch{}, err
	}
	id, err := s.incidentOf(ctx, d)
	if err != nil {
		return ledger.Watch{}, err
	}
	w, err := s.ledger.Watch(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return w, differs("nobody watches %s", d.ID)
	}
	return w, err
}

// verdict checks what was found of a deployment: verdict last FAIL.
func (s *Story) verdict(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: verdict first|last VERDICT")
	}
	w, err := s.watched(ctx, args[0])
	if err != nil {
		return err
	}
	if string(w.Finding.Verdict) != args[1] {
		return differs("the verdict on %s is %q: %s", w.Deployment, w.Finding.Verdict, w.Finding.Because)
	}
	return nil
}

// watch checks the watch over a deployment, what it counts by, and why not by
// the log: watch last on logs, watch last over minutes 'two subscription'.
func (s *Story) watch(ctx context.Context, args []string) error {
	if len(args) < 2 || len(args) > 4 || !slices.Contains([]string{"on", "over"}, args[1]) {
		return errors.New("want: watch first|last on|over [logs|minutes [PATTERN]]")
	}
	w, err := s.watched(ctx, args[0])
	if err != nil {
		return err
	}
	found := []string{args[0], "on", string(w.Plane)}
	if w.Over() {
		found[1] = "over"
	}
	told := true
	if len(args) == 4 {
		if told, err = regexp.MatchString(args[3], w.Distrust); err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
	}
	if n := min(len(args), len(found)); !told || !slices.Equal(found[:n], args[:n]) {
		return differs("the watch over %s is %s, by %q (%s), after %d looks", w.Deployment, found[1], w.Plane, w.Distrust, w.Ticks)
	}
	return nil
}

// decided checks that the decision to take the last deployment back is on
// record at most so long after the first order failed, and by which rule:
// decided verdict 20s.
func (s *Story) decided(ctx context.Context, args []string) error {
	if len(args) != 2 || s.orders == nil {
		return errors.New("want: decided RULE DURATION, with traffic")
	}
	within, err := time.ParseDuration(args[1])
	if err != nil {
		return fmt.Errorf("want a duration: %w", err)
	}
	d, err := s.named(ctx, "last")
	if err != nil {
		return err
	}
	r, err := s.decision(ctx, d.ID)
	if err != nil {
		return err
	}
	s.aws.World.Lock()
	first := s.orders.Summary().FirstFailure
	s.aws.World.Unlock()
	if took := r.At.Sub(first); r.Rule != args[0] || first.IsZero() || took < 0 || took > within {
		return differs("it was decided by %s %s after the first failed order", r.Rule, took)
	}
	return nil
}

// decision finds the record of the decision to take a deployment back.
func (s *Story) decision(ctx context.Context, id deploy.ID) (ledger.Record, error) {
	records, err := s.ledger.Records(ctx, s.crew.Target())
	if err != nil {
		return ledger.Record{}, fmt.Errorf("read the ledger: %w", err)
	}
	i := slices.IndexFunc(records, func(r ledger.Record) bool {
		return r.Deployment == id && r.Function == "alarmrouter" && r.Verb == "rollback"
	})
	if i < 0 {
		return ledger.Record{}, differs("nothing was decided")
	}
	return records[i], nil
}

// subscribed checks that pullback hears what the shop logs.
func (s *Story) subscribed(ctx context.Context, _ []string) error {
	l, err := s.lambdaTeam()
	if err != nil {
		return err
	}
	out, err := s.clients.logs.DescribeSubscriptionFilters(ctx, &cloudwatchlogs.DescribeSubscriptionFiltersInput{
		LogGroupName: aws.String(l.log()), FilterNamePrefix: aws.String("pullback-"),
	})
	if _, none := errors.AsType[*logstypes.ResourceNotFoundException](err); none {
		return differs("the shop has logged nothing")
	}
	if err != nil {
		return fmt.Errorf("subscriptions of the shop's log: %w", err)
	}
	if len(out.SubscriptionFilters) != 1 {
		return differs("the shop's log has %d subscriptions of pullback's", len(out.SubscriptionFilters))
	}
	return nil
}

func (l *function) log() string { return "/aws/lambda/" + l.Alias().Function }

// audit lets others hear all that the shop logs, as many as there may be.
func (s *Story) audit(ctx context.Context, _ []string) error {
	l, err := s.lambdaTeam()
	if err != nil {
		return err
	}
	code, err := l.Code("v1")
	if err != nil {
		return err
	}
	fn, err := s.clients.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("audit"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::" + s.aws.World.Account + ":role/" + l.Alias().Function), Code: &lambdatypes.FunctionCode{ZipFile: code},
	})
	if err != nil {
		return fmt.Errorf("create audit: %w", err)
	}
	_, err = s.clients.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: fn.FunctionArn, StatementId: aws.String("logs"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("logs.amazonaws.com"),
	})
	if err != nil {
		return fmt.Errorf("let the log into audit: %w", err)
	}
	for _, name := range []string{"audit-1", "audit-2"} {
		_, err := s.clients.logs.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{
			LogGroupName: aws.String(l.log()), FilterName: &name, FilterPattern: aws.String(""), DestinationArn: fn.FunctionArn,
		})
		if err != nil {
			return fmt.Errorf("let audit hear the shop's log: %w", err)
		}
	}
	return nil
}
