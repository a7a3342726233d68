package cloudformation_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	localcodedeploy "github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	localdynamodb "github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	localeventbridge "github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	localiam "github.com/pullback-dev/pullback/internal/localaws/iam"
	locallambda "github.com/pullback-dev/pullback/internal/localaws/lambda"
	locals3 "github.com/pullback-dev/pullback/internal/localaws/s3"
	localsns "github.com/pullback-dev/pullback/internal/localaws/sns"
	localsqs "github.com/pullback-dev/pullback/internal/localaws/sqs"
	localssm "github.com/pullback-dev/pullback/internal/localaws/ssm"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// region assembles the services that the fixture's stack needs.
func region(t *testing.T) (*world.World, *wire.Mux) {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	queues := localsqs.New(w, mux, localsqs.Options{})
	functions := locallambda.New(w, mux, locallambda.Options{OnAvailable: queues.OnAvailable})
	t.Cleanup(func() { assert.NoError(t, functions.Close()) })
	for _, s := range []wire.Service{
		functions.Wire(), queues.Wire(), localsns.New(w, mux).Wire(), localssm.New(w, mux).Wire(), localdynamodb.New(w, mux).Wire(),
		localcloudwatch.New(w, mux).Wire(), localcodedeploy.New(w, mux, localcodedeploy.Options{}).Wire(), localeventbridge.New(w, mux).Wire(), locals3.New(w, mux).Wire(), localiam.New(w, mux).Wire(),
	} {
		mux.Handle(s)
	}
	return w, mux
}

// inventory counts what is there of each sort.
func inventory(t *testing.T, w *world.World, mux *wire.Mux) map[string]int {
	t.Helper()
	w.Lock()
	defer w.Unlock()
	alarms := ask[cloudwatch.DescribeAlarmsOutput](t, mux, "monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	})
	return map[string]int{
		"applications":  len(ask[codedeploy.ListApplicationsOutput](t, mux, "codedeploy", "ListApplications", &codedeploy.ListApplicationsInput{}).Applications),
		"functions":     len(ask[lambda.ListFunctionsOutput](t, mux, "lambda", "ListFunctions", &lambda.ListFunctionsInput{}).Functions),
		"mappings":      len(ask[lambda.ListEventSourceMappingsOutput](t, mux, "lambda", "ListEventSourceMappings", &lambda.ListEventSourceMappingsInput{}).EventSourceMappings),
		"metric alarms": len(alarms.MetricAlarms), "composite alarms": len(alarms.CompositeAlarms),
		"queues":        len(ask[sqs.ListQueuesOutput](t, mux, "sqs", "ListQueues", &sqs.ListQueuesInput{}).QueueUrls),
		"rules":         len(ask[eventbridge.ListRulesOutput](t, mux, "events", "ListRules", &eventbridge.ListRulesInput{}).Rules),
		"subscriptions": len(ask[sns.ListSubscriptionsOutput](t, mux, "sns", "ListSubscriptions", &sns.ListSubscriptionsInput{}).Subscriptions),
		"tables":        len(ask[dynamodb.ListTablesOutput](t, mux, "dynamodb", "ListTables", &dynamodb.ListTablesInput{}).TableNames),
		"topics":        len(ask[sns.ListTopicsOutput](t, mux, "sns", "ListTopics", &sns.ListTopicsInput{}).Topics),
	}
}

func ask[O any](t *testing.T, mux *wire.Mux, service, operation string, in any) *O {
	t.Helper()
	out, err := wire.Do[O](t.Context(), mux, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}, service, operation, in)
	require.NoError(t, err)
	return out
}

func TestSynthesizedStackComesAndGoesOnTheRealServices(t *testing.T) {
	t.Parallel()
	w, mux := region(t)
	before := inventory(t, w, mux)
	cfn := cloudformation.New(w, mux, cloudformation.Options{})
	stack, err := cfn.Deploy(t.Context(), canary(t))
	require.NoError(t, err)
	assert.Equal(t, map[string]int{
		"applications": 1, "functions": 2, "mappings": 1, "metric alarms": 1, "composite alarms": 1,
		"queues": 2, "rules": 1, "subscriptions": 1, "tables": 1, "topics": 1,
	}, inventory(t, w, mux))

	alias, ok := stack.Resource("Live848578DF")
	require.True(t, ok)
	w.Lock()
	hook, _ := stack.Resource("HookB39E2767")
	got := ask[lambda.GetAliasOutput](t, mux, "lambda", "GetAlias", &lambda.GetAliasInput{FunctionName: &hook.PhysicalID, Name: new("live")})
	w.Unlock()
	assert.Equal(t, alias.PhysicalID, *got.AliasArn)
	assert.Equal(t, "1", *got.FunctionVersion)

	require.NoError(t, w.Advance(t.Context(), time.Minute))
	require.NoError(t, cfn.Delete(t.Context(), "canary"))
	require.NoError(t, w.Advance(t.Context(), 2*time.Minute))
	assert.Equal(t, before, inventory(t, w, mux))
}
