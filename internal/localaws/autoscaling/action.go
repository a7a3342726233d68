package autoscaling

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// action is a member that waits at one hook.
type action struct {
	Hook     string
	Token    string
	Deadline time.Time // when the default result counts
	Last     time.Time // no heartbeat moves the deadline behind this
	Result   string    // empty while nobody said
}

func (s *Service) newAction(h astypes.LifecycleHook) action {
	now := s.w.Now()
	return action{
		Hook: *h.LifecycleHookName, Token: s.w.UUID(), Deadline: now.Add(time.Duration(*h.HeartbeatTimeout) * time.Second),
		Last: now.Add(time.Duration(*h.GlobalTimeout) * time.Second),
	}
}

// ask tells the world that a member waits: on EventBridge (user guide, "Amazon
// EC2 Auto Scaling event reference") and, if the hook has one, at its target.
func (s *Service) ask(ctx context.Context, g *group, m *member, a action) {
	at, found := g.hookAt(a.Hook)
	if !found {
		return
	}
	h := g.hooks[at]
	detail := map[string]string{
		"LifecycleActionToken": a.Token, "AutoScalingGroupName": g.name(), "LifecycleHookName": a.Hook, "EC2InstanceId": m.id(),
		"LifecycleTransition": *h.LifecycleTransition, "Origin": "EC2", "Destination": "AutoScalingGroup",
	}
	typ := "EC2 Instance-launch Lifecycle Action"
	if *h.LifecycleTransition == terminating {
		typ = "EC2 Instance-terminate Lifecycle Action"
		detail["Origin"], detail["Destination"] = "AutoScalingGroup", "EC2"
	}
	if h.NotificationMetadata != nil {
		detail["NotificationMetadata"] = *h.NotificationMetadata
	}
	s.publish(ctx, typ, []string{*g.info.AutoScalingGroupARN}, detail)
	if aws.ToString(h.NotificationTargetARN) != "" {
		detail["AccountId"], detail["RequestId"], detail["Service"], detail["Time"] = s.w.Account, s.w.UUID(), "AWS Auto Scaling", s.stamp()
		_ = s.notify(ctx, h, detail) // what cannot be told runs into the timeout, as on AWS
	}
}

// notify sends a message to the target of a hook, with the role of the hook.
func (s *Service) notify(ctx context.Context, h astypes.LifecycleHook, detail map[string]string) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	who := principal()
	who.ARN = aws.ToString(h.RoleARN)
	target := *h.NotificationTargetARN
	body := string(text)
	if strings.HasPrefix(target, "arn:aws:sns:") {
		_, err = wire.Do[sns.PublishOutput](ctx, s.c, who, "sns", "Publish", &sns.PublishInput{
			TopicArn: &target, Message: &body, Subject: aws.String("Auto Scaling:  Lifecycle action for hook: " + *h.LifecycleHookName),
		})
		return err
	}
	queue := target[strings.LastIndexByte(target, ':')+1:]
	url, err := wire.Do[sqs.GetQueueUrlOutput](ctx, s.c, who, "sqs", "GetQueueUrl", &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return err
	}
	_, err = wire.Do[sqs.SendMessageOutput](ctx, s.c, who, "sqs", "SendMessage", &sqs.SendMessageInput{QueueUrl: url.QueueUrl, MessageBody: &body})
	return err
}

// stepWaiting goes on when all hooks have said something or are over time. An
// abandoned launch ends the instance; an abandoned termination only ends the
// waiting for other hooks (user guide, "How lifecycle hooks work").
func (s *Service) stepWaiting(ctx context.Context, g *group, m *member) {
	abandoned, open := s.results(g, m)
	switch {
	case m.terminating() && (abandoned || !open):
		s.enter(g, m, astypes.LifecycleStateTerminatingProceed)
		s.stepEnding(ctx, g, m)
	case m.terminating():
	case abandoned:
		s.finish(m.activity, astypes.ScalingActivityStatusCodeCancelled, "Lifecycle Action Failed")
		s.announce(ctx, g, "EC2 Instance Launch Unsuccessful", m, m.activity)
		s.takeAway(ctx, g, m, "At "+s.stamp()+" an instance was taken out of service in response to a launch failure.")
		s.failed(g, m.refresh, "Lifecycle hook of instance "+m.id()+" was completed with ABANDON.")
	case !open:
		s.enter(g, m, astypes.LifecycleStatePendingProceed)
		s.serve(ctx, g, m)
	}
}

// results says whether an action was abandoned, by its default if it is over
// time, and whether one is still open.
func (s *Service) results(g *group, m *member) (abandoned, open bool) {
	for i := range m.actions {
		a := &m.actions[i]
		if a.Result == "" && !s.w.Now().Before(a.Deadline) {
			a.Result = abandon
			if at, found := g.hookAt(a.Hook); found {
				a.Result = *g.hooks[at].DefaultResult
			}
		}
		abandoned = abandoned || a.Result == abandon
		open = open || a.Result == ""
	}
	return abandoned, open
}

// waiting finds the action that a request is about, by its token or its
// instance.
func (s *Service) waiting(name, hook, instanceID, token *string) (*group, *action, error) {
	g, err := s.find(name)
	if err != nil {
		return nil, nil, err
	}
	if _, found := g.hookAt(aws.ToString(hook)); !found {
		return nil, nil, invalid("No Lifecycle Hook found with name %s for group %s", aws.ToString(hook), g.name())
	}
	for _, m := range g.members {
		at := slices.IndexFunc(m.actions, func(a action) bool {
			return a.Hook == *hook && a.Result == "" && (token != nil && a.Token == *token || token == nil && m.id() == aws.ToString(instanceID))
		})
		if at >= 0 {
			return g, &m.actions[at], nil
		}
	}
	if token != nil {
		return nil, nil, invalid("No active Lifecycle Action found with token %s", *token)
	}
	return nil, nil, invalid("No active Lifecycle Action found with instance ID %s", aws.ToString(instanceID))
}

func (s *Service) completeLifecycleAction(c *wire.Call, in *autoscaling.CompleteLifecycleActionInput) (*autoscaling.CompleteLifecycleActionOutput, error) {
	result := aws.ToString(in.LifecycleActionResult)
	if result != proceed && result != abandon {
		return nil, invalid("Lifecycle action result must be CONTINUE or ABANDON, got %s", result)
	}
	g, a, err := s.waiting(in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken)
	if err != nil {
		return nil, err
	}
	a.Result = result
	s.poke(c.Context, g)
	return &autoscaling.CompleteLifecycleActionOutput{}, nil
}

func (s *Service) recordLifecycleActionHeartbeat(_ *wire.Call, in *autoscaling.RecordLifecycleActionHeartbeatInput) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	g, a, err := s.waiting(in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken)
	if err != nil {
		return nil, err
	}
	at, _ := g.hookAt(a.Hook)
	a.Deadline = s.w.Now().Add(time.Duration(*g.hooks[at].HeartbeatTimeout) * time.Second)
	if a.Deadline.After(a.Last) {
		a.Deadline = a.Last
	}
	return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, nil
}
