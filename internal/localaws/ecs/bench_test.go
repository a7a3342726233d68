package ecs_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/ecs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const blue = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/0000000000000001"

// bench is the service with what it calls. Times are seconds since the start
// of the world.
type bench struct {
	*sdk.Client
	t       *testing.T
	w       *world.World
	mux     *wire.Mux
	svc     *ecs.Service
	epoch   time.Time
	history []string          // what the event bus was told
	targets map[string]*place // of the target groups, by group and address
}

// place is a target of the load balancer.
type place struct {
	joined, left time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 7}), targets: map[string]*place{}}
	b.epoch = b.w.Now()
	b.mux = wire.NewMux(b.w)
	b.svc = ecs.New(b.w, b.mux)
	b.mux.Handle(b.svc.Wire())
	b.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{wire.Op("PutEvents", b.putEvents)}})
	b.mux.Handle(wire.Service{Name: "elasticloadbalancing", Protocol: wire.Query, Version: "2015-12-01", Operations: []wire.Operation{
		wire.Op("DescribeTargetGroups", b.describeTargetGroups),
		wire.Op("DescribeTargetHealth", b.describeTargetHealth),
		wire.Op("RegisterTargets", b.registerTargets),
		wire.Op("DeregisterTargets", b.deregisterTargets),
	}})
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.Client = sdk.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return b
}

func (b *bench) log(format string, a ...any) {
	b.history = append(b.history, fmt.Sprintf("%.0f ", b.w.Now().Sub(b.epoch).Seconds())+fmt.Sprintf(format, a...))
}

func (b *bench) putEvents(_ *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		var d map[string]any
		if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil {
			return nil, err
		}
		text := fmt.Sprint(d["eventType"], " ", d["eventName"])
		if d["reason"] != nil {
			text += fmt.Sprint(" ", d["reason"])
		}
		b.log("%s", text)
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (b *bench) describeTargetGroups(_ *wire.Call, in *elb.DescribeTargetGroupsInput) (*elb.DescribeTargetGroupsOutput, error) {
	return &elb.DescribeTargetGroupsOutput{TargetGroups: []elbtypes.TargetGroup{{
		TargetGroupArn: aws.String(in.TargetGroupArns[0]), TargetType: elbtypes.TargetTypeEnumIp, LoadBalancerArns: []string{"alb"},
	}}}, nil
}

func (b *bench) registerTargets(_ *wire.Call, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	for _, t := range in.Targets {
		b.targets[*in.TargetGroupArn+" "+*t.Id] = &place{joined: b.w.Now()}
	}
	return &elb.RegisterTargetsOutput{}, nil
}

func (b *bench) deregisterTargets(_ *wire.Call, in *elb.DeregisterTargetsInput) (*elb.DeregisterTargetsOutput, error) {
	for _, t := range in.Targets {
		b.targets[*in.TargetGroupArn+" "+*t.Id].left = b.w.Now()
	}
	return &elb.DeregisterTargetsOutput{}, nil
}

// describeTargetHealth is a load balancer that takes 10 s to see how a target
// is and 30 s to drain it.
func (b *bench) describeTargetHealth(_ *wire.Call, in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
	out := &elb.DescribeTargetHealthOutput{}
	for _, t := range in.Targets {
		state, now := elbtypes.TargetHealthStateEnumUnused, b.w.Now()
		p := b.targets[*in.TargetGroupArn+" "+*t.Id]
		ok, _ := b.svc.Answers(*t.Id, *t.Port)
		switch {
		case p == nil:
		case !p.left.IsZero() && now.Sub(p.left) < 30*time.Second:
			state = elbtypes.TargetHealthStateEnumDraining
		case !p.left.IsZero():
		case now.Sub(p.joined) < 10*time.Second:
			state = elbtypes.TargetHealthStateEnumInitial
		case ok:
			state = elbtypes.TargetHealthStateEnumHealthy
		default:
			state = elbtypes.TargetHealthStateEnumUnhealthy
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, elbtypes.TargetHealthDescription{
			Target: &t, TargetHealth: &elbtypes.TargetHealth{State: state},
		})
	}
	return out, nil
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}

// family registers a revision of the task definition web, whose tasks behave
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
		LoadBalancers: []ecstypes.LoadBalancer{{TargetGroupArn: aws.String(blue), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}},
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

func (b *bench) update(in *sdk.UpdateServiceInput) *ecstypes.Service {
	b.t.Helper()
	in.Cluster, in.Service = aws.String("shop"), aws.String("web")
	out, err := b.UpdateService(b.t.Context(), in)
	require.NoError(b.t, err)
	return out.Service
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

// told is the history with names for the IDs of deployments: first, second, …
// in the order in which they appear.
func (b *bench) told() []string { return rename(b.history) }

func rename(lines []string) []string {
	var pairs []string
	for _, id := range regexp.MustCompile(`ecs-svc/\d+`).FindAllString(strings.Join(lines, "\n"), -1) {
		if n := len(pairs) / 2; !slices.Contains(pairs, id) {
			pairs = append(pairs, id, []string{"first", "second", "third", "fourth", "fifth", "sixth"}[n])
		}
	}
	var all []string
	for _, line := range lines {
		all = append(all, strings.NewReplacer(pairs...).Replace(line))
	}
	return all
}

// sets says what DescribeServices shows of the task sets.
func (b *bench) sets() []string {
	b.t.Helper()
	var all []string
	for _, x := range b.web().TaskSets {
		all = append(all, fmt.Sprintf("%s %s %s %d/%d running, %d pending", *x.Status, short(*x.TaskDefinition), x.StabilityStatus,
			x.RunningCount, x.ComputedDesiredCount, x.PendingCount))
	}
	return all
}
