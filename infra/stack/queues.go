package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// queues stand between the events and the functions, so that nothing on the
// rollback path is lost when a function fails. Each one that is read has a
// dead-letter queue, and whatever arrives in a dead-letter queue raises an
// alarm.
type queues struct {
	signals, rollbacks, watch, records                awssqs.Queue // records is nil where none are collected
	signalsDead, rollbackDead, watchDead, recordsDead awssqs.Queue
	hooksDead, undelivered                            awssqs.Queue
}

// tries is how often a message is received before it goes to the dead-letter
// queue: at least 5, so that throttling alone does not send it there. Source:
// Lambda developer guide, "Using Lambda with Amazon SQS".
const tries = 5

// visibility is how many times its function's timeout a message stays hidden
// while it is worked on. Source: the same page.
const visibility = 6

func newQueues(at parts) queues {
	encryption := awssqs.QueueEncryption_SQS_MANAGED
	if at.key != nil {
		encryption = awssqs.QueueEncryption_KMS
	}
	dead := func(id string, fifo *bool) awssqs.Queue {
		return awssqs.NewQueue(at.scope, &id, &awssqs.QueueProps{
			Fifo: fifo, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
			Encryption: encryption, EncryptionMasterKey: at.key,
		})
	}
	read := func(id string, fifo *bool, seconds float64, dlq awssqs.Queue) awssqs.Queue {
		return awssqs.NewQueue(at.scope, &id, &awssqs.QueueProps{
			Fifo: fifo, EnforceSSL: jsii.Bool(true), VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(visibility * seconds)),
			DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: dlq, MaxReceiveCount: jsii.Number(tries)},
			Encryption:      encryption, EncryptionMasterKey: at.key,
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
	if at.Fleet.Collects {
		q.recordsDead = dead("RecordsDead", nil)
		q.records = read("Records", nil, timeoutSeconds, q.recordsDead)
	}
	return q
}
