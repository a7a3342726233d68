package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/vitals"
)

// dead is a dead-letter queue, and what it means that something is in it.
type dead struct {
	id, about string
	queue     awssqs.Queue
}

func (q queues) dead() []dead {
	all := []dead{
		{"SignalsDead", "A signal could not be handled: something may have gone unnoticed.", q.signalsDead},
		{"RollbacksDead", "A rollback could not be carried out.", q.rollbackDead},
		{"WatchDead", "A deployment could not be looked at.", q.watchDead},
		{"HooksDead", "A hook could not answer CodeDeploy, or log events could not be counted.", q.hooksDead},
		{"Undelivered", "EventBridge could not deliver an event to pullback.", q.undelivered},
	}
	if q.records != nil {
		all = append(all, dead{"RecordsDead", "A record of another control plane could not be kept.", q.recordsDead})
	}
	return all
}

// alarms tell people what pullback cannot tell them itself.
func (at parts) alarms() {
	action := awscloudwatchactions.NewSnsAction(at.topic)
	for _, d := range at.queues.dead() {
		id := d.id + "Alarm"
		letters(d.queue).CreateAlarm(at.scope, &id, &awscloudwatch.CreateAlarmOptions{
			AlarmDescription:   &d.about,
			Threshold:          jsii.Number(0),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		}).AddAlarmAction(action)
	}
	at.vitalAlarms(action)
}

// vital is a metric that the functions write.
func vital(name, statistic string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(vitals.Namespace), MetricName: &name, Statistic: &statistic, Period: awscdk.Duration_Minutes(jsii.Number(1)),
	})
}

// vitalAlarms tell when pullback itself is not well, or asks for a human.
//
// That sweeps stay away shows by missing data. An alarm that took that for trouble would
// ring whenever a control plane is installed, before its first sweep; this one is without
// data then, and rings when it is again (CloudWatch user guide, "Configuring how
// CloudWatch alarms treat missing data"). That a first sweep never comes, the alarms on
// the dead-letter queues tell.
//
// A target that needs a human has had its notice by the time its alarm is red, so that
// one calls nobody besides: it is for dashboards, and for what a team hangs on it.
func (at parts) vitalAlarms(action awscloudwatch.IAlarmAction) {
	alarm := func(id, about string, of awscloudwatch.Metric, o awscloudwatch.CreateAlarmOptions) awscloudwatch.Alarm {
		o.AlarmDescription = &about
		return of.CreateAlarm(at.scope, &id, &o)
	}
	alarm("SweepLateAlarm", "No sweep has ended well for five minutes: what no event tells goes unnoticed.", vital(vitals.Sweeps, "Sum"), awscloudwatch.CreateAlarmOptions{
		Threshold: jsii.Number(1), ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		EvaluationPeriods: jsii.Number(5), TreatMissingData: awscloudwatch.TreatMissingData_MISSING,
	}).AddInsufficientDataAction(action)
	alarm("DecisionLateAlarm", "More than two minutes went by from a signal to the decision to roll back.", vital(vitals.DecisionLatency, "Maximum"), awscloudwatch.CreateAlarmOptions{
		Threshold: jsii.Number(120), ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods: jsii.Number(1), TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	}).AddAlarmAction(action)
	alarm("HaltedAlarm", "pullback holds a target that it does not take back itself: a human is needed.", vital(vitals.Halted, "Sum"), awscloudwatch.CreateAlarmOptions{
		Threshold: jsii.Number(0), ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods: jsii.Number(1), TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// letters is how many messages are in a queue that nobody should have to read.
func letters(q awssqs.Queue) awscloudwatch.Metric {
	return q.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
		Period: awscdk.Duration_Minutes(jsii.Number(1)), Statistic: jsii.String("Maximum"),
	})
}
