package access

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// question is how a service is asked for the tags of something.
type question struct {
	service, operation string
	in                 any
}

// tagsOf returns the tags of a resource, with names in lower case. CodeDeploy
// is not asked: it "does not support … controlling access based on tags"
// (CodeDeploy user guide, "How AWS CodeDeploy works with IAM").
func (g *Guard) tagsOf(ctx context.Context, arn string) map[string]string {
	q, ok := asking(arn)
	if !ok {
		return nil
	}
	out, err := g.mux.Look(ctx, q.service, q.operation, q.in)
	if err != nil {
		return nil
	}
	return tagsIn(reflect.ValueOf(out))
}

func asking(arn string) (question, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return question{}, false
	}
	resource := parts[5]
	name := resource[strings.LastIndex(resource, "/")+1:]
	switch parts[2] {
	case "lambda": // tags are the function's, whatever version or alias is meant
		if f := strings.SplitN(resource, ":", 3); len(f) == 3 {
			arn = strings.TrimSuffix(arn, ":"+f[2])
		}
		return question{"lambda", "ListTags", &lambda.ListTagsInput{Resource: &arn}}, true
	case "sqs":
		url := "https://sqs/" + parts[4] + "/" + resource
		return question{"sqs", "ListQueueTags", &sqs.ListQueueTagsInput{QueueUrl: &url}}, true
	case "iam":
		if strings.HasPrefix(resource, "user/") {
			return question{"iam", "GetUser", &awsiam.GetUserInput{UserName: &name}}, true
		}
		return question{"iam", "ListRoleTags", &awsiam.ListRoleTagsInput{RoleName: &name}}, true
	case "autoscaling": // the ARN of a group ends in its name
		key := "auto-scaling-group"
		return question{"autoscaling", "DescribeTags", &autoscaling.DescribeTagsInput{Filters: []astypes.Filter{{Name: &key, Values: []string{name}}}}}, true
	case "ec2":
		key := "resource-id"
		return question{"ec2", "DescribeTags", &ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: &key, Values: []string{name}}}}}, true
	default:
		return plainly(parts[2], arn)
	}
}

// plainly are the services that are asked by the ARN itself.
func plainly(service, arn string) (question, bool) {
	all := map[string]question{
		"sns":                  {"sns", "ListTagsForResource", &sns.ListTagsForResourceInput{ResourceArn: &arn}},
		"dynamodb":             {"dynamodb", "ListTagsOfResource", &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}},
		"cloudwatch":           {"monitoring", "ListTagsForResource", &cloudwatch.ListTagsForResourceInput{ResourceARN: &arn}},
		"events":               {"events", "ListTagsForResource", &eventbridge.ListTagsForResourceInput{ResourceARN: &arn}},
		"scheduler":            {"scheduler", "ListTagsForResource", &scheduler.ListTagsForResourceInput{ResourceArn: &arn}},
		"ecs":                  {"ecs", "ListTagsForResource", &ecs.ListTagsForResourceInput{ResourceArn: &arn}},
		"elasticloadbalancing": {"elasticloadbalancing", "DescribeTags", &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{arn}}},
		"codepipeline":         {"codepipeline", "ListTagsForResource", &codepipeline.ListTagsForResourceInput{ResourceArn: &arn}},
		"kms":                  {"kms", "ListResourceTags", &kms.ListResourceTagsInput{KeyId: &arn}},
		"backup":               {"backup", "ListTags", &backup.ListTagsInput{ResourceArn: &arn}},
	}
	if service == "logs" {
		group := strings.TrimSuffix(arn, ":*")
		return question{"logs", "ListTagsForResource", &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: &group}}, true
	}
	q, ok := all[service]
	return q, ok
}

// tagsIn finds tags in an input or output: a map or a list called Tags, in it
// or in what it holds, with names in lower case.
func tagsIn(v reflect.Value) map[string]string {
	all := map[string]string{}
	walkTags(v, func(key, value string) { all[strings.ToLower(key)] = value })
	return all
}

func tagNamesIn(v reflect.Value) []string {
	var all []string
	walkTags(v, func(key, _ string) { all = append(all, key) })
	slices.Sort(all)
	return all
}

func walkTags(v reflect.Value, tell func(key, value string)) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for _, name := range []string{"Tags", "TagList"} {
		if f := v.FieldByName(name); f.IsValid() {
			tellTags(f, tell)
			return
		}
	}
	for _, name := range []string{"TagSpecifications", "TagDescriptions", "User", "Pipeline"} {
		f := v.FieldByName(name)
		switch {
		case !f.IsValid():
		case f.Kind() == reflect.Slice:
			for i := range f.Len() {
				walkTags(f.Index(i), tell)
			}
		default:
			walkTags(f, tell)
		}
	}
}

func tellTags(f reflect.Value, tell func(key, value string)) {
	if f.Kind() == reflect.Map {
		for _, k := range f.MapKeys() {
			tell(k.String(), f.MapIndex(k).String())
		}
		return
	}
	for i := range f.Len() {
		t := f.Index(i)
		if t.Kind() != reflect.Struct {
			continue
		}
		member := func(name string) string { // in KMS it begins with Tag
			return strings.Join(append(members(t.Interface(), name), members(t.Interface(), "Tag"+name)...), "")
		}
		tell(member("Key"), member("Value"))
	}
}
