package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/events"
)

// queues stand between the events and the functions, so that nothing on the
// rollback path is lost when a function fails. Each one that is read has a
// dead-letter queue, and whatever arrives in a dead-letter queue raises an
// alarm.
type queues struct {
	signals, rollbacks, watch            awssqs.Queue
	signalsDead, rollbackDead, watchDead awssqs.Queue
	hooksDead, undelivered               awssqs.Queue
}

// tries is how often a message is received before it goes to the dead-letter
// queue: at least 5, so that throttling alone does not send it there. Source:
// Lambda developer guide, "Using Lambda with Amazon SQS".
const tries = 5

// visibility is how many times its function's timeout a message stays hidden
// while it is worked on. Source: the same page.
const visibility = 6

func newQueues(s awscdk.Stack) queues {
	dead := func(id string, fifo *bool) awssqs.Queue {
		return awssqs.NewQueue(s, &id, &awssqs.QueueProps{
			Fifo: fifo, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		})
	}
	read := func(id string, fifo *bool, seconds float64, dlq awssqs.Queue) awssqs.Queue {
		return awssqs.NewQueue(s, &id, &awssqs.QueueProps{
			Fifo: fifo, EnforceSSL: jsii.Bool(true), VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(visibility * seconds)),
			DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: dlq, MaxReceiveCount: jsii.Number(tries)},
		})
	}
	q := queues{
		signalsDead:  dead("SignalsDead", nil),
		rollbackDead: dead("RollbacksDead", jsii.Bool(true)),
		watchDead:    dead("WatchDead", nil),
		hooksDead:    dead("HooksDead", nil),
		undelivered:  dead("Undelivered", nil),
	}
	q.signals = read("Signals", nil, timeoutSeconds, q.signalsDead)
	q.watch = read("Watch", nil, timeoutSeconds, q.watchDead)
	q.rollbacks = read("Rollbacks", jsii.Bool(true), rollbackSeconds, q.rollbackDead)
	return q
}

// alarm tells people about anything in a dead-letter queue.
func (q queues) alarm(at parts) {
	for _, dead := range []struct {
		id, about string
		queue     awssqs.Queue
	}{
		{"SignalsDeadAlarm", "A signal could not be handled: something may have gone unnoticed.", q.signalsDead},
		{"RollbacksDeadAlarm", "A rollback could not be carried out.", q.rollbackDead},
		{"WatchDeadAlarm", "A deployment could not be looked at.", q.watchDead},
		{"HooksDeadAlarm", "A hook could not answer CodeDeploy, or log events could not be counted.", q.hooksDead},
		{"UndeliveredAlarm", "EventBridge could not deliver an event to pullback.", q.undelivered},
	} {
		a := dead.queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
			Period: awscdk.Duration_Minutes(jsii.Number(1)), Statistic: jsii.String("Maximum"),
		}).CreateAlarm(at.stack, &dead.id, &awscloudwatch.CreateAlarmOptions{
			AlarmDescription:   &dead.about,
			Threshold:          jsii.Number(0),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		})
		a.AddAlarmAction(awscloudwatchactions.NewSnsAction(at.topic))
	}
}

// route sends the events that match a rule to the signals queue. It uses the
// plain CloudFormation rule because that takes the pattern as it is; the
// construct above it wants the pattern in Go structs, which would be a second
// copy of events.Rules.
func route(at parts) {
	for _, r := range events.Rules() {
		if r.Hub {
			continue // this stack collects no records
		}
		props := &awsevents.CfnRuleProps{
			Name: &r.Name, Description: &r.About, State: jsii.String("ENABLED"),
			Targets: &[]*awsevents.CfnRule_TargetProperty{{
				Id: jsii.String("signals"), Arn: at.queues.signals.QueueArn(),
				DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: at.queues.undelivered.QueueArn()},
			}},
		}
		if r.Pattern != nil {
			props.EventPattern = r.Pattern
		} else {
			props.ScheduleExpression = &r.Schedule
		}
		rule := awsevents.NewCfnRule(at.stack, &r.Name, props)
		for _, q := range []awssqs.Queue{at.queues.signals, at.queues.undelivered} {
			q.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
				Actions:    jsii.Strings("sqs:SendMessage"),
				Resources:  &[]*string{q.QueueArn()},
				// Without it any account's rule could write to the queue: the
				// confused deputy.
				Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rule.AttrArn()}},
			}))
		}
	}
}
