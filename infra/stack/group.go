package stack

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// GroupProps are a deployment group of CodeDeploy: one of Lambda, ECS and Servers, as
// the CDK takes it. What is set there stays; what is not is set so that pullback
// decides: it is asked before and after (on Lambda; on ECS its hooks stand in the
// AppSpec file), and the alarms are in the group's configuration, but CodeDeploy
// ignores them unless IgnoreAlarmConfiguration is false or AutoRollback says
// DeploymentInAlarm.
type GroupProps struct {
	Lambda  *awscodedeploy.LambdaDeploymentGroupProps
	ECS     *awscodedeploy.EcsDeploymentGroupProps
	Servers *awscodedeploy.ServerDeploymentGroupProps

	TargetGroups []awselasticloadbalancingv2.IApplicationTargetGroup // that alarms are made for: of Servers; those of ECS are known
	Watch        Watch
}

// A Group is a deployment group that pullback looks after, with its alarms. One of
// Lambda, ECS and Servers is set.
type Group struct {
	constructs.Construct

	Lambda  awscodedeploy.LambdaDeploymentGroup
	ECS     awscodedeploy.EcsDeploymentGroup
	Servers awscodedeploy.ServerDeploymentGroup
	Alarms  []awscloudwatch.Alarm
}

// AddGroup adds a deployment group. It panics, as constructs do, with what is wrong.
func (p *Plane) AddGroup(id string, gp GroupProps) *Group {
	must(gp.Check())
	g := &Group{Construct: constructs.NewConstruct(p.Construct, &id)}
	switch {
	case gp.Lambda != nil:
		p.onLambda(g, gp)
	case gp.ECS != nil:
		g.onECS(gp)
	default:
		g.onServers(gp)
	}
	enable(g.Construct, "AWS::CodeDeploy::DeploymentGroup")
	return g
}

const groupID = "Group"

func (p *Plane) onLambda(g *Group, gp GroupProps) {
	props := *gp.Lambda
	if !gp.Watch.None {
		g.Alarms = append(g.Alarms, gp.Watch.filled().ofVersion(g.Construct, props.Alias))
	}
	props.Alarms = speaking(props.Alarms, g.Alarms)
	props.IgnoreAlarmConfiguration = ignoring(props.IgnoreAlarmConfiguration, props.AutoRollback)
	props.AutoRollback = rollsBack(props.AutoRollback, props.IgnoreAlarmConfiguration)
	if props.PreHook == nil {
		props.PreHook = p.PreHook()
	}
	if props.PostHook == nil {
		props.PostHook = p.PostHook()
	}
	if props.DeploymentConfig == nil {
		props.DeploymentConfig = awscodedeploy.LambdaDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	}
	// The CDK lets CloudFormation delete a version as soon as there is a newer one, and
	// with it the way back.
	props.Alias.Version().ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	g.Lambda = awscodedeploy.NewLambdaDeploymentGroup(g.Construct, jsii.String(groupID), &props)
	// What serves before the first deployment can bake by it.
	moves := awscdk.Fn_Join(jsii.String(":"), &[]*string{props.Alias.Lambda().FunctionName(), aliasName(props.Alias)})
	tag(g.Construct, "AWS::CodeDeploy::DeploymentGroup", tagAlias, *moves)
	enable(props.Alias.Lambda(), "AWS::Lambda::Function")
}

func (g *Group) onECS(gp GroupProps) {
	props := *gp.ECS
	if !gp.Watch.None {
		g.Alarms = gp.Watch.filled().behind(g.Construct, slices.Concat(gp.TargetGroups, coloured(props.BlueGreenDeploymentConfig)))
	}
	props.Alarms = speaking(props.Alarms, g.Alarms)
	props.IgnoreAlarmConfiguration = ignoring(props.IgnoreAlarmConfiguration, props.AutoRollback)
	props.AutoRollback = rollsBack(props.AutoRollback, props.IgnoreAlarmConfiguration)
	if props.DeploymentConfig == nil {
		props.DeploymentConfig = awscodedeploy.EcsDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	}
	g.ECS = awscodedeploy.NewEcsDeploymentGroup(g.Construct, jsii.String(groupID), &props)
	enable(props.Service, "AWS::ECS::Service")
}

// coloured are the target groups between which CodeDeploy shifts traffic, as far as
// they belong to an application load balancer.
func coloured(c *awscodedeploy.EcsBlueGreenDeploymentConfig) []awselasticloadbalancingv2.IApplicationTargetGroup {
	var all []awselasticloadbalancingv2.IApplicationTargetGroup
	for _, g := range []awselasticloadbalancingv2.ITargetGroup{c.BlueTargetGroup, c.GreenTargetGroup} {
		if a, ok := g.(awselasticloadbalancingv2.IApplicationTargetGroup); ok {
			all = append(all, a)
		}
	}
	return all
}

func (g *Group) onServers(gp GroupProps) {
	props := *gp.Servers
	if !gp.Watch.None {
		g.Alarms = gp.Watch.filled().behind(g.Construct, gp.TargetGroups)
	}
	props.Alarms = speaking(props.Alarms, g.Alarms)
	props.IgnoreAlarmConfiguration = ignoring(props.IgnoreAlarmConfiguration, props.AutoRollback)
	props.AutoRollback = rollsBack(props.AutoRollback, props.IgnoreAlarmConfiguration)
	g.Servers = awscodedeploy.NewServerDeploymentGroup(g.Construct, jsii.String(groupID), &props)
}

// ignoring says whether CodeDeploy leaves the alarms to pullback.
func ignoring(said *bool, a *awscodedeploy.AutoRollbackConfig) *bool {
	if said != nil {
		return said
	}
	return jsii.Bool(a == nil || a.DeploymentInAlarm == nil || !*a.DeploymentInAlarm)
}

// rollsBack is what CodeDeploy takes back by itself if nobody says: what failed.
// pullback adopts that.
func rollsBack(said *awscodedeploy.AutoRollbackConfig, ignore *bool) *awscodedeploy.AutoRollbackConfig {
	a := awscodedeploy.AutoRollbackConfig{}
	if said != nil {
		a = *said
	}
	if *ignore {
		a.DeploymentInAlarm = jsii.Bool(false)
	}
	return &a
}

// The limits of CodeDeploy (user guide, "CodeDeploy quotas"): the length of a group's
// name, and how many alarms speak for it.
const (
	longestGroup = 100
	mostAlarms   = 10
)

var groupPattern = regexp.MustCompile(`^[A-Za-z0-9._+=,@-]+$`)

// Check says everything that is wrong, each with its name and what to do.
func (gp GroupProps) Check() error {
	errs := []error{gp.Watch.check("GroupProps")}
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("stack.GroupProps."+format, args...)) }
	kinds := 0
	if gp.Lambda != nil {
		kinds++
		errs = append(errs, gp.checkLambda())
	}
	if gp.ECS != nil {
		kinds++
		errs = append(errs, gp.checkECS())
	}
	if gp.Servers != nil {
		kinds++
		errs = append(errs, gp.checkServers())
	}
	if kinds != 1 {
		wrong("Lambda, ECS, Servers: %d of them are set: set the one that says what CodeDeploy deploys to", kinds)
	}
	return errors.Join(errs...)
}

func (gp GroupProps) checkLambda() error {
	l := gp.Lambda
	errs := []error{checkGroup("Lambda", l.DeploymentGroupName, l.Alarms, l.IgnoreAlarmConfiguration, l.AutoRollback)}
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.GroupProps."+format, args...))
	}
	if len(gp.TargetGroups) > 0 {
		wrong("TargetGroups: a Lambda alias has none: leave them out")
	}
	if l.Alias == nil {
		wrong("Lambda.Alias: it is not set: name the alias whose traffic CodeDeploy shifts")
	} else if _, ours := l.Alias.Lambda().Node().DefaultChild().(awslambda.CfnFunction); !ours {
		wrong("Lambda.Alias: its function is not made by this app, which cannot tag it: make the alias of the function itself, or tag the function %s=true where it is made and use awscodedeploy", tagEnabled)
	}
	return errors.Join(errs...)
}

func (gp GroupProps) checkECS() error {
	e := gp.ECS
	errs := []error{checkGroup("ECS", e.DeploymentGroupName, e.Alarms, e.IgnoreAlarmConfiguration, e.AutoRollback)}
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.GroupProps."+format, args...))
	}
	if e.Service == nil {
		wrong("ECS.Service: it is not set: name the service, whose deployment controller is CODE_DEPLOY")
	}
	c := e.BlueGreenDeploymentConfig
	if c == nil || c.BlueTargetGroup == nil || c.GreenTargetGroup == nil || c.Listener == nil {
		wrong("ECS.BlueGreenDeploymentConfig: it lacks BlueTargetGroup, GreenTargetGroup or Listener: CodeDeploy shifts traffic from one to the other there")
	}
	return errors.Join(errs...)
}

func (gp GroupProps) checkServers() error {
	s := gp.Servers
	errs := []error{checkGroup("Servers", s.DeploymentGroupName, s.Alarms, s.IgnoreAlarmConfiguration, s.AutoRollback)}
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.GroupProps."+format, args...))
	}
	if s.AutoScalingGroups == nil && s.Ec2InstanceTags == nil && s.OnPremiseInstanceTags == nil {
		wrong("Servers: there are none: set AutoScalingGroups, Ec2InstanceTags or OnPremiseInstanceTags")
	}
	// Of servers nobody counts the requests by version: alarms decide.
	if (gp.Watch.None || len(gp.TargetGroups) == 0) && (s.Alarms == nil || len(*s.Alarms) == 0) {
		wrong("TargetGroups: nothing would speak against a deployment: name the target groups of the servers, or set Servers.Alarms")
	}
	return errors.Join(errs...)
}

// checkGroup says what is wrong with what all groups have.
func checkGroup(kind string, name *string, alarms *[]interfacesawscloudwatch.IAlarmRef, ignore *bool, auto *awscodedeploy.AutoRollbackConfig) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.GroupProps."+kind+"."+format, args...))
	}
	if name != nil && !tokens(*name) {
		switch {
		case len(*name) > longestGroup:
			wrong("DeploymentGroupName: it has %d characters: CodeDeploy takes %d at most; leave it out, and CloudFormation makes one", len(*name), longestGroup)
		case !groupPattern.MatchString(*name):
			wrong("DeploymentGroupName: %q: CodeDeploy takes letters, digits and ._+=,@- only", *name)
		}
	}
	if alarms != nil && len(*alarms) > mostAlarms/2 {
		wrong("Alarms: there are %d, and as many as %d come from Watch: CodeDeploy takes %d for a group; make one composite alarm of several", len(*alarms), mostAlarms/2, mostAlarms)
	}
	if ignore != nil && *ignore && auto != nil && auto.DeploymentInAlarm != nil && *auto.DeploymentInAlarm {
		wrong("IgnoreAlarmConfiguration: it contradicts AutoRollback.DeploymentInAlarm: CodeDeploy either looks at the alarms or does not; leave one of them out")
	}
	return errors.Join(errs...)
}
