package stack

import (
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ServiceProps are a service that ECS deploys itself. Its alarms take the place of what
// the service says of deployment alarms, and unless NoBreaker is set ECS gives up, and
// takes back, a deployment whose tasks do not start: else it would try for hours, and
// nothing would be wrong with the tasks that serve.
type ServiceProps struct {
	Service      awsecs.BaseService                                  // as awsecs.NewFargateService and its like return it
	TargetGroups []awselasticloadbalancingv2.IApplicationTargetGroup // those of the service: alarms are made for them
	Alarms       *[]interfacesawscloudwatch.IAlarmRef                // of the team's own
	Watch        Watch

	Hooks     bool // ECS asks pullback before and after it shifts traffic: for the strategies that do (blue/green, linear, canary)
	RollsBack bool // ECS looks at the alarms, too, and takes back what they speak against; false: pullback alone decides
	NoBreaker bool // the deployment circuit breaker stays as the service has it
}

// A Service is one that pullback looks after, with its alarms.
type Service struct {
	constructs.Construct

	Alarms []awscloudwatch.Alarm
}

// AddService lets pullback look after a service that ECS deploys. It panics, as
// constructs do, with what is wrong.
func (p *Plane) AddService(id string, sp ServiceProps) *Service {
	must(sp.Check())
	s := &Service{Construct: constructs.NewConstruct(p.Construct, &id)}
	if !sp.Watch.None {
		s.Alarms = sp.Watch.filled().behind(s.Construct, sp.TargetGroups)
	}
	cfn := sp.cfn()
	// Alarms count even where ECS does not use them: that says whether ECS stops by
	// itself, not whether they are about the service.
	var names []*string
	for _, a := range *speaking(sp.Alarms, s.Alarms) {
		names = append(names, a.AlarmRef().AlarmName)
	}
	cfn.AddPropertyOverride(jsii.String("DeploymentConfiguration.Alarms"), map[string]any{
		"AlarmNames": names, "Enable": sp.RollsBack, "Rollback": sp.RollsBack,
	})
	if !sp.NoBreaker {
		cfn.AddPropertyOverride(jsii.String("DeploymentConfiguration.DeploymentCircuitBreaker"), map[string]any{"Enable": true, "Rollback": true})
	}
	if sp.Hooks {
		p.hooks(sp.Service)
	}
	// CloudFormation deregisters a task definition as soon as there is a newer one, and
	// ECS starts no task of one that is deregistered (developer guide, "Deregistering an
	// Amazon ECS task definition revision using the console"): the way back would be gone.
	sp.Service.TaskDefinition().ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	enable(sp.Service, "AWS::ECS::Service")
	return s
}

// hooks lets ECS ask pullback before it starts the new tasks, and after they have all of
// the traffic.
func (p *Plane) hooks(s awsecs.BaseService) {
	s.AddLifecycleHook(awsecs.NewDeploymentLifecycleLambdaTarget(p.PreHook(), jsii.String("PullbackPreTraffic"), &awsecs.DeploymentLifecycleLambdaTargetProps{
		LifecycleStages: &[]awsecs.DeploymentLifecycleStage{awsecs.DeploymentLifecycleStage_PRE_SCALE_UP},
	}))
	s.AddLifecycleHook(awsecs.NewDeploymentLifecycleLambdaTarget(p.PostHook(), jsii.String("PullbackPostTraffic"), &awsecs.DeploymentLifecycleLambdaTargetProps{
		LifecycleStages: &[]awsecs.DeploymentLifecycleStage{awsecs.DeploymentLifecycleStage_POST_PRODUCTION_TRAFFIC_SHIFT},
	}))
}

// cfn is the CloudFormation resource of the service; nil if this app does not make it.
func (sp ServiceProps) cfn() awsecs.CfnService {
	for _, child := range *sp.Service.Node().Children() {
		if c, ok := child.(awsecs.CfnService); ok {
			return c
		}
	}
	return nil
}

// resolved is a property as the template will have it; nil if it is not set.
func (sp ServiceProps) resolved(property any) map[string]any {
	if property == nil {
		return nil
	}
	said, _ := awscdk.Stack_Of(sp.Service).Resolve(property).(map[string]any)
	return said
}

// Check says everything that is wrong, each with its name and what to do.
func (sp ServiceProps) Check() error {
	errs := []error{sp.Watch.check("ServiceProps")}
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.ServiceProps."+format, args...))
	}
	if (sp.Watch.None || len(sp.TargetGroups) == 0) && (sp.Alarms == nil || len(*sp.Alarms) == 0) {
		wrong("TargetGroups: nothing would speak against a deployment: name the target groups of the service, or set Alarms")
	}
	if sp.Service == nil {
		wrong("Service: it is not set: name the service that ECS deploys")
		return errors.Join(errs...)
	}
	cfn := sp.cfn()
	if cfn == nil {
		wrong("Service: it is not made by this app, which cannot tag it: call AddService where it is made")
		return errors.Join(errs...)
	}
	controller := sp.resolved(cfn.DeploymentController())
	switch controller["type"] {
	case nil, "ECS":
	case "CODE_DEPLOY":
		wrong("Service: CodeDeploy deploys it, and not ECS: use AddGroup")
	default:
		wrong("Service: its deployment controller is %v: pullback looks after those of ECS and, with AddGroup, of CodeDeploy", controller["type"])
	}
	return errors.Join(errs...)
}
