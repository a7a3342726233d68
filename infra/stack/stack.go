// Package stack describes pullback's AWS resources: a construct that platform teams
// put into an app of their own, or deploy as it is with the app in infra.
//
// It deploys the control plane only: it creates and changes nothing that is
// watched. What a team's own stack needs besides, hooks, tags and alarms, its helpers
// add to that stack.
package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A ControlPlane is pullback in one account and region. There can be one of them
// there: its functions and rules have names of their own.
type ControlPlane struct {
	*Plane

	at        parts
	functions functions
}

// parts are the resources that others refer to.
type parts struct {
	Props

	scope  constructs.Construct
	stack  awscdk.Stack // that scope is in
	key    awskms.IKey  // nil: AWS's own
	table  awsdynamodb.ITable
	topic  awssns.Topic
	bus    awsevents.CfnEventBus
	config awsssm.CfnParameter // nil if there is none
	queues queues
	keeps  keeping
}

// New adds a stack with a control plane in it to scope. It panics with what
// [Props.Check] says, or if the environment names a region that there is not.
func New(scope constructs.Construct, id string, sp awscdk.StackProps, p Props) awscdk.Stack {
	if err := p.Check(); err != nil {
		panic(err)
	}
	s := awscdk.NewStack(scope, &id, &sp)
	// A child called Default is no part of logical ids, and so of physical names.
	NewControlPlane(s, "Default", p)
	return s
}

// NewControlPlane adds a control plane to scope, which is a stack or in one. It
// panics, as constructs do, with everything that is wrong: with what [Props.Check]
// says, and with what is known only now, which is where the stack goes and what the
// ledger is like.
func NewControlPlane(scope constructs.Construct, id string, p Props) *ControlPlane {
	c := constructs.NewConstruct(scope, &id)
	if err := p.check(c); err != nil {
		panic(err)
	}
	// Dashboards had no tags for long, and not everything that reads templates knows of them.
	awscdk.Tags_Of(c).Add(jsii.String("app"), jsii.String("pullback"), &awscdk.TagProps{ExcludeResourceTypes: jsii.Strings("AWS::CloudWatch::Dashboard")})
	at := parts{Props: p.filled(), scope: c, stack: awscdk.Stack_Of(c), key: p.Key, keeps: kept(p.Config)}
	at.allowServices()
	at.table, at.topic, at.bus = at.ledger(), at.notices(), at.ownBus()
	at.config, at.queues = at.configuration(), newQueues(at)

	functions := newFunctions(at)
	functions.grant(at)
	functions.feed(at)
	functions.listen(at)
	route(at)
	at.alarms()
	at.dashboard(functions)
	at.exceptions(functions)
	at.outputs()
	return &ControlPlane{Plane: &Plane{Construct: c, name: at.Name}, at: at, functions: functions}
}

func (at parts) outputs() {
	type output struct {
		name  string
		value *string
	}
	all := []output{
		{"LedgerTable", at.table.TableName()},
		{"NoticesTopic", at.topic.TopicArn()},
		{"SignalsQueue", at.queues.signals.QueueUrl()},
		{"EventBus", at.bus.AttrArn()},
	}
	if at.config != nil {
		all = append(all, output{"ConfigurationParameter", at.config.Ref()})
	}
	for _, o := range all {
		awscdk.NewCfnOutput(at.scope, &o.name, &awscdk.CfnOutputProps{Value: o.value})
	}
}
