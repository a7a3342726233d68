package cloudformation_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// recorder is a Caller that remembers calls and answers like AWS, as far as
// the provisioner looks at answers.
type recorder struct {
	calls      []string
	fail       map[string]error // by "service Operation"
	parameters map[string]string
	buckets    map[string]bool
	onCall     func(name string) // optional
}

func newRecorder() *recorder {
	return &recorder{
		fail:       map[string]error{},
		parameters: map[string]string{"/cdk-bootstrap/hnb659fds/version": "30"},
		buckets:    map[string]bool{"cdk-hnb659fds-assets-123456789012-us-east-1": true},
	}
}

// operations returns the calls without what was passed and without looks.
func (r *recorder) operations() []string {
	var out []string
	for _, c := range r.calls {
		op := strings.Join(strings.Fields(c)[:2], " ")
		if op != "ssm GetParameter" && op != "s3 HeadBucket" {
			out = append(out, op)
		}
	}
	return out
}

func (r *recorder) Call(_ context.Context, as wire.Principal, service, operation string, in any) (any, error) {
	if as != (wire.Principal{Service: "cloudformation.amazonaws.com"}) {
		return nil, fmt.Errorf("unexpected principal %+v", as)
	}
	name := service + " " + operation
	r.calls = append(r.calls, name+" "+spell(reflect.ValueOf(in).Elem()))
	if r.onCall != nil {
		r.onCall(name)
	}
	if err := r.fail[name]; err != nil {
		return nil, err
	}
	if out, err := r.answer(in); out != nil || err != nil {
		return out, err
	}
	out, ok := silent()[name]
	if !ok {
		return nil, fmt.Errorf("unexpected call %s", name)
	}
	return out, nil
}

func (r *recorder) answer(in any) (any, error) {
	const at = "us-east-1:123456789012:"
	switch in := in.(type) {
	case *ssm.GetParameterInput:
		v, ok := r.parameters[*in.Name]
		if !ok {
			return nil, &ssmtypes.ParameterNotFound{}
		}
		return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Value: &v}}, nil
	case *dynamodb.DescribeTableInput:
		return nil, &ddbtypes.ResourceNotFoundException{}
	case *ssm.PutParameterInput:
		r.parameters[*in.Name] = *in.Value
	case *s3.HeadBucketInput:
		if !r.buckets[*in.Bucket] {
			return nil, &s3types.NotFound{}
		}
	case *s3.CreateBucketInput:
		r.buckets[*in.Bucket] = true
	case *lambda.CreateFunctionInput:
		return &lambda.CreateFunctionOutput{FunctionArn: aws.String("arn:aws:lambda:" + at + "function:" + *in.FunctionName)}, nil
	case *lambda.PublishVersionInput:
		return &lambda.PublishVersionOutput{
			FunctionArn: aws.String("arn:aws:lambda:" + at + "function:" + *in.FunctionName + ":1"), Version: aws.String("1"),
		}, nil
	case *lambda.CreateAliasInput:
		return &lambda.CreateAliasOutput{AliasArn: aws.String("arn:aws:lambda:" + at + "function:" + *in.FunctionName + ":" + *in.Name)}, nil
	case *lambda.CreateEventSourceMappingInput:
		return &lambda.CreateEventSourceMappingOutput{UUID: aws.String("mapping-1"), EventSourceMappingArn: aws.String("arn:aws:lambda:" + at + "event-source-mapping:mapping-1")}, nil
	case *iam.CreateRoleInput:
		return &iam.CreateRoleOutput{Role: &iamtypes.Role{
			Arn: aws.String("arn:aws:iam::123456789012:role" + cmp.Or(aws.ToString(in.Path), "/") + *in.RoleName), RoleId: aws.String("AROAEXAMPLE"),
		}}, nil
	case *iam.CreatePolicyInput:
		return &iam.CreatePolicyOutput{Policy: &iamtypes.Policy{Arn: aws.String("arn:aws:iam::123456789012:policy/" + *in.PolicyName)}}, nil
	case *sqs.CreateQueueInput:
		return &sqs.CreateQueueOutput{QueueUrl: aws.String("https://sqs/" + *in.QueueName)}, nil
	case *sns.CreateTopicInput:
		return &sns.CreateTopicOutput{TopicArn: aws.String("arn:aws:sns:" + at + *in.Name)}, nil
	case *sns.SubscribeInput:
		return &sns.SubscribeOutput{SubscriptionArn: aws.String(*in.TopicArn + ":" + *in.Protocol)}, nil
	case *dynamodb.CreateTableInput:
		return &dynamodb.CreateTableOutput{TableDescription: &ddbtypes.TableDescription{TableArn: aws.String("arn:aws:dynamodb:" + at + "table/" + *in.TableName)}}, nil
	case *eventbridge.PutRuleInput:
		return &eventbridge.PutRuleOutput{RuleArn: aws.String("arn:aws:events:" + at + "rule/" + *in.Name)}, nil
	}
	return nil, nil //nolint:nilnil // the table answers
}

// silent returns the answers that say nothing.
func silent() map[string]any {
	return map[string]any{
		"codedeploy CreateApplication":           &codedeploy.CreateApplicationOutput{},
		"codedeploy CreateDeploymentConfig":      &codedeploy.CreateDeploymentConfigOutput{},
		"codedeploy CreateDeploymentGroup":       &codedeploy.CreateDeploymentGroupOutput{},
		"codedeploy DeleteApplication":           &codedeploy.DeleteApplicationOutput{},
		"codedeploy DeleteDeploymentConfig":      &codedeploy.DeleteDeploymentConfigOutput{},
		"codedeploy DeleteDeploymentGroup":       &codedeploy.DeleteDeploymentGroupOutput{},
		"dynamodb DeleteTable":                   &dynamodb.DeleteTableOutput{},
		"dynamodb UpdateContinuousBackups":       &dynamodb.UpdateContinuousBackupsOutput{},
		"dynamodb UpdateTimeToLive":              &dynamodb.UpdateTimeToLiveOutput{},
		"events DeleteRule":                      &eventbridge.DeleteRuleOutput{},
		"events PutTargets":                      &eventbridge.PutTargetsOutput{},
		"events RemoveTargets":                   &eventbridge.RemoveTargetsOutput{},
		"iam AttachRolePolicy":                   &iam.AttachRolePolicyOutput{},
		"iam DeletePolicy":                       &iam.DeletePolicyOutput{},
		"iam DeleteRole":                         &iam.DeleteRoleOutput{},
		"iam DeleteRolePolicy":                   &iam.DeleteRolePolicyOutput{},
		"iam DetachRolePolicy":                   &iam.DetachRolePolicyOutput{},
		"iam PutRolePolicy":                      &iam.PutRolePolicyOutput{},
		"iam UpdateAssumeRolePolicy":             &iam.UpdateAssumeRolePolicyOutput{},
		"iam UpdateRole":                         &iam.UpdateRoleOutput{},
		"lambda AddPermission":                   &lambda.AddPermissionOutput{},
		"lambda DeleteAlias":                     &lambda.DeleteAliasOutput{},
		"lambda DeleteEventSourceMapping":        &lambda.DeleteEventSourceMappingOutput{},
		"lambda DeleteFunction":                  &lambda.DeleteFunctionOutput{},
		"lambda DeleteFunctionEventInvokeConfig": &lambda.DeleteFunctionEventInvokeConfigOutput{},
		"lambda PutFunctionConcurrency":          &lambda.PutFunctionConcurrencyOutput{},
		"lambda PutFunctionEventInvokeConfig":    &lambda.PutFunctionEventInvokeConfigOutput{},
		"lambda RemovePermission":                &lambda.RemovePermissionOutput{},
		"monitoring DeleteAlarms":                &cloudwatch.DeleteAlarmsOutput{},
		"monitoring PutCompositeAlarm":           &cloudwatch.PutCompositeAlarmOutput{},
		"monitoring PutMetricAlarm":              &cloudwatch.PutMetricAlarmOutput{},
		"s3 CreateBucket":                        &s3.CreateBucketOutput{},
		"s3 DeleteBucket":                        &s3.DeleteBucketOutput{},
		"s3 HeadBucket":                          &s3.HeadBucketOutput{},
		"s3 PutBucketVersioning":                 &s3.PutBucketVersioningOutput{},
		"s3 PutObject":                           &s3.PutObjectOutput{},
		"sns DeleteTopic":                        &sns.DeleteTopicOutput{},
		"sns SetTopicAttributes":                 &sns.SetTopicAttributesOutput{},
		"sns Unsubscribe":                        &sns.UnsubscribeOutput{},
		"sqs DeleteQueue":                        &sqs.DeleteQueueOutput{},
		"sqs SetQueueAttributes":                 &sqs.SetQueueAttributesOutput{},
		"ssm DeleteParameter":                    &ssm.DeleteParameterOutput{},
		"ssm PutParameter":                       &ssm.PutParameterOutput{},
	}
}

// spell writes a value in one line, without what is not set.
func spell(v reflect.Value) string {
	if body, ok := reflect.TypeAssert[io.Reader](v); ok {
		return listing(body)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return spell(v.Elem())
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				parts = append(parts, f.Name+":"+spell(v.Field(i)))
			}
		}
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, spell(v.Index(i)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, k.String()+":"+spell(v.MapIndex(k)))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.String:
		return v.String()
	default:
		return fmt.Sprint(v.Interface())
	}
}

// listing spells an archive by what is in it, other bodies by their size.
func listing(body io.Reader) string {
	all, err := io.ReadAll(body)
	if err != nil {
		return err.Error()
	}
	z, err := zip.NewReader(bytes.NewReader(all), int64(len(all)))
	if err != nil {
		return fmt.Sprintf("<%d bytes>", len(all))
	}
	var parts []string
	for _, f := range z.File {
		parts = append(parts, fmt.Sprintf("%s %s %d", f.Mode(), f.Name, f.UncompressedSize64))
	}
	return "<" + strings.Join(parts, ", ") + ">"
}

func TestRecorderRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	_, err := newRecorder().Call(t.Context(), wire.Principal{Service: "cloudformation.amazonaws.com"}, "sqs", "Fly", &sqs.SendMessageInput{})
	require.EqualError(t, err, "unexpected call sqs Fly")
}
