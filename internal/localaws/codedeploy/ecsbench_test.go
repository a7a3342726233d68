package codedeploy_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
	localecs "github.com/pullback-dev/pullback/internal/localaws/ecs"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// fleet is the service with ECS and load balancers as they are in the local
// AWS: the service web in the cluster shop runs two tasks behind the target
// group blue; the target group green is free. Alarms, bus, topic and, unless a
// test says otherwise, hook functions are played.
type fleet struct {
	t           *testing.T
	w           *world.World
	mux         *wire.Mux
	elb         *elbv2.Service
	ecs         *localecs.Service
	epoch       time.Time
	config      aws.Config
	deployments *sdk.Client
	services    *ecs.Client
	balancers   *elb.Client

	prod, test  string            // listeners
	groups      map[string]string // ARNs by name
	definitions []string          // ARNs of web:1 (good), web:2 (good), web:3 (never healthy), web:4 (does not start)

	alarms   map[string]cwtypes.StateValue
	hooks    map[string]cdtypes.LifecycleEventStatus // what a hook function answers; it is silent otherwise
	history  []string                                // what CodeDeploy did, and what the bus was told
	messages []string                                // of the topic
}

// layout says how a fleet differs from the usual one.
type layout struct {
	network    bool                                    // a Network Load Balancer
	noTest     bool                                    // no test listener
	monitoring func(f *fleet) wire.Service             // CloudWatch; nil: it is played
	hooks      func(f *fleet, url string) wire.Service // the functions; nil: they are played
}

func newFleet(t *testing.T, l layout) *fleet {
	t.Helper()
	f := &fleet{
		t: t, w: world.New(world.Options{Seed: 7}), groups: map[string]string{},
		alarms: map[string]cwtypes.StateValue{}, hooks: map[string]cdtypes.LifecycleEventStatus{},
	}
	f.epoch = f.w.Now()
	f.mux = wire.NewMux(f.w)
	server := httptest.NewServer(f.mux)
	t.Cleanup(server.Close)
	balancers, services := elbv2.New(f.w, f.mux), localecs.New(f.w, f.mux)
	f.elb, f.ecs = balancers, services
	balancers.Watch(func(_ string, d elbtypes.TargetDescription) elbv2.Fault {
		if ok, known := services.Answers(*d.Id, *d.Port); known && !ok {
			return elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
		}
		return elbv2.Fault{}
	})
	monitoring := wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.Op("DescribeAlarms", f.describeAlarms), wire.Op("PutMetricData", putMetricData),
	}}
	if l.monitoring != nil {
		monitoring = l.monitoring(f)
	}
	functions := wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: []wire.Operation{
		wire.Op("Invoke", f.invoke).Bind(wire.REST{Method: "POST", Path: "/f"}),
	}}
	if l.hooks != nil {
		functions = l.hooks(f, server.URL)
	}
	for _, s := range []wire.Service{
		codedeploy.New(f.w, f.mux, codedeploy.Options{}).Wire(), services.Wire(), balancers.Wire(), functions,
		monitoring,
		{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{wire.Op("PutEvents", f.putEvents)}},
		{Name: "sns", Protocol: wire.Query, Operations: []wire.Operation{wire.Op("Publish", f.publish)}},
	} {
		f.mux.Handle(s)
	}
	f.mux.Intercept(f.note)
	f.config = aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	f.deployments, f.services, f.balancers = sdk.NewFromConfig(f.config), ecs.NewFromConfig(f.config), elb.NewFromConfig(f.config)
	f.build(l)
	f.advance(time.Minute)
	f.epoch, f.history = f.w.Now(), nil
	return f
}

// build makes the load balancer, the service and the application.
func (f *fleet) build(l layout) {
	f.t.Helper()
	ctx, kind, protocol := f.t.Context(), elbtypes.LoadBalancerTypeEnumApplication, elbtypes.ProtocolEnumHttp
	if l.network {
		kind, protocol = elbtypes.LoadBalancerTypeEnumNetwork, elbtypes.ProtocolEnumTcp
	}
	b, err := f.balancers.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("web"), Type: kind, Subnets: []string{"subnet-1", "subnet-2"}})
	require.NoError(f.t, err)
	for _, name := range []string{"blue", "green"} {
		g, err := f.balancers.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: protocol, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		})
		require.NoError(f.t, err)
		f.groups[name] = *g.TargetGroups[0].TargetGroupArn
	}
	for i, to := range []*string{&f.prod, &f.test} {
		if i == 1 && l.noTest {
			continue
		}
		x, err := f.balancers.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: b.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32([]int32{80, 8080}[i]), Protocol: protocol,
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(f.groups["blue"])}},
		})
		require.NoError(f.t, err)
		*to = *x.Listeners[0].ListenerArn
	}
	for _, label := range []string{"", "", "unhealthy", "fails-to-start"} {
		in := &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("web"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
			RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
			ContainerDefinitions: []ecstypes.ContainerDefinition{{
				Name: aws.String("app"), Image: aws.String("shop/web"), PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(80)}},
			}},
		}
		if label != "" {
			in.ContainerDefinitions[0].DockerLabels = map[string]string{"local-aws.task": label}
		}
		d, err := f.services.RegisterTaskDefinition(ctx, in)
		require.NoError(f.t, err)
		f.definitions = append(f.definitions, *d.TaskDefinition.TaskDefinitionArn)
	}
	_, err = f.services.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("shop")})
	require.NoError(f.t, err)
	_, err = f.services.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: aws.String("web"), TaskDefinition: aws.String(f.definitions[0]), DesiredCount: aws.Int32(2),
		DeploymentController: &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy},
		LaunchType:           ecstypes.LaunchTypeFargate, NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
		LoadBalancers: []ecstypes.LoadBalancer{{TargetGroupArn: aws.String(f.groups["blue"]), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}},
	})
	require.NoError(f.t, err)
	_, err = f.deployments.CreateApplication(ctx, &sdk.CreateApplicationInput{ApplicationName: aws.String(app), ComputePlatform: cdtypes.ComputePlatformEcs})
	require.NoError(f.t, err)
}

// groupInput is the deployment group of the service, with a canary of five
// minutes.
func (f *fleet) groupInput() *sdk.CreateDeploymentGroupInput {
	pair := cdtypes.TargetGroupPairInfo{
		ProdTrafficRoute: &cdtypes.TrafficRoute{ListenerArns: []string{f.prod}},
		TargetGroups:     []cdtypes.TargetGroupInfo{{Name: aws.String("blue")}, {Name: aws.String("green")}},
	}
	if f.test != "" {
		pair.TestTrafficRoute = &cdtypes.TrafficRoute{ListenerArns: []string{f.test}}
	}
	return &sdk.CreateDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), ServiceRoleArn: aws.String(role),
		DeploymentConfigName: aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		EcsServices:          []cdtypes.ECSService{{ClusterName: aws.String("shop"), ServiceName: aws.String("web")}},
		LoadBalancerInfo:     &cdtypes.LoadBalancerInfo{TargetGroupPairInfoList: []cdtypes.TargetGroupPairInfo{pair}},
		BlueGreenDeploymentConfiguration: &cdtypes.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &cdtypes.DeploymentReadyOption{ActionOnTimeout: cdtypes.DeploymentReadyActionContinueDeployment},
			TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 5},
		},
	}
}

// group creates the deployment group.
func (f *fleet) group(change func(*sdk.CreateDeploymentGroupInput)) {
	f.t.Helper()
	in := f.groupInput()
	if change != nil {
		change(in)
	}
	_, err := f.deployments.CreateDeploymentGroup(f.t.Context(), in)
	require.NoError(f.t, err)
}

// file is the AppSpec file of a revision of the task definition web.
func (f *fleet) file(revision int) appspec.ECS {
	return appspec.ECS{TaskDefinition: f.definitions[revision-1], ContainerName: "app", ContainerPort: 80, Hooks: map[string]string{}}
}

func (f *fleet) deploy(file appspec.ECS) string {
	f.t.Helper()
	out, err := f.deployments.CreateDeployment(f.t.Context(), &sdk.CreateDeploymentInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), Revision: revision(file.Text()),
	})
	require.NoError(f.t, err)
	return *out.DeploymentId
}

func (f *fleet) get(id string) *cdtypes.DeploymentInfo {
	f.t.Helper()
	out, err := f.deployments.GetDeployment(f.t.Context(), &sdk.GetDeploymentInput{DeploymentId: aws.String(id)})
	require.NoError(f.t, err)
	return out.DeploymentInfo
}

func (f *fleet) target(id string) *cdtypes.ECSTarget {
	f.t.Helper()
	out, err := f.deployments.GetDeploymentTarget(f.t.Context(), &sdk.GetDeploymentTargetInput{DeploymentId: aws.String(id), TargetId: aws.String("shop:web")})
	require.NoError(f.t, err)
	return out.DeploymentTarget.EcsTarget
}

// life is the statuses of the lifecycle events in their order, one letter each:
// S for Succeeded, F for Failed, s for Skipped, P for Pending, I for InProgress.
func (f *fleet) life(id string) string {
	f.t.Helper()
	letters := map[cdtypes.LifecycleEventStatus]string{"Succeeded": "S", "Failed": "F", "Skipped": "s", "Pending": "P", "InProgress": "I"}
	all := ""
	for _, e := range f.target(id).LifecycleEvents {
		all += letters[e.Status]
	}
	return all
}

// sets describes the task sets of a deployment's target: "Blue PRIMARY 2/2 90%".
func (f *fleet) sets(id string) (all []string) {
	f.t.Helper()
	for _, s := range f.target(id).TaskSetsInfo {
		all = append(all, fmt.Sprintf("%s %s %s %d/%d %g%%", s.TaskSetLabel, *s.TargetGroup.Name, *s.Status, s.RunningCount, s.DesiredCount, s.TrafficWeight))
	}
	return all
}

// list returns the deployments, oldest first.
func (f *fleet) list() []string {
	f.t.Helper()
	out, err := f.deployments.ListDeployments(f.t.Context(), &sdk.ListDeploymentsInput{})
	require.NoError(f.t, err)
	slices.Reverse(out.Deployments)
	return out.Deployments
}

// running says which task definition the service's task sets have.
func (f *fleet) running() (all []string) {
	f.t.Helper()
	out, err := f.services.DescribeServices(f.t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"web"}})
	require.NoError(f.t, err)
	for _, s := range out.Services[0].TaskSets {
		all = append(all, fmt.Sprintf("%s %s %d", *s.Status, short(*s.TaskDefinition), s.RunningCount))
	}
	return all
}

func short(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// weights describes a listener: "blue 90, green 10".
func (f *fleet) weights(listener string) string {
	f.t.Helper()
	out, err := f.balancers.DescribeListeners(f.t.Context(), &elb.DescribeListenersInput{ListenerArns: []string{listener}})
	require.NoError(f.t, err)
	return f.shares(out.Listeners[0].DefaultActions)
}

func (f *fleet) shares(actions []elbtypes.Action) string {
	var all []string
	for _, g := range actions[0].ForwardConfig.TargetGroups {
		text := strings.Split(*g.TargetGroupArn, "/")[1]
		if len(actions[0].ForwardConfig.TargetGroups) > 1 {
			text += fmt.Sprint(" ", *g.Weight)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func (f *fleet) advance(d time.Duration) {
	f.t.Helper()
	require.NoError(f.t, f.w.Advance(f.t.Context(), d))
}
