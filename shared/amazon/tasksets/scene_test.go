package tasksets_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/definitions"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/tasksets"
	"github.com/pullback-dev/pullback/shared/deploy"
)

var (
	target = deploy.Target{Application: "shop", Group: "prod"}
	place  = deploy.Place{Target: target, Platform: deploy.OnECS}
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
)

// stage is a service that CodeDeploy deploys, and its driver. Nothing was deployed
// yet; web:1 runs, because the service was made so.
type stage struct {
	*ecstest.Shop
	t        *testing.T
	api      *codedeploy.Client
	platform *tasksets.Client
	driver   *deployments.Client
}

func build(t *testing.T, network bool) *stage {
	t.Helper()
	s := &stage{Shop: ecstest.New(t, noon), t: t}
	s.api = codedeploy.NewFromConfig(s.Config)
	s.platform = tasksets.New(s.api, s.Tasks, s.Balancers,
		definitions.New(s.Tasks, s.Images, s.Roles, s.Params, ecstest.Account, ecstest.Region))
	s.driver = deployments.New(s.api, ecstest.Account, ecstest.Region, deployments.Platforms{deploy.OnECS: s.platform})
	config := "CodeDeployDefault.ECSCanary10Percent5Minutes"
	if network {
		config = "CodeDeployDefault.ECSAllAtOnce"
		s.BuildNetwork()
	} else {
		s.Build()
	}
	s.Create("web:1", func(in *ecs.CreateServiceInput) {
		in.DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy}
		in.LoadBalancers = []ecstypes.LoadBalancer{{TargetGroupArn: &s.Blue, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	})
	s.Advance(2 * time.Minute)
	s.group(config)
	return s
}

// serve is a stage on which web:1 was deployed by CodeDeploy.
func serve(t *testing.T) *stage {
	t.Helper()
	s := build(t, false)
	s.deploy("web:1")
	s.settle()
	s.Advance(10 * time.Minute) // until the tasks before are gone
	return s
}

// group makes the deployment group, whose canaries take five minutes if it has any,
// and whose original task sets are kept for five. It rolls nothing back by itself.
func (s *stage) group(config string) {
	s.t.Helper()
	ctx := s.t.Context()
	ecstest.Must[*codedeploy.CreateApplicationOutput](s.t)(s.api.CreateApplication(ctx, &codedeploy.CreateApplicationInput{
		ApplicationName: &target.Application, ComputePlatform: cdtypes.ComputePlatformEcs,
	}))
	ecstest.Must[*codedeploy.CreateDeploymentGroupOutput](s.t)(s.api.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		ServiceRoleArn:       aws.String("arn:aws:iam::" + ecstest.Account + ":role/shop/deployer"),
		DeploymentConfigName: &config,
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		EcsServices:          []cdtypes.ECSService{{ClusterName: aws.String(ecstest.Cluster), ServiceName: aws.String(ecstest.Service)}},
		Tags:                 []cdtypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}},
		LoadBalancerInfo: &cdtypes.LoadBalancerInfo{TargetGroupPairInfoList: []cdtypes.TargetGroupPairInfo{{
			TargetGroups:     []cdtypes.TargetGroupInfo{{Name: aws.String("blue")}, {Name: aws.String("green")}},
			ProdTrafficRoute: &cdtypes.TrafficRoute{ListenerArns: []string{s.Production}}, TestTrafficRoute: &cdtypes.TrafficRoute{ListenerArns: []string{s.Test}},
		}}},
		BlueGreenDeploymentConfiguration: &cdtypes.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &cdtypes.DeploymentReadyOption{ActionOnTimeout: cdtypes.DeploymentReadyActionContinueDeployment},
			TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 5},
		},
	}))
}

// deploy deploys a task definition as the team would.
func (s *stage) deploy(definition string) deploy.ID {
	s.t.Helper()
	return s.deployText(`{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"` + arn(definition) +
		`","LoadBalancerInfo":{"ContainerName":"app","ContainerPort":80}}}}]}`)
}

func arn(definition string) string {
	return "arn:aws:ecs:" + ecstest.Region + ":" + ecstest.Account + ":task-definition/" + definition
}

func (s *stage) deployText(spec string) deploy.ID {
	s.t.Helper()
	out := ecstest.Must[*codedeploy.CreateDeploymentOutput](s.t)(s.api.CreateDeployment(s.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	}))
	return deploy.ID(*out.DeploymentId)
}

// settle lets time pass until no deployment is under way.
func (s *stage) settle() {
	s.t.Helper()
	for range 100 {
		s.Advance(time.Minute)
		out := ecstest.Must[*codedeploy.ListDeploymentsOutput](s.t)(s.api.ListDeployments(s.t.Context(), &codedeploy.ListDeploymentsInput{
			ApplicationName: &target.Application, DeploymentGroupName: &target.Group, IncludeOnlyStatuses: []cdtypes.DeploymentStatus{
				cdtypes.DeploymentStatusCreated, cdtypes.DeploymentStatusQueued, cdtypes.DeploymentStatusInProgress, cdtypes.DeploymentStatusReady,
			},
		}))
		if len(out.Deployments) == 0 {
			return
		}
	}
	require.Fail(s.t, "a deployment does not end")
}

// halt stops a deployment and rolls nothing back.
func (s *stage) halt(id deploy.ID) {
	s.t.Helper()
	ecstest.Must[*codedeploy.StopDeploymentOutput](s.t)(s.api.StopDeployment(s.t.Context(), &codedeploy.StopDeploymentInput{
		DeploymentId: aws.String(string(id)), AutoRollbackEnabled: aws.Bool(false),
	}))
	s.Advance(time.Minute)
}

func (s *stage) get(id deploy.ID) deploy.Deployment {
	s.t.Helper()
	d, err := s.driver.Get(s.t.Context(), target, id)
	require.NoError(s.t, err)
	return d
}

func (s *stage) live() deploy.Live {
	s.t.Helper()
	live, err := s.driver.Live(s.t.Context(), place)
	require.NoError(s.t, err)
	return live
}

// weights says how a listener shares its requests.
func (s *stage) weights(listener string) map[string]int32 {
	s.t.Helper()
	out := ecstest.Must[*elb.DescribeListenersOutput](s.t)(s.Balancers.DescribeListeners(s.t.Context(), &elb.DescribeListenersInput{ListenerArns: []string{listener}}))
	return s.shares(out.Listeners[0].DefaultActions)
}

func (s *stage) shares(actions []elbtypes.Action) map[string]int32 {
	all := make(map[string]int32)
	for _, g := range actions[0].ForwardConfig.TargetGroups {
		all[strings.Split(*g.TargetGroupArn, "/")[1]] = *g.Weight
	}
	return all
}

// point lets a listener send everything to one target group.
func (s *stage) point(listener, to string) {
	s.t.Helper()
	ecstest.Must[*elb.ModifyListenerOutput](s.t)(s.Balancers.ModifyListener(s.t.Context(), &elb.ModifyListenerInput{
		ListenerArn: &listener, DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &to}},
	}))
}

// sets says which task sets there are: "PRIMARY web:1".
func (s *stage) sets() (all []string) {
	s.t.Helper()
	for _, set := range s.Web().TaskSets {
		all = append(all, *set.Status+" "+ecstest.Last(*set.TaskDefinition))
	}
	return all
}
