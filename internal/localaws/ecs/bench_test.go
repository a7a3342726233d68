package ecs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/require"

	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/ecs"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// bench is the service behind the SDK's client with what it calls: a load
// balancer with two target groups, alarms, and a bus that takes notes. Times
// are seconds since the start of the world.
type bench struct {
	*sdk.Client
	t       *testing.T
	w       *world.World
	mux     *wire.Mux
	svc     *ecs.Service
	url     string
	elb     *elb.Client
	alarms  *cloudwatch.Client
	epoch   time.Time
	history []string         // what the event bus was told
	events  []map[string]any // of the bus, whole
	hooks   []string         // the payloads of hooks

	blue, green, production, test string // ARNs of target groups and listener rules
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 7})}
	b.epoch = b.w.Now()
	b.mux = wire.NewMux(b.w)
	b.svc = ecs.New(b.w, b.mux)
	balancers := elbv2.New(b.w, b.mux)
	balancers.Watch(func(_ string, d elbtypes.TargetDescription) elbv2.Fault {
		if ok, known := b.svc.Answers(*d.Id, *d.Port); known && !ok {
			return elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
		}
		return elbv2.Fault{}
	})
	for _, s := range []wire.Service{b.svc.Wire(), balancers.Wire(), localcloudwatch.New(b.w, b.mux).Wire()} {
		b.mux.Handle(s)
	}
	b.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{wire.Op("PutEvents", b.putEvents)}})
	b.mux.Intercept(b.intercept)
	b.listen()
	b.balance()
	return b
}

// listen lets clients call the services.
func (b *bench) listen() {
	server := httptest.NewServer(b.mux)
	ctx, cancel := context.WithCancel(b.t.Context())
	if b.w.Mode() != world.Manual {
		go b.w.Run(ctx)
	}
	b.t.Cleanup(func() { cancel(); server.Close() })
	b.url = server.URL
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	b.Client, b.elb, b.alarms = sdk.NewFromConfig(config), elb.NewFromConfig(config), cloudwatch.NewFromConfig(config)
}

// intercept notes how ECS shifts traffic and invokes hooks, and as whom.
func (b *bench) intercept(c *wire.Call, service, operation string, in any, goOn func() (any, error)) (any, error) {
	out, err := goOn()
	switch in := in.(type) {
	case *elb.ModifyRuleInput:
		if c.Principal.Service == "" {
			break
		}
		what := "production"
		if *in.RuleArn == b.test {
			what = "test"
		}
		b.log("%s: %s %s", short(c.Principal.ARN), what, b.shares(in.Actions))
	case *lambda.InvokeInput:
		b.hooks = append(b.hooks, string(in.Payload))
		var e struct {
			LifecycleStage string `json:"lifecycleStage"`
		}
		_ = json.Unmarshal(in.Payload, &e)
		answer := ""
		if o, ok := out.(*lambda.InvokeOutput); ok {
			answer = string(o.Payload)
		}
		b.log("%s: %s %s %s", short(c.Principal.ARN), *in.FunctionName, e.LifecycleStage, answer)
	}
	_, _ = service, operation
	return out, err
}

func (b *bench) shares(actions []elbtypes.Action) string {
	weight := map[string]int32{}
	for _, g := range actions[0].ForwardConfig.TargetGroups {
		weight[*g.TargetGroupArn] = *g.Weight
	}
	return fmt.Sprintf("blue %d green %d", weight[b.blue], weight[b.green])
}

// weights says how a rule shares its requests: "blue 95 green 5".
func (b *bench) weights(rule string) string {
	b.t.Helper()
	out, err := b.elb.DescribeRules(b.t.Context(), &elb.DescribeRulesInput{RuleArns: []string{rule}})
	require.NoError(b.t, err)
	return b.shares(out.Rules[0].Actions)
}

func (b *bench) log(format string, a ...any) {
	b.history = append(b.history, fmt.Sprintf("%.0f ", b.w.Now().Sub(b.epoch).Seconds())+fmt.Sprintf(format, a...))
}

func (b *bench) putEvents(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if c.Principal.Service != "ecs.amazonaws.com" {
		return &eventbridge.PutEventsOutput{}, nil
	}
	for _, e := range in.Entries {
		var d map[string]any
		if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil {
			return nil, err
		}
		text := fmt.Sprint(d["eventType"], " ", d["eventName"])
		for _, more := range []string{"lifecycleStage", "reason"} {
			if d[more] != nil {
				text += fmt.Sprint(" ", d[more])
			}
		}
		b.log("%s", text)
		b.events = append(b.events, map[string]any{"source": *e.Source, "detail-type": *e.DetailType, "resources": e.Resources, "detail": d})
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}

// register registers a revision of the task definition web, whose tasks behave
// as the label says.
func (b *bench) register(label string) string {
	b.t.Helper()
	in := &sdk.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String("shop/web"), PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(80)}},
		}},
	}
	if label != "" {
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"local-aws.task": label}
	}
	out, err := b.RegisterTaskDefinition(b.t.Context(), in)
	require.NoError(b.t, err)
	return *out.TaskDefinition.TaskDefinitionArn
}

// serviceInput is the service web in the cluster shop.
func (b *bench) serviceInput(definition string, desired int32) *sdk.CreateServiceInput {
	b.t.Helper()
	_, err := b.CreateCluster(b.t.Context(), &sdk.CreateClusterInput{ClusterName: aws.String("shop")})
	require.NoError(b.t, err)
	return &sdk.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: aws.String("web"), TaskDefinition: aws.String(definition), DesiredCount: aws.Int32(desired),
		LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: network(),
		LoadBalancers: []ecstypes.LoadBalancer{{TargetGroupArn: aws.String(b.blue), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}},
	}
}

func network() *ecstypes.NetworkConfiguration {
	return &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
}

func (b *bench) create(in *sdk.CreateServiceInput) *ecstypes.Service {
	b.t.Helper()
	out, err := b.CreateService(b.t.Context(), in)
	require.NoError(b.t, err)
	return out.Service
}

func (b *bench) update(in *sdk.UpdateServiceInput) {
	b.t.Helper()
	in.Cluster, in.Service = aws.String("shop"), aws.String("web")
	_, err := b.UpdateService(b.t.Context(), in)
	require.NoError(b.t, err)
}

func (b *bench) web() *ecstypes.Service {
	b.t.Helper()
	out, err := b.DescribeServices(b.t.Context(), &sdk.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"web"}})
	require.NoError(b.t, err)
	require.Len(b.t, out.Services, 1)
	return &out.Services[0]
}

// deployments says what DescribeServices shows of the deployments, newest
// first: "PRIMARY web:2 IN_PROGRESS 2/2 running, 1 pending, 0 failed".
func (b *bench) deployments() []string {
	b.t.Helper()
	var all []string
	for _, d := range b.web().Deployments {
		all = append(all, fmt.Sprintf("%s %s %s %d/%d running, %d pending, %d failed", *d.Status, short(*d.TaskDefinition), d.RolloutState,
			d.RunningCount, d.DesiredCount, d.PendingCount, d.FailedTasks))
	}
	return all
}

func short(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// messages returns the service events, oldest first, with names for the IDs of
// tasks and deployments.
func (b *bench) messages() []string {
	b.t.Helper()
	var all []string
	for _, e := range slices.Backward(b.web().Events) {
		all = append(all, fmt.Sprintf("%.0f ", e.CreatedAt.Sub(b.epoch).Seconds())+*e.Message)
	}
	return all
}
