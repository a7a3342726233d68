package codedeploy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (f *fleet) log(format string, a ...any) {
	f.history = append(f.history, fmt.Sprintf("%.1f ", f.w.Now().Sub(f.epoch).Seconds())+fmt.Sprintf(format, a...))
}

// note writes down what CodeDeploy changes.
func (f *fleet) note(c *wire.Call, _, operation string, in any, goOn func() (any, error)) (any, error) {
	out, err := goOn()
	if c.Principal.Service != "codedeploy.amazonaws.com" {
		return out, err
	}
	var text string
	switch in := in.(type) {
	case *elb.ModifyListenerInput:
		text = map[string]string{f.prod: "prod ", f.test: "test "}[*in.ListenerArn] + f.shares(in.DefaultActions)
	case *elb.ModifyRuleInput:
		text = "rule " + f.shares(in.Actions)
	case *ecs.CreateTaskSetInput:
		text = fmt.Sprintf("create %s in %s, %g%%", short(*in.TaskDefinition), strings.Split(*in.LoadBalancers[0].TargetGroupArn, "/")[1], in.Scale.Value)
	case *ecs.UpdateServicePrimaryTaskSetInput:
		text = "primary " + f.named(*in.PrimaryTaskSet)
	case *ecs.DeleteTaskSetInput:
		text = "delete " + f.named(*in.TaskSet)
	case *lambda.InvokeInput:
		text = "invoke " + *in.FunctionName
	default:
		return out, err
	}
	require.Equal(f.t, role, c.Principal.ARN, "%s is called with the service role", operation)
	if err != nil {
		text += " refused"
	}
	f.log("%s", text)
	return out, err
}

// named gives a task set the name of its task definition.
func (f *fleet) named(set string) string {
	out, err := wire.Do[ecs.DescribeTaskSetsOutput](f.t.Context(), f.mux, wire.Principal{}, "ecs", "DescribeTaskSets",
		&ecs.DescribeTaskSetsInput{Cluster: aws.String("shop"), Service: aws.String("web"), TaskSets: []string{set}})
	if err != nil || len(out.TaskSets) == 0 {
		return "none"
	}
	return short(*out.TaskSets[0].TaskDefinition)
}

// invoke runs a hook function for one second, if it has something to answer.
func (f *fleet) invoke(_ *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if status, ok := f.hooks[*in.FunctionName]; ok {
		id, execution := read(f.t, string(in.Payload))
		f.w.After(time.Second, func() {
			_, err := wire.Do[sdk.PutLifecycleEventHookExecutionStatusOutput](f.t.Context(), f.mux, wire.Principal{}, "codedeploy", "PutLifecycleEventHookExecutionStatus",
				&sdk.PutLifecycleEventHookExecutionStatusInput{DeploymentId: aws.String(id), LifecycleEventHookExecutionId: aws.String(execution), Status: status})
			require.NoError(f.t, err)
		})
	}
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

func (f *fleet) describeAlarms(_ *wire.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	out := &cloudwatch.DescribeAlarmsOutput{}
	for _, name := range in.AlarmNames {
		if state, ok := f.alarms[name]; ok {
			out.MetricAlarms = append(out.MetricAlarms, cwtypes.MetricAlarm{AlarmName: aws.String(name), StateValue: state})
		}
	}
	return out, nil
}

func (f *fleet) putEvents(_ *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		if *e.Source != "aws.codedeploy" {
			continue
		}
		var detail map[string]any
		require.NoError(f.t, json.Unmarshal([]byte(*e.Detail), &detail))
		f.log("%s %s", detail["deploymentId"], detail["state"])
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (f *fleet) publish(_ *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	f.messages = append(f.messages, *in.Subject+"\n"+*in.Message)
	return &sns.PublishOutput{}, nil
}

// told is the history with names for the IDs of deployments: first, second, …
func (f *fleet) told() []string {
	f.t.Helper()
	var pairs []string
	for i, id := range f.list() {
		pairs = append(pairs, id, []string{"first", "second", "third", "fourth"}[i])
	}
	r := strings.NewReplacer(pairs...)
	var all []string
	for _, h := range f.history {
		all = append(all, r.Replace(h))
	}
	return all
}

func putMetricData(*wire.Call, *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	return &cloudwatch.PutMetricDataOutput{}, nil
}
