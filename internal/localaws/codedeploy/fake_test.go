package codedeploy_test

import (
	"encoding/json"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (b *bench) getAlias(_ *wire.Call, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	if *in.FunctionName != "checkout" || *in.Name != "live" {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("no such alias")}
	}
	out := &lambda.GetAliasOutput{FunctionVersion: aws.String(b.version)}
	if len(b.weights) > 0 {
		out.RoutingConfig = &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: maps.Clone(b.weights)}
	}
	return out, nil
}

func (b *bench) updateAlias(_ *wire.Call, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	b.version, b.weights = *in.FunctionVersion, maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
	b.log("alias %s %v", b.version, b.weights)
	return &lambda.UpdateAliasOutput{}, nil
}

func (b *bench) getFunctionConfiguration(_ *wire.Call, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	if len(*in.Qualifier) != 1 {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("no such version")}
	}
	return &lambda.GetFunctionConfigurationOutput{}, nil
}

// invoke runs a hook function for one second, if it has something to answer.
func (b *bench) invoke(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	b.log("invoke %s %s by %s", *in.FunctionName, in.InvocationType, c.Principal.Service)
	b.payloads = append(b.payloads, string(in.Payload))
	if status, ok := b.hooks[*in.FunctionName]; ok {
		id, execution := read(b.t, string(in.Payload))
		b.w.After(time.Second, func() { _ = b.answer(id, execution, status) })
	}
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

// answer reports for a hook, with the lock held.
func (b *bench) answer(deployment, execution string, status cdtypes.LifecycleEventStatus) error {
	_, err := wire.Do[sdk.PutLifecycleEventHookExecutionStatusOutput](b.t.Context(), b.mux, wire.Principal{}, "codedeploy", "PutLifecycleEventHookExecutionStatus",
		&sdk.PutLifecycleEventHookExecutionStatusInput{
			DeploymentId: aws.String(deployment), LifecycleEventHookExecutionId: aws.String(execution), Status: status,
		})
	return err
}

func (b *bench) describeAlarms(_ *wire.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	out := &cloudwatch.DescribeAlarmsOutput{}
	for _, name := range in.AlarmNames {
		state, ok := b.alarms[name]
		switch {
		case ok && strings.HasPrefix(name, "composite"):
			out.CompositeAlarms = append(out.CompositeAlarms, cwtypes.CompositeAlarm{AlarmName: aws.String(name), StateValue: state})
		case ok:
			out.MetricAlarms = append(out.MetricAlarms, cwtypes.MetricAlarm{AlarmName: aws.String(name), StateValue: state})
		}
	}
	return out, b.blind
}

func (b *bench) putEvents(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		var detail map[string]any
		require.NoError(b.t, json.Unmarshal([]byte(*e.Detail), &detail))
		if instance, ok := detail["instanceId"]; ok {
			b.log("%s %s %s", detail["deploymentId"], instance, detail["state"])
		} else {
			b.log("%s %s", detail["deploymentId"], detail["state"])
		}
		b.events = append(b.events, map[string]any{
			"source": *e.Source, "detail-type": *e.DetailType, "time": e.Time.Sub(b.epoch).String(),
			"resources": e.Resources, "detail": detail, "principal": c.Principal.Service,
		})
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (b *bench) publish(_ *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	require.Equal(b.t, topic, *in.TopicArn)
	b.messages = append(b.messages, *in.Subject+"\n"+*in.Message)
	return &sns.PublishOutput{}, nil
}

func (b *bench) getObject(_ *wire.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	text, ok := b.objects[*in.Bucket+"/"+*in.Key]
	if !ok {
		return nil, &smithy.GenericAPIError{Code: "NoSuchKey", Message: "The specified key does not exist."}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text)), ETag: aws.String(`"e1"`)}, nil
}

// read takes the two values out of a hook's payload.
func read(t *testing.T, payload string) (deployment, execution string) {
	t.Helper()
	var m map[string]string
	require.NoError(t, json.Unmarshal([]byte(payload), &m))
	require.Len(t, m, 2)
	return m["DeploymentId"], m["LifecycleEventHookExecutionId"]
}
