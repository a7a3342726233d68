package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A rule of cdk-nag that does not hold for a resource, and why that is as it should be.
type exception struct{ rule, reason string }

// acknowledge notes in a resource's metadata, where cdk-nag and others who check templates
// look for it, which rules do not hold for it. c is the resource or a construct around it.
func acknowledge(c constructs.IConstruct, all ...exception) {
	r, ok := c.(awscdk.CfnResource)
	if !ok {
		if r, ok = c.Node().DefaultChild().(awscdk.CfnResource); !ok {
			panic("acknowledge: " + *c.Node().Path() + " has no resource of its own")
		}
	}
	var rules []map[string]string
	for _, e := range all {
		rules = append(rules, map[string]string{"id": e.rule, "reason": e.reason})
	}
	r.AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": rules})
}

// exceptions acknowledges what the packs AwsSolutions and Serverless of cdk-nag find.
func (at parts) exceptions(fs functions) {
	for _, d := range at.queues.dead() {
		all := []exception{{"Serverless-SQSRedrivePolicy", "It is a dead-letter queue: what is in it raises an alarm, and waits for a human."}}
		if d.queue == at.queues.hooksDead || d.queue == at.queues.undelivered {
			all = append(all, exception{"AwsSolutions-SQS3", "It is a dead-letter queue, of invocations or of rules, and not of another queue."})
		}
		acknowledge(d.queue, all...)
	}
	for _, n := range names(at.Name) {
		f := fs[n.folder]
		acknowledge(f, exception{
			"Serverless-LambdaTracing",
			"Each step is on record in the ledger with its incident. Tracing would be one more thing that every function may write to, and is paid for by the trace.",
		}, exception{"Serverless-LambdaDLQ", undelivered(n.folder)})
		acknowledge(f.Role().Node().FindChild(jsii.String("DefaultPolicy")), exception{
			"AwsSolutions-IAM5",
			"Which targets are looked after is not known when this is deployed. What changes one is bound to its tag where AWS can tell by it, " +
				"and everything else to the account and region; an action on * has no narrower resource.",
		})
		for _, child := range *f.Node().Children() {
			if m, ok := child.(awslambda.EventSourceMapping); ok {
				acknowledge(m, exception{"Serverless-LambdaEventSourceMappingDestination", "The source is a queue, which has a dead-letter queue: there are no destinations for queues."})
			}
		}
	}
}

// undelivered says where what a function could not handle goes, if not to a dead-letter
// queue of its own. Sources: Lambda developer guide, "Capturing records of Lambda
// asynchronous invocations", "Using Lambda with Amazon SQS".
func undelivered(folder string) string {
	if folder == "pretraffic" || folder == "posttraffic" {
		return "What CodeDeploy invokes in vain goes to a queue as its destination on failure, which says more than a dead-letter queue would."
	}
	return "It is invoked from queues only, which have dead-letter queues."
}
