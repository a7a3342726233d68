package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/localaws/host"
)

// powerless is a role of the account that nothing allows anything.
const powerless = "nobody"

// forgeWord lets somebody call the control plane himself: forge ACCOUNT|nobody
// send QUEUE FILE|publish FILE|invoke FUNCTION FILE. ACCOUNT is another account's root.
// Why it is refused is for stderr.
func forgeWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) < 3 {
		return errors.New("want: forge ACCOUNT|nobody send QUEUE FILE|publish FILE|invoke FUNCTION FILE")
	}
	s := story(ts)
	c, err := s.forger(ctx, args[0])
	if err != nil {
		return err
	}
	err = s.forge(ctx, c, args[1], args[2:len(args)-1], text(ts, args[len(args)-1]))
	if err != nil {
		_, _ = fmt.Fprintln(ts.Stderr(), err) // into memory, which cannot fail
	}
	return err
}

// forger is whoever calls: another account's root, or a role of this account that
// nothing allows anything.
func (s *Story) forger(ctx context.Context, who string) (aws.Config, error) {
	c := s.config.Copy()
	if who != powerless {
		if _, err := s.cloud.Open(ctx, host.Home{Account: who, Region: c.Region}); err != nil {
			return c, fmt.Errorf("open account %s: %w", who, err)
		}
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: who, SecretAccessKey: "-"}, nil
		})
		return c, nil
	}
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole"}]}`, s.aws.World.Account)
	_, err := iam.NewFromConfig(c).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(powerless), AssumeRolePolicyDocument: &trust})
	if err != nil && !strings.Contains(err.Error(), "EntityAlreadyExists") {
		return c, fmt.Errorf("make a role that nothing is allowed to: %w", err)
	}
	out, err := sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + s.aws.World.Account + ":role/" + powerless), RoleSessionName: aws.String("forger"),
	})
	if err != nil {
		return c, fmt.Errorf("take a role that nothing is allowed to: %w", err)
	}
	keys := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
	return c, nil
}

func (s *Story) forge(ctx context.Context, c aws.Config, what string, on []string, body string) error {
	var err error
	switch {
	case what == "send" && len(on) == 1:
		url, missing := s.queue(on[0], false)
		if missing != nil {
			return missing
		}
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
		if on[0] == "rollbacks" {
			in.MessageGroupId, in.MessageDeduplicationId = aws.String("forged"), aws.String("forged")
		}
		_, err = sqs.NewFromConfig(c).SendMessage(ctx, in)
	case what == "publish" && len(on) == 0:
		topic, missing := s.resource("AWS::SNS::Topic", "Notices")
		if missing != nil {
			return missing
		}
		_, err = sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: &body})
	case what == "invoke" && len(on) == 1:
		arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.aws.World.Region, s.aws.World.Account, functions()[on[0]])
		_, err = lambda.NewFromConfig(c).Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(body)})
	default:
		return fmt.Errorf("nobody can %s %v", what, on)
	}
	if err != nil {
		return fmt.Errorf("%s %v: %w", what, on, err)
	}
	return nil
}

// archive keeps every event of the account's bus from now on.
func (s *Story) archive(ctx context.Context, _ []string) error {
	_, err := s.clients.events.CreateArchive(ctx, &eventbridge.CreateArchiveInput{ArchiveName: aws.String("all"), EventSourceArn: aws.String(s.busARN())})
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

func (s *Story) busARN() string {
	return fmt.Sprintf("arn:aws:events:%s:%s:event-bus/default", s.aws.World.Region, s.aws.World.Account)
}

// replay sends everything that was archived once more, and waits until it is sent.
func (s *Story) replay(ctx context.Context, _ []string) error {
	_, err := s.clients.events.StartReplay(ctx, &eventbridge.StartReplayInput{
		ReplayName: aws.String("again"), EventSourceArn: aws.String(strings.Replace(s.busARN(), "event-bus/default", "archive/all", 1)),
		Destination:    &ebtypes.ReplayDestination{Arn: aws.String(s.busARN())},
		EventStartTime: aws.Time(s.now().Add(-24 * time.Hour)), EventEndTime: aws.Time(s.now()),
	})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return s.wait(ctx, 24*time.Hour, 10*time.Second, func() error {
		out, err := s.clients.events.DescribeReplay(ctx, &eventbridge.DescribeReplayInput{ReplayName: aws.String("again")})
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if !slices.Contains([]ebtypes.ReplayState{ebtypes.ReplayStateCompleted, ebtypes.ReplayStateFailed}, out.State) {
			return differs("the replay is %s", out.State)
		}
		if out.State != ebtypes.ReplayStateCompleted {
			return fmt.Errorf("replay: it is %s: %s", out.State, aws.ToString(out.StateReason))
		}
		return nil
	})
}
