package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
)

// ownBus is where other control planes write to. Its policy lets in those accounts that
// the properties name, and nothing but what control planes tell each other; which
// account an event is from, EventBridge says and not its sender. The account itself
// needs no policy: what its roles may do their own policies say. Source: EventBridge user
// guide, "Permissions for event buses in Amazon EventBridge".
func (at parts) ownBus() awsevents.CfnEventBus {
	bus := awsevents.NewCfnEventBus(at.scope, jsii.String("Bus"), &awsevents.CfnEventBusProps{
		Name: &at.Name, Description: jsii.String("What control planes of other accounts and regions tell this one."),
	})
	for _, account := range slices.Compact(slices.Sorted(slices.Values(at.Fleet.Accounts))) {
		awsevents.NewCfnEventBusPolicy(at.scope, jsii.String("BusPolicy"+account), &awsevents.CfnEventBusPolicyProps{
			StatementId:  jsii.String("account-" + account),
			EventBusName: bus.AttrName(),
			Statement: map[string]any{
				"Sid": "account-" + account, "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus.AttrArn(),
				"Principal": map[string]any{"AWS": fmt.Sprintf("arn:%s:iam::%s:root", *at.stack.Partition(), account)},
				"Condition": map[string]any{
					"StringEquals":              map[string]any{"events:source": "pullback"},
					"ForAllValues:StringEquals": map[string]any{"events:detail-type": at.told()},
				},
			},
		})
	}
	return bus
}

// told is what this control plane lets others tell it.
func (at parts) told() []string {
	var all []string
	for _, r := range at.rules() {
		if r.Bus == events.Own {
			types, _ := r.Pattern["detail-type"].([]any)
			for _, t := range types {
				all = append(all, fmt.Sprint(t))
			}
		}
	}
	slices.Sort(all)
	return all
}

// rules are those that this control plane has: a hub's are for hubs only.
func (at parts) rules() []events.Rule {
	return slices.DeleteFunc(events.Rules(), func(r events.Rule) bool { return r.Hub && !at.Fleet.Collects })
}

// hub is the bus to which records go, "" if they go nowhere. The hub's own go there by
// its own bus, so that all of them are collected in one way (ADR 11).
func (at parts) hub() string {
	if at.Fleet.Collects {
		return *at.bus.AttrArn()
	}
	return at.Fleet.Hub
}

// named is the name of a rule on AWS.
func (at parts) named(rule string) *string {
	return jsii.String(at.Name + strings.TrimPrefix(rule, "pullback"))
}

// buses are those that this control plane writes to: the hub's, and those that the
// configuration names. What a function tells itself goes through a queue.
func (at parts) buses() *[]*string {
	var all []string
	if hub := at.hub(); hub != "" {
		all = append(all, hub)
	}
	if c, err := config.Parse([]byte(at.Config)); at.Config != "" && err == nil {
		all = append(all, c.At(config.Home{Account: *at.stack.Account(), Region: *at.stack.Region()}).Elsewhere()...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return jsii.Strings(slices.Compact(all)...)
}

// patience is how long EventBridge tries to deliver. Its own default is a day, and
// most events are worth that: they only say where to look. The sweep comes again in
// a minute, which is the shortest age that EventBridge takes (API reference,
// RetryPolicy).
func patience(r events.Rule) *awsevents.CfnRule_RetryPolicyProperty {
	if r.Schedule != "" {
		return &awsevents.CfnRule_RetryPolicyProperty{MaximumEventAgeInSeconds: jsii.Number(60), MaximumRetryAttempts: jsii.Number(1)}
	}
	return &awsevents.CfnRule_RetryPolicyProperty{MaximumEventAgeInSeconds: jsii.Number(86400), MaximumRetryAttempts: jsii.Number(185)}
}

// route sends the events that match a rule to the signals queue, and those that are
// records of others to theirs. It uses the plain CloudFormation rule because that takes
// the pattern as it is; the construct above it wants the pattern in Go structs, which
// would be a second copy of events.Rules.
func route(at parts) {
	for _, r := range at.rules() {
		id, to := "signals", at.queues.signals
		if r.Hub {
			id, to = "records", at.queues.records
		}
		props := &awsevents.CfnRuleProps{
			Name: at.named(r.Name), Description: &r.About, State: jsii.String("ENABLED"),
			Targets: &[]*awsevents.CfnRule_TargetProperty{{
				Id: &id, Arn: to.QueueArn(), RetryPolicy: patience(r),
				DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: at.queues.undelivered.QueueArn()},
			}},
		}
		if r.Bus == events.Own {
			props.EventBusName = at.bus.AttrName()
		}
		if r.Pattern != nil {
			props.EventPattern = r.Pattern
		} else {
			props.ScheduleExpression = &r.Schedule
		}
		rule := awsevents.NewCfnRule(at.scope, &r.Name, props)
		for _, q := range []awssqs.Queue{to, at.queues.undelivered} {
			q.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Principals: principal("events.amazonaws.com"),
				Actions:    jsii.Strings("sqs:SendMessage"),
				Resources:  &[]*string{q.QueueArn()},
				// Without them any account's rule could write to the queue: the
				// confused deputy.
				Conditions: &map[string]any{
					"ArnEquals":    map[string]any{"aws:SourceArn": rule.AttrArn()},
					"StringEquals": map[string]any{"aws:SourceAccount": at.stack.Account()},
				},
			}))
		}
	}
}
