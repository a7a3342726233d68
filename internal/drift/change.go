package drift

import (
	"fmt"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// change returns what to change so that a wish does not come back.
func change(f Facts, w Wish) []string {
	good := string(f.Live)
	switch w.Tool {
	case Plan, State:
		return terraform(w, good)
	case Stack, Template:
		return cloudFormation(f, w, good)
	default:
		return nil
	}
}

// cloudFormation says what users of CloudFormation, and of the CDK, change. What
// the CDK writes is not edited: its source is.
func cloudFormation(f Facts, w Wish, good string) []string {
	stack := w.Origin
	if w.Tool == Template {
		stack = "STACK"
	}
	lines := []string{fmt.Sprintf("in the template: Resources.%s.Properties.%s: %s", w.Resource, w.Attribute, value(w, good))}
	if w.Type == lambdaAlias || w.Type == "AWS::ECS::Service" {
		lines = append(lines, "with the CDK: take back the change of the code that is bad (git revert COMMIT), or fix it; then cdk diff "+stack+", cdk deploy "+stack)
	}
	if w.Type == lambdaAlias && w.Way == Deploys && !w.Gated && f.Place.Target.Kind == deploy.KindGroup {
		lines = append(lines, "let pullback be asked: Resources."+w.Resource+".UpdatePolicy.CodeDeployLambdaAliasUpdate.BeforeAllowTrafficHook: "+gate)
	}
	if f.Held != "" {
		lines = append(lines, fmt.Sprintf("a fix waits for: pullback release %s --reason TEXT", f.Place.Target))
	}
	return lines
}

// value is what the attribute has to be for what is live, in the resource's words.
func value(w Wish, good string) string {
	if w.Type == "AWS::AutoScaling::AutoScalingGroup" {
		_, version, _ := strings.Cut(good, ":")
		return fmt.Sprintf("%q", version)
	}
	return fmt.Sprintf("%q", good)
}

// ignored are the attributes that deployments move, by the type of the resource
// (Terraform documentation, "lifecycle Meta-Argument", ignore_changes). CodeDeploy
// moves target groups, and Application Auto Scaling the number of tasks.
func ignored(typ string, way Way) []string {
	switch typ {
	case "aws_lambda_alias":
		return []string{"function_version", "routing_config"}
	case "aws_ecs_service":
		if way == Fails {
			return []string{"task_definition", "load_balancer", "desired_count"}
		}
		return []string{"task_definition"}
	case "aws_autoscaling_group":
		return []string{"launch_template"}
	default:
		return nil
	}
}

// terraform says what users of Terraform change: let deployments have what they
// move, or say what is live.
func terraform(w Wish, good string) []string {
	name := w.Resource[strings.LastIndexByte(w.Resource, '.')+1:]
	name, _, _ = strings.Cut(name, "[")
	return []string{
		fmt.Sprintf("resource %q %q {", w.Type, name),
		"  lifecycle {",
		"    ignore_changes = [" + strings.Join(ignored(w.Type, w.Way), ", ") + "]",
		"  }",
		"}",
		fmt.Sprintf("or, in the same resource: %s = %s; then terraform plan -out PLAN && terraform show -json PLAN | pullback drift --terraform -", w.Attribute, value(Wish{Type: cloud(w.Type)}, good)),
	}
}

// cloud is CloudFormation's name of a type of Terraform's.
func cloud(typ string) string {
	if typ == "aws_autoscaling_group" {
		return "AWS::AutoScaling::AutoScalingGroup"
	}
	return ""
}

// IsGate reports whether a hook is the one with which pullback refuses what is bad
// before it has traffic: its name, or its ARN.
func IsGate(hook string) bool {
	return hook == gate || strings.HasSuffix(hook, ":function:"+gate) || strings.Contains(hook, ":function:"+gate+":")
}

// gate is the function that asks pullback.
const gate = "CodeDeployHook_pullback_pretraffic"

// Names are what a target's resource is called, so that code can be searched for
// it.
type Names struct {
	Alias              deploy.Alias // of Lambda
	Cluster, Service   string       // of ECS
	Scaling            string       // an Auto Scaling group
	Pipeline           string
	Application, Group string // of CodeDeploy, on servers
}
