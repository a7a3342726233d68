// Package ecstest is a shop that runs on ECS on a local AWS, for tests of those
// who look after such services: task definitions whose images are in ECR, a
// cluster, and, where a test asks for them, a load balancer with two target groups
// and a service.
//
// It makes no deployments.
package ecstest

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Where everything is, and what it is called.
const (
	Account  = "123456789012"
	Region   = "us-east-1"
	Cluster  = "main"
	Service  = "web"
	Registry = Account + ".dkr.ecr." + Region + ".amazonaws.com"
	Image    = Registry + "/" + Service
	Secret   = "/web/password"
)

// Shop is the shop. Its task definitions are web:1 and web:2, whose tasks are
// well, and web:3, which was deregistered. Their images are web:v1 to web:v3.
type Shop struct {
	*host.AWS
	t         *testing.T
	Config    aws.Config
	Tasks     *ecs.Client
	Images    *ecr.Client
	Roles     *iam.Client
	Params    *ssm.Client
	Balancers *elb.Client
	Balance
	pushed int
}

// Balance is the load balancer, once it is there.
type Balance struct {
	Blue, Green      string // ARNs of the target groups
	Production, Test string // ARNs of the listeners, which send everything to blue
}

// New starts the local AWS at a time, and builds the shop.
func New(t *testing.T, start time.Time) *Shop {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: start}, IAM: access.Options{Mode: access.Off}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	s := &Shop{
		AWS: local, t: t, Config: config, Tasks: ecs.NewFromConfig(config), Images: ecr.NewFromConfig(config), Roles: iam.NewFromConfig(config),
		Params: ssm.NewFromConfig(config), Balancers: elb.NewFromConfig(config),
	}
	s.around()
	for _, tag := range []string{"v1", "v2", "v3"} {
		s.Push(tag)
		s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].Image = aws.String(Image + ":" + tag)
		})
	}
	s.Deregister("web:3")
	return s
}

// Must fails the test if a call did.
func Must[O any](t *testing.T) func(out O, err error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

// around makes what task definitions refer to.
func (s *Shop) around() {
	s.t.Helper()
	ctx := s.t.Context()
	Must[*ecs.CreateClusterOutput](s.t)(s.Tasks.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(Cluster)}))
	Must[*ecr.CreateRepositoryOutput](s.t)(s.Images.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(Service)}))
	for role, service := range map[string]string{"task": "ecs-tasks", "execution": "ecs-tasks", "balancer": "ecs", "deployer": "codedeploy"} {
		Must[*iam.CreateRoleOutput](s.t)(s.Roles.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &role, Path: aws.String("/shop/"),
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
		}))
	}
	Must[*ssm.PutParameterOutput](s.t)(s.Params.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(Secret), Type: ssmtypes.ParameterTypeSecureString, Value: aws.String("open sesame"),
	}))
}

// Push pushes an image that is like no other, and returns its digest.
func (s *Shop) Push(tag string) string {
	s.t.Helper()
	s.pushed++
	out := Must[*ecr.PutImageOutput](s.t)(s.Images.PutImage(s.t.Context(), &ecr.PutImageInput{
		RepositoryName: aws.String(Service), ImageTag: &tag, ImageManifestMediaType: aws.String("application/vnd.oci.image.manifest.v1+json"),
		ImageManifest: aws.String(`{"schemaVersion":2,"layers":[],"annotations":{"release":"` + strconv.Itoa(s.pushed) + `"}}`),
	}))
	return *out.Image.ImageId.ImageDigest
}

// Expire deletes an image.
func (s *Shop) Expire(tag string) {
	s.t.Helper()
	Must[*ecr.BatchDeleteImageOutput](s.t)(s.Images.BatchDeleteImage(s.t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String(Service), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: &tag}},
	}))
}

// Register registers a task definition, and returns it as "web:4". What it is
// may be changed.
func (s *Shop) Register(change func(*ecs.RegisterTaskDefinitionInput)) string {
	s.t.Helper()
	in := &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(Service), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		TaskRoleArn:             aws.String("arn:aws:iam::" + Account + ":role/shop/task"),
		ExecutionRoleArn:        aws.String("arn:aws:iam::" + Account + ":role/shop/execution"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(Image + ":v1"), PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(80)}},
			Environment: []ecstypes.KeyValuePair{{Name: aws.String("COLOUR"), Value: aws.String("red")}, {Name: aws.String("SHAPE"), Value: aws.String("round")}},
			Secrets:     []ecstypes.Secret{{Name: aws.String("PASSWORD"), ValueFrom: aws.String("arn:aws:ssm:" + Region + ":" + Account + ":parameter" + Secret)}},
		}},
	}
	if change != nil {
		change(in)
	}
	out := Must[*ecs.RegisterTaskDefinitionOutput](s.t)(s.Tasks.RegisterTaskDefinition(s.t.Context(), in))
	return Last(*out.TaskDefinition.TaskDefinitionArn)
}

// Behaves lets the tasks of a task definition behave: see the local ECS's
// MODEL.md.
func Behaves(label string) func(*ecs.RegisterTaskDefinitionInput) {
	return func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"local-aws.task": label}
	}
}

// Deregister makes a task definition INACTIVE.
func (s *Shop) Deregister(definition string) {
	s.t.Helper()
	Must[*ecs.DeregisterTaskDefinitionOutput](s.t)(s.Tasks.DeregisterTaskDefinition(s.t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition}))
}

// Build makes an Application Load Balancer.
func (s *Shop) Build() {
	s.t.Helper()
	s.build(elbtypes.LoadBalancerTypeEnumApplication, elbtypes.ProtocolEnumHttp)
}

// BuildNetwork makes a Network Load Balancer.
func (s *Shop) BuildNetwork() {
	s.t.Helper()
	s.build(elbtypes.LoadBalancerTypeEnumNetwork, elbtypes.ProtocolEnumTcp)
}

func (s *Shop) build(kind elbtypes.LoadBalancerTypeEnum, protocol elbtypes.ProtocolEnum) {
	s.t.Helper()
	ctx := s.t.Context()
	b := Must[*elb.CreateLoadBalancerOutput](s.t)(s.Balancers.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("web"), Type: kind, Subnets: []string{"subnet-1", "subnet-2"}}))
	for name, to := range map[string]*string{"blue": &s.Blue, "green": &s.Green} {
		g := Must[*elb.CreateTargetGroupOutput](s.t)(s.Balancers.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: &name, Protocol: protocol, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		}))
		*to = *g.TargetGroups[0].TargetGroupArn
	}
	for port, to := range map[int32]*string{80: &s.Production, 8080: &s.Test} {
		l := Must[*elb.CreateListenerOutput](s.t)(s.Balancers.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: b.LoadBalancers[0].LoadBalancerArn, Port: &port, Protocol: protocol,
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.Blue}},
		}))
		*to = *l.Listeners[0].ListenerArn
	}
}

// Rule makes a listener's rule that sends everything to blue, and returns its ARN.
func (s *Shop) Rule(listener string) *string {
	s.t.Helper()
	out := Must[*elb.CreateRuleOutput](s.t)(s.Balancers.CreateRule(s.t.Context(), &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: aws.Int32(1),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/*"}}},
		Actions:    []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.Blue}},
	}))
	return out.Rules[0].RuleArn
}

// Create creates the service web with two tasks of a task definition.
func (s *Shop) Create(definition string, change func(*ecs.CreateServiceInput)) {
	s.t.Helper()
	in := &ecs.CreateServiceInput{
		Cluster: aws.String(Cluster), ServiceName: aws.String(Service), TaskDefinition: &definition, DesiredCount: aws.Int32(2),
		LaunchType: ecstypes.LaunchTypeFargate, Tags: []ecstypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}},
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	}
	if change != nil {
		change(in)
	}
	Must[*ecs.CreateServiceOutput](s.t)(s.Tasks.CreateService(s.t.Context(), in))
}

// Web is the service web.
func (s *Shop) Web() ecstypes.Service {
	s.t.Helper()
	out := Must[*ecs.DescribeServicesOutput](s.t)(s.Tasks.DescribeServices(s.t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(Cluster), Services: []string{Service}, Include: []ecstypes.ServiceField{ecstypes.ServiceFieldTags},
	}))
	require.Len(s.t, out.Services, 1)
	return out.Services[0]
}

// Advance lets time pass.
func (s *Shop) Advance(d time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.World.Advance(s.t.Context(), d))
}

// Now is the local AWS's time.
func (s *Shop) Now() time.Time {
	s.World.Lock()
	defer s.World.Unlock()
	return s.World.Now()
}

// Last returns what follows the last slash of an ARN.
func Last(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
