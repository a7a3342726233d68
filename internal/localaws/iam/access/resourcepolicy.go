package access

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

// policiesOf returns the policy of a resource, of those kinds of resources that
// have one.
func (g *Guard) policiesOf(ctx context.Context, arn string) []policy.Named {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return nil
	}
	text := g.policyText(ctx, parts[2], parts[5], arn)
	if text == nil || *text == "" {
		return nil
	}
	d, err := g.iam.Parse(*text)
	if err != nil {
		return nil // services check policies when they get them
	}
	return []policy.Named{{Name: "the policy of " + arn, Document: d}}
}

func (g *Guard) policyText(ctx context.Context, service, resource, arn string) *string {
	switch service {
	case "lambda":
		f := strings.SplitN(resource, ":", 3) // function, its name, its qualifier
		if f[0] != "function" {
			return nil
		}
		in := &lambda.GetPolicyInput{FunctionName: &f[1]}
		if len(f) == 3 {
			in.Qualifier = &f[2]
		}
		return text(ctx, g, "lambda", "GetPolicy", in, func(o *lambda.GetPolicyOutput) *string { return o.Policy })
	case "dynamodb":
		return g.tablePolicy(ctx, resource, arn)
	case "kms":
		return g.keyPolicy(ctx, resource, arn)
	case "sqs":
		url := "https://sqs/" + g.world.Account + "/" + resource
		in := &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}}
		return text(ctx, g, "sqs", "GetQueueAttributes", in, func(o *sqs.GetQueueAttributesOutput) *string { return attribute(o.Attributes) })
	case "sns":
		in := &sns.GetTopicAttributesInput{TopicArn: &arn}
		return text(ctx, g, "sns", "GetTopicAttributes", in, func(o *sns.GetTopicAttributesOutput) *string { return attribute(o.Attributes) })
	case "s3":
		bucket, _, _ := strings.Cut(resource, "/")
		return text(ctx, g, "s3", "GetBucketPolicy", &s3.GetBucketPolicyInput{Bucket: &bucket}, func(o *s3.GetBucketPolicyOutput) *string { return o.Policy })
	case "events":
		return g.busPolicy(ctx, resource)
	default:
		return nil
	}
}

// busPolicy is the policy of an event bus.
func (g *Guard) busPolicy(ctx context.Context, resource string) *string {
	bus, ok := strings.CutPrefix(resource, "event-bus/")
	if !ok {
		return nil
	}
	return text(ctx, g, "events", "DescribeEventBus", &eventbridge.DescribeEventBusInput{Name: &bus},
		func(o *eventbridge.DescribeEventBusOutput) *string { return o.Policy })
}

// tablePolicy is the policy of a table, which is its indexes', too.
func (g *Guard) tablePolicy(ctx context.Context, resource, arn string) *string {
	table, _, _ := strings.Cut(resource, "/index/")
	at := strings.TrimSuffix(arn, strings.TrimPrefix(resource, table))
	return text(ctx, g, "dynamodb", "GetResourcePolicy", &dynamodb.GetResourcePolicyInput{ResourceArn: &at},
		func(o *dynamodb.GetResourcePolicyOutput) *string { return o.Policy })
}

// keyPolicy is the policy of a KMS key.
func (g *Guard) keyPolicy(ctx context.Context, resource, arn string) *string {
	if !strings.HasPrefix(resource, "key/") {
		return nil
	}
	return text(ctx, g, "kms", "GetKeyPolicy", &kms.GetKeyPolicyInput{KeyId: &arn}, func(o *kms.GetKeyPolicyOutput) *string { return o.Policy })
}

// text asks for a policy; nil if there is none.
func text[O any](ctx context.Context, g *Guard, service, operation string, in any, of func(*O) *string) *string {
	out, err := g.mux.Look(ctx, service, operation, in)
	o, ok := out.(*O)
	if err != nil || !ok || o == nil {
		return nil
	}
	return of(o)
}

// attribute is the policy among a queue's or topic's attributes.
func attribute(all map[string]string) *string {
	v, ok := all["Policy"]
	if !ok {
		return nil
	}
	return &v
}
